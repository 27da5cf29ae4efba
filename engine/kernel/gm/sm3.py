"""The SM3 digest (GB/T 32905) and its HMAC."""
from __future__ import annotations

from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import hashes

from engine.kernel.gm.provider import default_provider

_BLOCK = 64


def sm3(data: bytes) -> bytes:
    """The 32-byte SM3 digest of ``data``."""
    return default_provider().sm3(data)


def sm3_hex(data: bytes) -> str:
    """The digest as 64 lower-case hex digits."""
    return sm3(data).hex()


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """HMAC (RFC 2104) with SM3: 32 bytes."""
    inner, outer = _pads(key)
    return sm3(outer + sm3(inner + data))


@lru_cache(maxsize=64)
def _pads(key: bytes) -> tuple[bytes, bytes]:
    """What the key becomes before it is hashed with the data and with the inner digest."""
    block = (sm3(key) if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)


class Sm3File:
    """A binary stream that is hashed as it is read; ``hex`` afterwards is the digest of what was read."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._state = hashes.Hash(hashes.SM3())

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._stream.read(size)
        self._state.update(data)
        return data

    def hex(self) -> str:
        return self._state.finalize().hex()
