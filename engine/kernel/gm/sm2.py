"""SM2 signatures over SM3 (GB/T 32918.2) and SM2 encryption of short secrets (GB/T 32918.4), in the shapes of GM/T 0009."""
from __future__ import annotations

from engine.kernel.gm.provider import DISTID, KeyPair, default_provider

LONGEST_SECRET = 1024


def sm2_generate() -> KeyPair:
    """A new key pair: ``private`` 32 bytes, ``public`` 65 bytes (04 ‖ x ‖ y)."""
    return default_provider().sm2_generate()


def sm2_public_key(private: bytes) -> bytes:
    """The 65-byte public key that belongs to a 32-byte private key; raises ValueError out of range."""
    return default_provider().sm2_public_key(private)


def sm2_sign(private: bytes, data: bytes, *, distid: bytes = DISTID) -> bytes:
    """The DER signature of ``data`` (not of its digest) by ``private``."""
    return default_provider().sm2_sign(private, data, distid)


def sm2_verify(public: bytes, data: bytes, signature: bytes, *, distid: bytes = DISTID) -> bool:
    """True when ``signature`` (DER) is ``public``'s over ``data``; anything malformed is False."""
    return default_provider().sm2_verify(public, data, signature, distid)


def sm2_encrypt(public: bytes, data: bytes) -> bytes:
    """``data`` (1 byte to 1 kB, a key as a rule) for the owner of ``public``: DER SM2Cipher {x, y, C3, C2}."""
    if not 0 < len(data) <= LONGEST_SECRET:
        raise ValueError("SM2 只加密 1 到 1024 字节")
    return default_provider().sm2_encrypt(public, data)


def sm2_decrypt(private: bytes, sealed: bytes) -> bytes:
    """What ``sm2_encrypt`` sealed; raises SealBroken for another key, an altered byte or a point off the curve."""
    return default_provider().sm2_decrypt(private, sealed)
