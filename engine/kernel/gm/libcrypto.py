"""The default provider: SM2 by libcrypto.so.3 through ctypes, SM3 by hashlib, SM4 by cryptography.

Python's ``cryptography`` refuses SM2 keys; OpenSSL 3, which every Debian carries, has them.
"""
from __future__ import annotations

import ctypes
import ctypes.util
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from engine.kernel.gm import encoding
from engine.kernel.gm.provider import KeyPair, ProviderUnavailable, SealBroken

_POINTER, _INT, _SIZE, _BYTES = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t, ctypes.c_char_p
_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "OPENSSL_version_major": (ctypes.c_uint, []),
    "d2i_AutoPrivateKey": (_POINTER, [_POINTER, ctypes.POINTER(_BYTES), ctypes.c_long]),
    "d2i_PUBKEY": (_POINTER, [_POINTER, ctypes.POINTER(_BYTES), ctypes.c_long]),
    "EVP_PKEY_free": (None, [_POINTER]),
    "EVP_PKEY_Q_keygen": (_POINTER, [_POINTER, _BYTES, _BYTES]),
    "EVP_PKEY_get_bn_param": (_INT, [_POINTER, _BYTES, ctypes.POINTER(_POINTER)]),
    "EVP_PKEY_get_octet_string_param": (_INT, [_POINTER, _BYTES, _POINTER, _SIZE, ctypes.POINTER(_SIZE)]),
    "BN_bn2binpad": (_INT, [_POINTER, _POINTER, _INT]),
    "BN_clear_free": (None, [_POINTER]),
    "EVP_MD_CTX_new": (_POINTER, []),
    "EVP_MD_CTX_free": (None, [_POINTER]),
    "EVP_sm3": (_POINTER, []),
    "EVP_DigestSignInit": (_INT, [_POINTER, ctypes.POINTER(_POINTER), _POINTER, _POINTER, _POINTER]),
    "EVP_DigestVerifyInit": (_INT, [_POINTER, ctypes.POINTER(_POINTER), _POINTER, _POINTER, _POINTER]),
    "EVP_PKEY_CTX_set1_id": (_INT, [_POINTER, _BYTES, _SIZE]),
    "EVP_DigestSign": (_INT, [_POINTER, _POINTER, ctypes.POINTER(_SIZE), _BYTES, _SIZE]),
    "EVP_DigestVerify": (_INT, [_POINTER, _BYTES, _SIZE, _BYTES, _SIZE]),
    "EVP_PKEY_CTX_new": (_POINTER, [_POINTER, _POINTER]),
    "EVP_PKEY_CTX_free": (None, [_POINTER]),
    "EVP_PKEY_encrypt_init": (_INT, [_POINTER]),
    "EVP_PKEY_decrypt_init": (_INT, [_POINTER]),
    "EVP_PKEY_encrypt": (_INT, [_POINTER, _BYTES, ctypes.POINTER(_SIZE), _BYTES, _SIZE]),
    "EVP_PKEY_decrypt": (_INT, [_POINTER, _BYTES, ctypes.POINTER(_SIZE), _BYTES, _SIZE]),
    "ERR_clear_error": (None, []),
}


def _load() -> ctypes.CDLL:
    for name in ("libcrypto.so.3", ctypes.util.find_library("crypto")):
        if name:
            try:
                return _declare(ctypes.CDLL(name))
            except (OSError, AttributeError):
                continue
    raise ProviderUnavailable("找不到 OpenSSL 3 的 libcrypto.so.3，请安装系统包 libssl3")


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _find_sm3() -> Callable[[bytes], bytes]:
    """hashlib's SM3 where the interpreter's OpenSSL has it, else cryptography's."""
    try:
        empty = hashlib.new("sm3")
    except ValueError:
        return _sm3_by_cryptography

    def sm3(data: bytes) -> bytes:
        state = empty.copy()  # a copy needn't look the digest up by its name
        state.update(data)
        return state.digest()

    return sm3


def _sm3_by_cryptography(data: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes

    state = hashes.Hash(hashes.SM3())
    state.update(data)
    return state.finalize()


class LibcryptoProvider:
    """SM2 at some thousands of signatures a second; interoperable with ``openssl dgst -sm3``."""

    name = "libcrypto"

    def __init__(self) -> None:
        self._c = _load()
        self._sm3 = _find_sm3()

    def sm3(self, data: bytes) -> bytes:
        return self._sm3(data)

    def sm4_block(self, key: bytes, block: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        return Cipher(algorithms.SM4(key), modes.ECB()).encryptor().update(block)  # noqa: S305 (one block, for the vectors)

    def sm4_gcm_encrypt(self, key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        sealer = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
        sealer.authenticate_additional_data(aad)
        return sealer.update(plaintext) + sealer.finalize() + sealer.tag

    def sm4_gcm_decrypt(self, key: bytes, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        opener = Cipher(algorithms.SM4(key), modes.GCM(nonce, ciphertext[-16:])).decryptor()
        opener.authenticate_additional_data(aad)
        try:
            return opener.update(ciphertext[:-16]) + opener.finalize()
        except InvalidTag:
            raise SealBroken("密文被改动，或密钥不对") from None

    def sm2_generate(self) -> KeyPair:
        key = self._c.EVP_PKEY_Q_keygen(None, None, b"SM2")
        with self._held(key):
            private = self._private_bytes(key)
            return KeyPair(private, self._public_bytes(key))

    def sm2_public_key(self, private: bytes) -> bytes:
        with self._private(private) as key:
            return self._public_bytes(key)

    def sm2_sign(self, private: bytes, data: bytes, distid: bytes) -> bytes:
        with self._private(private) as key, self._digest(self._c.EVP_DigestSignInit, key, distid) as context:
            out, size = ctypes.create_string_buffer(80), _SIZE(80)
            self._require(self._c.EVP_DigestSign(context, out, ctypes.byref(size), data, len(data)), "签名")
            return out.raw[: size.value]

    def sm2_verify(self, public: bytes, data: bytes, signature: bytes, distid: bytes) -> bool:
        try:
            encoding.require_public(public)
            encoding.decode_signature(signature)
        except ValueError:
            return False
        with self._public(public) as key, self._digest(self._c.EVP_DigestVerifyInit, key, distid) as context:
            good = self._c.EVP_DigestVerify(context, signature, len(signature), data, len(data)) == 1
            self._c.ERR_clear_error()
            return good

    def sm2_encrypt(self, public: bytes, data: bytes) -> bytes:
        encoding.require_public(public)
        with self._public(public) as key:
            return self._crypt(key, data, self._c.EVP_PKEY_encrypt_init, self._c.EVP_PKEY_encrypt)

    def sm2_decrypt(self, private: bytes, sealed: bytes) -> bytes:
        encoding.decode_cipher(sealed)
        with self._private(private) as key:
            try:
                return self._crypt(key, sealed, self._c.EVP_PKEY_decrypt_init, self._c.EVP_PKEY_decrypt)
            except ProviderUnavailable:
                raise SealBroken("密文被改动，或不是给这把密钥的") from None

    def _crypt(self, key: int, data: bytes, init: Callable[..., int], run: Callable[..., int]) -> bytes:
        context = self._c.EVP_PKEY_CTX_new(key, None)
        try:
            self._require(init(context), "初始化")
            size = _SIZE()
            self._require(run(context, None, ctypes.byref(size), data, len(data)), "加解密")
            out = ctypes.create_string_buffer(size.value)
            self._require(run(context, out, ctypes.byref(size), data, len(data)), "加解密")
            return out.raw[: size.value]
        finally:
            self._c.EVP_PKEY_CTX_free(context)

    def _require(self, result: int, deed: str) -> None:
        if result <= 0:
            self._c.ERR_clear_error()
            raise ProviderUnavailable(f"libcrypto 没有完成{deed}")

    @contextmanager
    def _held(self, key: int | None) -> Iterator[int]:
        if not key:
            self._c.ERR_clear_error()
            raise ProviderUnavailable("libcrypto 不认识 SM2 密钥")
        try:
            yield key
        finally:
            self._c.EVP_PKEY_free(key)

    @contextmanager
    def _private(self, private: bytes) -> Iterator[int]:
        der = encoding.private_key_info_alone(private)
        with self._held(self._c.d2i_AutoPrivateKey(None, ctypes.byref(_BYTES(der)), len(der))) as key:
            yield key

    @contextmanager
    def _public(self, public: bytes) -> Iterator[int]:
        der = encoding.public_key_info(public)
        with self._held(self._c.d2i_PUBKEY(None, ctypes.byref(_BYTES(der)), len(der))) as key:
            yield key

    @contextmanager
    def _digest(self, init: Callable[..., int], key: int, distid: bytes) -> Iterator[int]:
        context, inner = self._c.EVP_MD_CTX_new(), _POINTER()
        try:
            self._require(init(context, ctypes.byref(inner), self._c.EVP_sm3(), None, key), "初始化")
            self._require(self._c.EVP_PKEY_CTX_set1_id(inner, distid, len(distid)), "设置签名者标识")
            yield context
        finally:
            self._c.EVP_MD_CTX_free(context)

    def _private_bytes(self, key: int) -> bytes:
        number, out = _POINTER(), ctypes.create_string_buffer(32)
        self._require(self._c.EVP_PKEY_get_bn_param(key, b"priv", ctypes.byref(number)), "读取私钥")
        try:
            self._require(self._c.BN_bn2binpad(number, out, 32), "读取私钥")
            return out.raw
        finally:
            self._c.BN_clear_free(number)

    def _public_bytes(self, key: int) -> bytes:
        out, size = ctypes.create_string_buffer(65), _SIZE()
        self._require(self._c.EVP_PKEY_get_octet_string_param(key, b"pub", out, 65, ctypes.byref(size)), "读取公钥")
        return _uncompressed(out.raw[: size.value])


def _uncompressed(point: bytes) -> bytes:
    """The 65-byte form; OpenSSL may hand back a compressed point."""
    if point[0] == 4:
        return point
    x = int.from_bytes(point[1:33], "big")
    y = pow(x * x * x + encoding.A * x + encoding.B, (encoding.P + 1) // 4, encoding.P)
    if y % 2 != point[0] % 2:
        y = encoding.P - y
    return b"\x04" + point[1:33] + y.to_bytes(32, "big")
