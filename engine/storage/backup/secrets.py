"""The part of a backup that nobody but the holder of the passphrase may read: keys of the deployment, key of the cookies, connectors."""
from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

from engine.kernel.errors import Invalid
from engine.kernel.gm import SealBroken, hmac_sm3, sm4_gcm_decrypt, sm4_gcm_encrypt

SHORTEST = 12
AAD = b"guicheng-backup-keys"
SALT = 16


def derived(passphrase: str, salt: bytes) -> tuple[bytes, bytes]:
    """(SM4 key, HMAC key) of a passphrase, by scrypt with 64 MiB. Raises Invalid for a short one."""
    if len(passphrase) < SHORTEST:
        raise Invalid(f"备份口令太短，至少 {SHORTEST} 个字符。")
    key = hashlib.scrypt(passphrase.encode(), salt=salt, n=1 << 16, r=8, p=1, maxmem=128 << 20, dklen=48)
    return key[:16], key[16:]


def sealed_keys(data_dir: Path, key: bytes) -> bytes:
    """``keys/``, ``secret_key`` and ``connectors/`` of a data folder as one sealed text."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path in _private(data_dir):
            info = tarfile.TarInfo(str(path.relative_to(data_dir)))
            data = path.read_bytes()
            info.size, info.mode = len(data), 0o600
            tar.addfile(info, io.BytesIO(data))
    return sm4_gcm_encrypt(key, out.getvalue(), AAD)


def open_keys(sealed: bytes, key: bytes, data_dir: Path) -> int:
    """Put the files back; how many. Raises Invalid for a wrong passphrase or an altered file."""
    try:
        plain = sm4_gcm_decrypt(key, sealed, AAD)
    except SealBroken:
        raise Invalid("备份口令不对，或备份里的密钥被改动。") from None
    count = 0
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        for info in tar:
            content = tar.extractfile(info)
            target = (data_dir / info.name).resolve()
            if content is None or not target.is_relative_to(data_dir.resolve()):
                raise Invalid("备份里的密钥文件名不合规。")
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            target.touch(mode=0o600)
            target.chmod(0o600)
            target.write_bytes(content.read())
            count += 1
    return count


def manifest_mac(key: bytes, manifest: bytes) -> str:
    """HMAC-SM3 in hex over the manifest."""
    return hmac_sm3(key, manifest).hex()


def _private(data_dir: Path) -> list[Path]:
    found = [path for folder in ("keys", "connectors") for path in sorted((data_dir / folder).glob("*")) if path.is_file() and not path.name.startswith(".")]
    return found + [path for path in (data_dir / "secret_key",) if path.exists()]
