"""What a cryptographic provider can do, and which one is in use.

A provider computes; it holds no keys. ``libcrypto`` is the default, ``gmssl`` the independent second implementation
that checks the first and stands in where libcrypto lacks SM2. A hardware module (GM/T 0018) would be a third.
"""
from __future__ import annotations

from functools import cache
from typing import NamedTuple, Protocol

DISTID = b"1234567812345678"
"""The signer's identifier that GB/T 32918 and GM/T 0009 take by default."""


class KeyPair(NamedTuple):
    """An SM2 key pair: ``private`` 32 bytes, ``public`` 65 bytes (04 ‖ x ‖ y)."""

    private: bytes
    public: bytes


class Provider(Protocol):
    """The algorithms of one implementation."""

    name: str

    def sm3(self, data: bytes) -> bytes: ...

    def sm4_block(self, key: bytes, block: bytes) -> bytes: ...

    def sm4_gcm_encrypt(self, key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes: ...

    def sm4_gcm_decrypt(self, key: bytes, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes: ...

    def sm2_generate(self) -> KeyPair: ...

    def sm2_public_key(self, private: bytes) -> bytes: ...

    def sm2_sign(self, private: bytes, data: bytes, distid: bytes) -> bytes: ...

    def sm2_verify(self, public: bytes, data: bytes, signature: bytes, distid: bytes) -> bool: ...

    def sm2_encrypt(self, public: bytes, data: bytes) -> bytes: ...

    def sm2_decrypt(self, private: bytes, sealed: bytes) -> bytes: ...


class ProviderUnavailable(RuntimeError):
    """The library behind a provider is missing or lacks the national algorithms."""


class SealBroken(ValueError):
    """A ciphertext is not what was encrypted: wrong key, wrong context or altered bytes."""


@cache
def get_provider(name: str) -> Provider:
    """The provider ``libcrypto`` or ``gmssl``, after it has passed the vectors of the standards; raises ProviderUnavailable."""
    from engine.kernel.gm.self_test import check

    if name == "libcrypto":
        from engine.kernel.gm.libcrypto import LibcryptoProvider as Chosen
    elif name == "gmssl":
        from engine.kernel.gm.gmssl import GmsslProvider as Chosen  # type: ignore[assignment]
    else:
        raise ProviderUnavailable(f"没有名为 {name} 的密码实现")
    made: Provider = Chosen()
    check(made)
    return made


@cache
def default_provider() -> Provider:
    """libcrypto where it has SM2, else gmssl."""
    try:
        return get_provider("libcrypto")
    except ProviderUnavailable:
        return get_provider("gmssl")
