"""SM2 signatures over SM3 (GB/T 32918.2, GM/T 0009)."""
from __future__ import annotations

from engine.kernel.gm.provider import DISTID, KeyPair, default_provider


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
