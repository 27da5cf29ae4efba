"""National cryptography (国密): SM2, SM3, SM4, certificates and the keys of a deployment.

Callers use the functions of this room and never a provider by name. Keys and points are plain bytes: a private key is
32 bytes, a public key 65 bytes (04 ‖ x ‖ y), a signature DER ``SEQUENCE {r, s}``.
"""
from __future__ import annotations

from engine.kernel.gm.keyring import KeyRing
from engine.kernel.gm.sm2 import DISTID, sm2_decrypt, sm2_encrypt, sm2_generate, sm2_public_key, sm2_sign, sm2_verify
from engine.kernel.gm.sm3 import hmac_sm3, sm3, sm3_hex
from engine.kernel.gm.sm4 import SealBroken, VersionedKey, sm4_gcm_decrypt, sm4_gcm_encrypt

__all__ = [
    "DISTID", "KeyRing", "SealBroken", "VersionedKey", "hmac_sm3", "sm2_decrypt", "sm2_encrypt", "sm2_generate", "sm2_public_key", "sm2_sign",
    "sm2_verify", "sm3", "sm3_hex", "sm4_gcm_decrypt", "sm4_gcm_encrypt",
]
