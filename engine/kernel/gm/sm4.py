"""SM4 in GCM: secrecy and integrity in one (GB/T 32907, RFC 8998).

A sealed text is ``version (1 byte) ‖ nonce (12) ‖ ciphertext ‖ tag (16)``: the version says which data key opens it.
"""
from __future__ import annotations

import secrets
from typing import NamedTuple

from engine.kernel.gm.provider import SealBroken, default_provider

__all__ = ["SealBroken", "VersionedKey", "sm4_gcm_decrypt", "sm4_gcm_encrypt"]

_NONCE, _TAG = 12, 16


class VersionedKey(NamedTuple):
    """A 16-byte SM4 key and its version, 1 to 255."""

    version: int
    secret: bytes


def sm4_gcm_encrypt(key: VersionedKey | bytes, plaintext: bytes, aad: bytes = b"") -> bytes:
    """Seal ``plaintext``; ``aad`` is not stored and must be given again to open it. A bare key has version 1."""
    key = _versioned(key)
    nonce = secrets.token_bytes(_NONCE)
    head = bytes([key.version])
    return head + nonce + default_provider().sm4_gcm_encrypt(key.secret, nonce, plaintext, head + aad)


def sm4_gcm_decrypt(key: VersionedKey | bytes, sealed: bytes, aad: bytes = b"") -> bytes:
    """The plaintext of ``sealed``; raises SealBroken when key, version, aad or a byte is not the one it was sealed with."""
    key = _versioned(key)
    if len(sealed) < 1 + _NONCE + _TAG:
        raise SealBroken("密文不完整")
    if sealed[0] != key.version:
        raise SealBroken(f"密文要用第 {sealed[0]} 版密钥打开，给的是第 {key.version} 版")
    return default_provider().sm4_gcm_decrypt(key.secret, sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], sealed[:1] + aad)


def _versioned(key: VersionedKey | bytes) -> VersionedKey:
    key = VersionedKey(1, key) if isinstance(key, bytes) else key
    if len(key.secret) != 16 or not 1 <= key.version <= 255:
        raise ValueError("SM4 密钥应为 16 字节，版本在 1 到 255 之间")
    return key
