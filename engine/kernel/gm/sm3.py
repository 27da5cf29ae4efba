"""The SM3 digest (GB/T 32905) and its HMAC."""
from __future__ import annotations

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
    key = (sm3(key) if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = sm3(bytes(b ^ 0x36 for b in key) + data)
    return sm3(bytes(b ^ 0x5C for b in key) + inner)
