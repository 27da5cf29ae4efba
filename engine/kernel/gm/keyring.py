"""The keys of one deployment: data keys, index key, root authority. Made at first use, readable by their owner only."""
from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from asn1crypto import keys, pem

from engine.kernel.gm.certificates import Authority, issue_leaf, issue_root, to_pem
from engine.kernel.gm.encoding import private_key_info
from engine.kernel.gm.provider import KeyPair
from engine.kernel.gm.sm2 import sm2_generate
from engine.kernel.gm.sm3 import hmac_sm3
from engine.kernel.gm.sm4 import SealBroken, VersionedKey, sm4_gcm_decrypt, sm4_gcm_encrypt

ROOT_NAME = "规程平台根证书"
_ROOT_FROM, _ROOT_UNTIL = datetime(2015, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC)


class KeyFileUnsafe(RuntimeError):
    """A key file can be read by others or is broken; the Chinese message names it and says what to do."""


class KeyRing:
    """Keys in ``data_dir/keys``: ``data_<version>.key``, ``index.key``, ``root_ca.pem``, each with mode 0600.

    Several processes may start at once: whoever links a file first wins, the others read it. Losing ``keys/`` means that
    encrypted fields can't be read and documents can't be verified any more, so a backup must hold it.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = Path(data_dir) / "keys"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make("data_1.key", _random_line)
        self._make("index.key", _random_line)
        self._make("root_ca.pem", _new_root)

    @cached_property
    def data_keys(self) -> dict[int, VersionedKey]:
        """Every data key by version."""
        found = {}
        for file in self._folder.glob("data_*.key"):
            version = int(file.stem.removeprefix("data_"))
            found[version] = VersionedKey(version, self._secret(file.name)[:16])
        return found

    @property
    def data_key(self) -> VersionedKey:
        """The newest data key, with which new texts are sealed."""
        return self.data_keys[max(self.data_keys)]

    @cached_property
    def index_key(self) -> bytes:
        """32 bytes; blind indexes of encrypted columns are made with it."""
        return self._secret("index.key")

    @cached_property
    def root(self) -> Authority:
        """Our certificate authority."""
        parts = {label: der for label, _, der in pem.unarmor(self._read("root_ca.pem"), multiple=True)}
        private = keys.PrivateKeyInfo.load(parts["PRIVATE KEY"])["private_key"].parsed["private_key"].native
        return Authority(private=int(private).to_bytes(32, "big"), certificate=parts["CERTIFICATE"])

    def encrypt(self, plaintext: bytes, aad: bytes = b"") -> bytes:
        """Seal with the newest data key."""
        return sm4_gcm_encrypt(self.data_key, plaintext, aad)

    def decrypt(self, sealed: bytes, aad: bytes = b"") -> bytes:
        """Open with the data key that the text names; raises SealBroken."""
        key = self.data_keys.get(sealed[0] if sealed else 0)
        if key is None:
            raise SealBroken("打开这段密文的密钥不在本机")
        return sm4_gcm_decrypt(key, sealed, aad)

    def index(self, data: bytes) -> bytes:
        """The 32-byte blind index of ``data`` (HMAC-SM3), equal for equal data."""
        return hmac_sm3(self.index_key, data)

    def issue_certificate(self, *, public: bytes, name: str, organisation: str, valid_from: datetime, valid_until: datetime) -> bytes:
        """A signing certificate (DER) from our authority."""
        return issue_leaf(
            authority=self.root, public=public, name=name, organisation=organisation, valid_from=valid_from, valid_until=valid_until
        )

    def renew_data_key(self) -> VersionedKey:
        """Add the next version; old texts stay readable, new ones are sealed with it after every process has restarted."""
        self._make(f"data_{self.data_key.version + 1}.key", _random_line)
        del self.data_keys
        return self.data_key

    def _secret(self, name: str) -> bytes:
        try:
            secret = bytes.fromhex(self._read(name).decode("ascii").strip())
        except ValueError:
            secret = b""
        if len(secret) != 32:
            raise KeyFileUnsafe(f"密钥文件 {self._folder / name} 内容不完整，请从备份恢复")
        return secret

    def _read(self, name: str) -> bytes:
        file = self._folder / name
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise KeyFileUnsafe(f"密钥文件 {file} 能被其他用户读取，请执行 chmod 600 {file}")
        return file.read_bytes()

    def _make(self, name: str, create: Callable[[], bytes]) -> None:
        """Write the file whole or not at all; an existing one is never touched."""
        target = self._folder / name
        if target.exists():
            return
        handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=".new_")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(create())
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(temporary, target)
        finally:
            os.unlink(temporary)


def _random_line() -> bytes:
    return secrets.token_hex(32).encode("ascii") + b"\n"


def _new_root() -> bytes:
    pair: KeyPair = sm2_generate()
    certificate = issue_root(private=pair.private, public=pair.public, name=ROOT_NAME, valid_from=_ROOT_FROM, valid_until=_ROOT_UNTIL)
    private = private_key_info(pair.private, pair.public)
    return (to_pem(private, "PRIVATE KEY") + to_pem(certificate, "CERTIFICATE")).encode("ascii")
