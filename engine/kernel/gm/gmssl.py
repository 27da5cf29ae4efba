"""The second provider: gmssl, an independent implementation in pure Python, some fifty times slower.

gmssl itself draws its nonce from a generator that is not meant for secrets, strips leading ``04`` from keys, and checks
no ranges. Here the nonce comes from ``secrets``, keys are set as 128 hex digits, and ranges and points are checked first.
"""
from __future__ import annotations

import secrets

from gmssl import sm2 as _sm2
from gmssl import sm3 as _sm3
from gmssl import sm4 as _sm4

from engine.kernel.gm import encoding
from engine.kernel.gm.provider import KeyPair, SealBroken

_REDUCTION = 0xE1 << 120
_NO_PADDING = 2  # gmssl knows 0 and 1 and leaves the block alone for anything else


class GmsslProvider:
    """Pure Python; for cross-checks, and where libcrypto has no SM2."""

    name = "gmssl"

    def sm3(self, data: bytes) -> bytes:
        return bytes.fromhex(_sm3.sm3_hash(list(data)))

    def sm4_block(self, key: bytes, block: bytes) -> bytes:
        cipher = _sm4.CryptSM4(padding_mode=_NO_PADDING)
        cipher.set_key(key, _sm4.SM4_ENCRYPT)
        return bytes(cipher.crypt_ecb(block))

    def sm4_gcm_encrypt(self, key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        ciphertext = self._counter(key, nonce, plaintext)
        return ciphertext + self._tag(key, nonce, ciphertext, aad)

    def sm4_gcm_decrypt(self, key: bytes, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes:
        body, tag = ciphertext[:-16], ciphertext[-16:]
        if not secrets.compare_digest(self._tag(key, nonce, body, aad), tag):
            raise SealBroken("密文被改动，或密钥不对")
        return self._counter(key, nonce, body)

    def _counter(self, key: bytes, nonce: bytes, data: bytes) -> bytes:
        blocks = (len(data) + 15) // 16
        stream = b"".join(self.sm4_block(key, nonce + (i + 2).to_bytes(4, "big")) for i in range(blocks))
        return bytes(a ^ b for a, b in zip(data, stream, strict=False))

    def _tag(self, key: bytes, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes:
        secret = int.from_bytes(self.sm4_block(key, bytes(16)), "big")
        lengths = (len(aad) * 8).to_bytes(8, "big") + (len(ciphertext) * 8).to_bytes(8, "big")
        digest = 0
        for block in (*_padded(aad), *_padded(ciphertext), lengths):
            digest = _multiply(digest ^ int.from_bytes(block, "big"), secret)
        mask = self.sm4_block(key, nonce + (1).to_bytes(4, "big"))
        return bytes(a ^ b for a, b in zip(digest.to_bytes(16, "big"), mask, strict=True))

    def sm2_generate(self) -> KeyPair:
        private = (secrets.randbelow(encoding.N - 2) + 1).to_bytes(32, "big")
        return KeyPair(private, self.sm2_public_key(private))

    def sm2_public_key(self, private: bytes) -> bytes:
        encoding.require_private(private)
        point = _machine()._kg(int.from_bytes(private, "big"), encoding.G.hex())
        return b"\x04" + bytes.fromhex(point)

    def sm2_sign(self, private: bytes, data: bytes, distid: bytes) -> bytes:
        digest = self._message_digest(self.sm2_public_key(private), data, distid)
        machine = _machine(private=private)
        while True:
            nonce = secrets.randbelow(encoding.N - 1) + 1
            signature = machine.sign(digest, f"{nonce:064x}")
            if signature is not None:
                return encoding.encode_signature(int(signature[:64], 16), int(signature[64:], 16))

    def sm2_verify(self, public: bytes, data: bytes, signature: bytes, distid: bytes) -> bool:
        try:
            encoding.require_public(public)
            r, s = encoding.decode_signature(signature)
        except ValueError:
            return False
        digest = self._message_digest(public, data, distid)
        return bool(_machine(public=public).verify(f"{r:064x}{s:064x}", digest))

    def sm2_encrypt(self, public: bytes, data: bytes) -> bytes:
        """GB/T 32918.4, 6.1: C1 = [k]G, C2 = M ⊕ KDF(x ‖ y), C3 = SM3(x ‖ M ‖ y), (x, y) = [k]P."""
        encoding.require_public(public)
        while True:
            nonce = secrets.randbelow(encoding.N - 1) + 1
            shared = bytes.fromhex(_machine()._kg(nonce, public[1:].hex()))
            stream = self._stream(shared, len(data))
            if any(stream):
                text = bytes(a ^ b for a, b in zip(data, stream, strict=True))
                point = b"\x04" + bytes.fromhex(_machine()._kg(nonce, encoding.G.hex()))
                return encoding.encode_cipher(point, self.sm3(shared[:32] + data + shared[32:]), text)

    def sm2_decrypt(self, private: bytes, sealed: bytes) -> bytes:
        encoding.require_private(private)
        point, digest, text = encoding.decode_cipher(sealed)
        shared = bytes.fromhex(_machine()._kg(int.from_bytes(private, "big"), point[1:].hex()))
        data = bytes(a ^ b for a, b in zip(text, self._stream(shared, len(text)), strict=True))
        if not secrets.compare_digest(self.sm3(shared[:32] + data + shared[32:]), digest):
            raise SealBroken("密文被改动，或不是给这把密钥的")
        return data

    def _stream(self, shared: bytes, size: int) -> bytes:
        blocks = (self.sm3(shared + count.to_bytes(4, "big")) for count in range(1, size // 32 + 2))
        return b"".join(blocks)[:size]

    def _message_digest(self, public: bytes, data: bytes, distid: bytes) -> bytes:
        """e = SM3(Z ‖ M), Z over the identifier, the curve and the public key (GB/T 32918.2, 5.5 and 6.1)."""
        curve = encoding.A.to_bytes(32, "big") + encoding.B.to_bytes(32, "big") + encoding.G
        z = self.sm3((len(distid) * 8).to_bytes(2, "big") + distid + curve + public[1:])
        return self.sm3(z + data)


def _machine(*, private: bytes = b"", public: bytes = b"") -> _sm2.CryptSM2:
    machine = _sm2.CryptSM2(private_key=private.hex(), public_key="")
    machine.public_key = public[1:].hex()
    return machine


def _padded(data: bytes) -> list[bytes]:
    return [data[i : i + 16].ljust(16, b"\0") for i in range(0, len(data), 16)]


def _multiply(x: int, y: int) -> int:
    """The product in GF(2^128) as GCM orders its bits."""
    product = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            product ^= y
        y = y >> 1 ^ (_REDUCTION if y & 1 else 0)
    return product
