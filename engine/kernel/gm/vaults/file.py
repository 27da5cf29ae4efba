"""Software keys: one file per key beside the data, mode 0600. Not a certified product; for operation without a device."""
from __future__ import annotations

from pathlib import Path

from engine.kernel.gm.private_files import make_file, read_file
from engine.kernel.gm.sm2 import sm2_decrypt, sm2_generate, sm2_public_key, sm2_sign


class FileVault:
    """``<folder>/sign_<key>.key`` holds 32 bytes in hex."""

    name = "软件密钥（数据目录 keys/，权限 600）"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def public(self, key: str) -> bytes:
        return sm2_public_key(self._private(key))

    def sign(self, key: str, data: bytes) -> bytes:
        return sm2_sign(self._private(key), data)

    def decrypt(self, key: str, sealed: bytes) -> bytes:
        return sm2_decrypt(self._private(key), sealed)

    def wrap(self, secret: bytes) -> bytes:
        """As it is: a key that lay beside what it seals would protect nothing."""
        return secret

    def unwrap(self, wrapped: bytes) -> bytes:
        return wrapped

    def _private(self, key: str) -> bytes:
        file = self._folder / f"sign_{key}.key"
        make_file(file, lambda: sm2_generate().private.hex().encode() + b"\n")
        return bytes.fromhex(read_file(file).decode("ascii").strip())


def open_vault(rest: str, folder: Path) -> FileVault:
    """``rest`` is not used: the files lie in ``folder``."""
    return FileVault(folder)
