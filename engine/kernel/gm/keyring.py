"""The keys of one deployment: data keys, index keys, the key over rights, signing keys, root authority. Made at first use."""
from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar, cast

from asn1crypto import keys, pem

from engine.kernel.gm.certificates import Authority, issue_leaf, issue_root, to_pem
from engine.kernel.gm.encoding import private_key_info
from engine.kernel.gm.envelope import Identity
from engine.kernel.gm.private_files import KeyFileUnsafe, make_file, read_file
from engine.kernel.gm.provider import KeyPair
from engine.kernel.gm.sm2 import sm2_generate
from engine.kernel.gm.sm3 import hmac_sm3
from engine.kernel.gm.sm4 import SealBroken, VersionedKey, sm4_gcm_decrypt, sm4_gcm_encrypt
from engine.kernel.gm.vaults import Vault, open_vault

__all__ = ["KeyFileUnsafe", "KeyRing", "Signer"]

ROOT_NAME = "规程平台根证书"
SIGNERS = {"audit": "审计锚定", "bundle": "案件导出", "release": "程序发布", "transport": "数据传输签名", "sealing": "数据传输加密"}
_ROOT_FROM, _ROOT_UNTIL = datetime(2015, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC)
_WRAPPED = b"wrapped:"
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Signer:
    """A signing key of the platform with its certificate (DER) from our authority."""

    certificate: bytes
    sign: Callable[[bytes], bytes]


class KeyRing:
    """Keys in ``data_dir/keys``, each file with mode 0600: ``data_<version>.key``, ``index.key`` and ``index_<version>.key``,
    ``access.key``, ``commit.key``, ``root_ca.pem``, ``sign_<name>_<version>``; private signing keys are where ``vault`` keeps them.

    Several processes may start at once: whoever links a file first wins, the others read it. A key that another process
    adds is seen at the next use. Losing ``keys/`` means that encrypted fields can't be read and documents can't be
    verified any more, so a backup must hold it.
    """

    def __init__(self, data_dir: Path, *, vault: str = "file") -> None:
        self._folder = Path(data_dir) / "keys"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.vault: Vault = open_vault(vault, self._folder)
        self._cache: dict[str, object] = {}
        self._seen = -1
        for name in ("data_1.key", "index.key", "access.key", "commit.key"):
            make_file(self._folder / name, self._new_secret)
        make_file(self._folder / "root_ca.pem", _new_root)

    @property
    def data_keys(self) -> dict[int, VersionedKey]:
        """Every data key by version."""
        return self._kept("data", lambda: {version: VersionedKey(version, secret[:16]) for version, secret in self._versions("data").items()})

    @property
    def data_key(self) -> VersionedKey:
        """The newest data key, with which new texts are sealed."""
        return self.data_keys[max(self.data_keys)]

    @property
    def index_keys(self) -> dict[int, bytes]:
        """Index keys still asked for, by version: the newest, and the one before while rows are moved to it."""
        return self._kept("index", self._read_index_keys)

    @property
    def index_key(self) -> bytes:
        """32 bytes; blind indexes of encrypted columns are made with it."""
        return self.index_keys[max(self.index_keys)]

    @property
    def root(self) -> Authority:
        """Our certificate authority."""
        return self._kept("root", self._read_root)

    def encrypt(self, plaintext: bytes, aad: bytes = b"") -> bytes:
        """Seal with the newest data key."""
        return sm4_gcm_encrypt(self.data_key, plaintext, aad)

    def decrypt(self, sealed: bytes, aad: bytes = b"") -> bytes:
        """Open with the data key that the text names; raises SealBroken."""
        key = self.data_keys.get(sealed[0] if sealed else 0)
        if key is None:
            raise SealBroken("打开这段密文的密钥不在本机")
        return sm4_gcm_decrypt(key, sealed, aad)

    def index(self, data: bytes, *, version: int | None = None) -> bytes:
        """The 32-byte blind index of ``data`` (HMAC-SM3), equal for equal data under one version of the key."""
        return hmac_sm3(self.index_key if version is None else self.index_keys[version], data)

    def mac(self, data: bytes) -> bytes:
        """HMAC-SM3 over what says who may do what."""
        return hmac_sm3(self._kept("access", lambda: self._secret("access.key")), data)

    def opening(self, place: str) -> bytes:
        """32 bytes that open the commitment to one secret text, so that it can be shown alone and proved."""
        return hmac_sm3(self._kept("commit", lambda: self._secret("commit.key")), place.encode())

    def signer(self, name: str) -> Signer:
        """The signing key ``name`` (one of SIGNERS) with a certificate from our authority."""
        key = f"{name}_1"
        return self._kept(f"sign:{key}", lambda: Signer(certificate=self._certificate(name, key), sign=lambda data: self.vault.sign(key, data)))

    @property
    def identity(self) -> Identity:
        """Who this deployment is to outside systems: two certificates from our authority, the keys behind them in the vault."""
        signer = self.signer("transport")
        return Identity(signing=signer.certificate, sealing=self.signer("sealing").certificate, sign=signer.sign, unseal=lambda sealed: self.vault.decrypt("sealing_1", sealed))

    def issue_certificate(self, *, public: bytes, name: str, organisation: str, valid_from: datetime, valid_until: datetime, seals: bool = False) -> bytes:
        """A certificate (DER) from our authority, to sign with or to seal for."""
        return issue_leaf(
            authority=self.root, public=public, name=name, organisation=organisation, valid_from=valid_from, valid_until=valid_until, seals=seals
        )

    def renew_data_key(self) -> VersionedKey:
        """Add the next version; old texts stay readable, new ones are sealed with it in every process."""
        make_file(self._folder / f"data_{self.data_key.version + 1}.key", self._new_secret)
        self._seen = -1
        return self.data_key

    def renew_index_key(self) -> int:
        """Add the next index key; until ``retire_index_keys`` rows are looked for under both."""
        version = max(self.index_keys) + 1
        make_file(self._folder / f"index_{version}.key", self._new_secret)
        self._seen = -1
        return version

    def retire_index_keys(self, *, below: int) -> None:
        """Every row has moved: index keys before version ``below`` are asked no more (their files stay, for old backups)."""
        make_file(self._folder / f"index_from_{below}", lambda: b"\n")
        self._seen = -1

    def versions(self) -> dict[str, list[int]]:
        """Versions of the keys that can be renewed, for the administrator's page."""
        return {"data": sorted(self.data_keys), "index": sorted(self.index_keys)}

    def noted(self, name: str) -> list[str]:
        """The words written down beside the keys under ``name``; empty when nothing was."""
        file = self._folder / name
        return file.read_text("utf-8").split() if file.exists() else []

    def note(self, name: str, words: list[str]) -> None:
        """Write words down beside the keys, where a backup takes them along; what was there is replaced whole."""
        partial = self._folder / f".{name}"
        partial.write_text("\n".join(words) + "\n", "utf-8")
        partial.chmod(0o600)
        partial.replace(self._folder / name)

    def _kept(self, name: str, read: Callable[[], T]) -> T:
        """``read()`` once, and again after a file came or went."""
        seen = self._folder.stat().st_mtime_ns
        if seen != self._seen:
            self._cache, self._seen = {}, seen
        if name not in self._cache:
            self._cache[name] = read()
        return cast(T, self._cache[name])

    def _versions(self, kind: str) -> dict[int, bytes]:
        return {int(file.stem.removeprefix(f"{kind}_")): self._secret(file.name) for file in self._folder.glob(f"{kind}_*.key")}

    def _read_index_keys(self) -> dict[int, bytes]:
        found = {1: self._secret("index.key"), **self._versions("index")}
        first = max((int(file.name.removeprefix("index_from_")) for file in self._folder.glob("index_from_*")), default=1)
        return {version: secret for version, secret in found.items() if version >= first}

    def _read_root(self) -> Authority:
        parts = {label: der for label, _, der in pem.unarmor(read_file(self._folder / "root_ca.pem"), multiple=True)}
        private = keys.PrivateKeyInfo.load(parts["PRIVATE KEY"])["private_key"].parsed["private_key"].native
        return Authority(private=int(private).to_bytes(32, "big"), certificate=parts["CERTIFICATE"])

    def _certificate(self, name: str, key: str) -> bytes:
        file = self._folder / f"sign_{key}.crt"
        make_file(file, lambda: self.issue_certificate(
            public=self.vault.public(key), name=f"规程平台{SIGNERS[name]}", organisation="规程平台", valid_from=_ROOT_FROM, valid_until=_ROOT_UNTIL,
            seals=name == "sealing",
        ))
        return file.read_bytes()

    def _new_secret(self) -> bytes:
        """A random key in hex, sealed under the device's own key where there is a device."""
        secret = secrets.token_bytes(32)
        wrapped = self.vault.wrap(secret)
        return (secret.hex().encode() if wrapped == secret else _WRAPPED + wrapped.hex().encode()) + b"\n"

    def _secret(self, name: str) -> bytes:
        text = read_file(self._folder / name).strip()
        try:
            raw = bytes.fromhex(text.removeprefix(_WRAPPED).decode("ascii"))
            secret = self.vault.unwrap(raw) if text.startswith(_WRAPPED) else raw
        except SealBroken as error:
            raise KeyFileUnsafe(f"密钥文件 {self._folder / name}：{error}") from None
        except ValueError:
            secret = b""
        if len(secret) != 32:
            raise KeyFileUnsafe(f"密钥文件 {self._folder / name} 内容不完整，请从备份恢复")
        return secret


def _new_root() -> bytes:
    pair: KeyPair = sm2_generate()
    certificate = issue_root(private=pair.private, public=pair.public, name=ROOT_NAME, valid_from=_ROOT_FROM, valid_until=_ROOT_UNTIL)
    private = private_key_info(pair.private, pair.public)
    return (to_pem(private, "PRIVATE KEY") + to_pem(certificate, "CERTIFICATE")).encode("ascii")
