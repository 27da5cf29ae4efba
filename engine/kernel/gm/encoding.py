"""Fixed DER shapes of SM2 keys and signatures (RFC 5480, RFC 5958, GM/T 0009)."""
from __future__ import annotations

from engine.kernel.gm.provider import SealBroken

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = bytes.fromhex(
    "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
)

_ALGORITHM = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")
_SPKI_HEAD = bytes.fromhex("3059") + _ALGORITHM + bytes.fromhex("034200")
_PKCS8_HEAD = bytes.fromhex("3081870201 00".replace(" ", "")) + _ALGORITHM + bytes.fromhex("046d306b0201010420")


def public_key_info(public: bytes) -> bytes:
    """SubjectPublicKeyInfo DER of a 65-byte public key."""
    require_public(public)
    return _SPKI_HEAD + public


def private_key_info(private: bytes, public: bytes) -> bytes:
    """PKCS#8 DER of a key pair."""
    require_private(private)
    require_public(public)
    return _PKCS8_HEAD + private + bytes.fromhex("a144034200") + public


def private_key_info_alone(private: bytes) -> bytes:
    """PKCS#8 DER without the public key; a reader computes it."""
    require_private(private)
    inner = bytes.fromhex("30250201010420") + private
    body = bytes.fromhex("020100") + _ALGORITHM + b"\x04" + bytes([len(inner)]) + inner
    return b"\x30" + bytes([len(body)]) + body


def require_private(private: bytes) -> None:
    if len(private) != 32 or not 1 <= int.from_bytes(private, "big") <= N - 2:
        raise ValueError("SM2 私钥应为 32 字节，且在 1 到 n-2 之间")


def require_public(public: bytes) -> None:
    """Raise ValueError unless ``public`` is an uncompressed point on the curve."""
    if len(public) != 65 or public[0] != 4:
        raise ValueError("SM2 公钥应为 65 字节，以 04 开头")
    x, y = int.from_bytes(public[1:33], "big"), int.from_bytes(public[33:], "big")
    if x >= P or y >= P or (y * y - (x * x * x + A * x + B)) % P:
        raise ValueError("SM2 公钥不在曲线上")


def encode_signature(r: int, s: int) -> bytes:
    """DER ``SEQUENCE {r, s}``."""
    body = _integer(r) + _integer(s)
    return b"\x30" + bytes([len(body)]) + body


def decode_signature(signature: bytes) -> tuple[int, int]:
    """(r, s) of a DER signature; raises ValueError when it is not strict DER or out of range."""
    if len(signature) < 8 or signature[0] != 0x30 or signature[1] != len(signature) - 2:
        raise ValueError("签名不是 DER 序列")
    r, rest = _read_integer(signature[2:])
    s, rest = _read_integer(rest)
    if rest or not (0 < r < N and 0 < s < N) or encode_signature(r, s) != signature:
        raise ValueError("签名值不合规")
    return r, s


def encode_cipher(point: bytes, digest: bytes, text: bytes) -> bytes:
    """DER SM2Cipher (GM/T 0009): SEQUENCE {x, y, C3, C2} of the 65-byte point C1, the 32-byte digest and the text."""
    body = _integer(int.from_bytes(point[1:33], "big")) + _integer(int.from_bytes(point[33:], "big")) + _octets(digest) + _octets(text)
    return b"\x30" + _length(len(body)) + body


def decode_cipher(sealed: bytes) -> tuple[bytes, bytes, bytes]:
    """(C1 as 65 bytes, C3, C2) of a DER SM2Cipher; raises SealBroken when it is not strict DER or C1 is not on the curve."""
    try:
        start = 2 if sealed[1] < 0x80 else 2 + (sealed[1] & 0x7F)
        x, rest = _read_integer(sealed[start:])
        y, rest = _read_integer(rest)
        point = b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")
        require_public(point)
        digest, rest = rest[2:34], rest[34:]
        text = rest[2:] if rest[1] < 0x80 else rest[2 + (rest[1] & 0x7F) :]
        if encode_cipher(point, digest, text) != sealed or not text:
            raise ValueError("不是 DER")
    except (ValueError, IndexError, OverflowError):
        raise SealBroken("密文不完整") from None
    return point, digest, text


def _octets(data: bytes) -> bytes:
    return b"\x04" + _length(len(data)) + data


def _length(size: int) -> bytes:
    raw = size.to_bytes((size.bit_length() + 7) // 8 or 1, "big")
    return raw if size < 0x80 else bytes([0x80 | len(raw)]) + raw


def _integer(value: int) -> bytes:
    raw = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return b"\x02" + bytes([len(raw)]) + raw


def _read_integer(data: bytes) -> tuple[int, bytes]:
    if len(data) < 3 or data[0] != 2 or not 1 <= data[1] <= 33 or len(data) < 2 + data[1]:
        raise ValueError("签名里的整数不完整")
    end = 2 + data[1]
    return int.from_bytes(data[2:end], "big", signed=True), data[end:]
