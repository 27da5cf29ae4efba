"""The vectors that the standards print, on both implementations, and each implementation checking the other."""
from __future__ import annotations

import secrets

import pytest

from engine.kernel.gm import encoding, self_test
from engine.kernel.gm.provider import DISTID, Provider, ProviderUnavailable, SealBroken, get_provider
from engine.kernel.gm.sm3 import hmac_sm3
from engine.kernel.gm.sm4 import VersionedKey, sm4_gcm_decrypt, sm4_gcm_encrypt

BOTH = pytest.mark.parametrize("provider", [get_provider("libcrypto"), get_provider("gmssl")], ids=lambda p: p.name)
PAIRS = pytest.mark.parametrize(
    ("one", "other"),
    [(get_provider("libcrypto"), get_provider("gmssl")), (get_provider("gmssl"), get_provider("libcrypto"))],
    ids=["libcrypto-gmssl", "gmssl-libcrypto"],
)
GCM = {  # RFC 8998, A.1
    "key": "0123456789abcdeffedcba9876543210", "nonce": "00001234567800000000abcd", "aad": "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    "plaintext": "".join(2 * (8 * digit) for digit in "abcdefea"),
    "ciphertext": "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
    "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d",
    "tag": "83de3541e4c2b58177e065a9bf7b62ec",
}


@BOTH
def test_sm3_gives_the_digests_of_gbt_32905(provider: Provider) -> None:
    assert provider.sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert provider.sm3(b"abcd" * 16).hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


@BOTH
def test_sm4_gives_the_block_of_gbt_32907(provider: Provider) -> None:
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    assert provider.sm4_block(key, key).hex() == "681edf34d206965e86b3e94f536e4246"


@BOTH
def test_sm4_gcm_gives_the_vector_of_rfc_8998(provider: Provider) -> None:
    key, nonce, aad, plain = (bytes.fromhex(GCM[name]) for name in ("key", "nonce", "aad", "plaintext"))
    sealed = provider.sm4_gcm_encrypt(key, nonce, plain, aad)
    assert sealed.hex() == GCM["ciphertext"] + GCM["tag"]
    assert provider.sm4_gcm_decrypt(key, nonce, sealed, aad) == plain


@BOTH
def test_sm2_accepts_the_signature_of_gbt_32918(provider: Provider) -> None:
    assert provider.sm2_public_key(self_test.SM2_PRIVATE) == self_test.SM2_PUBLIC
    assert provider.sm2_verify(self_test.SM2_PUBLIC, b"message digest", self_test.SM2_SIGNATURE, DISTID)
    assert not provider.sm2_verify(self_test.SM2_PUBLIC, b"message digesT", self_test.SM2_SIGNATURE, DISTID)
    assert not provider.sm2_verify(self_test.SM2_PUBLIC, b"message digest", self_test.SM2_SIGNATURE, b"ALICE123@YAHOO.COM")


def test_gmssl_makes_the_signature_of_gbt_32918_with_its_nonce(monkeypatch: pytest.MonkeyPatch) -> None:
    nonce = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
    monkeypatch.setattr("engine.kernel.gm.gmssl.secrets.randbelow", lambda _: nonce - 1)
    assert get_provider("gmssl").sm2_sign(self_test.SM2_PRIVATE, b"message digest", DISTID) == self_test.SM2_SIGNATURE


@PAIRS
def test_what_one_signs_the_other_verifies(one: Provider, other: Provider) -> None:
    for data in (b"", b"\0" * 65, "沪市监云处〔2025〕040317号".encode()):
        pair = one.sm2_generate()
        signature = one.sm2_sign(pair.private, data, DISTID)
        assert other.sm2_public_key(pair.private) == pair.public
        assert other.sm2_verify(pair.public, data, signature, DISTID)
        assert not other.sm2_verify(pair.public, data + b"x", signature, DISTID)


@PAIRS
def test_what_one_seals_the_other_opens(one: Provider, other: Provider) -> None:
    key, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    sealed = one.sm4_gcm_encrypt(key, nonce, "云汀路128号".encode(), b"aad")
    assert other.sm4_gcm_decrypt(key, nonce, sealed, b"aad") == "云汀路128号".encode()
    assert one.sm3(sealed) == other.sm3(sealed)


def test_keys_that_begin_with_04_are_not_corrupted() -> None:
    gmssl, libcrypto = get_provider("gmssl"), get_provider("libcrypto")
    pair = next(p for p in (libcrypto.sm2_generate() for _ in range(20_000)) if p.public[1] in (0x04, 0x44, 0x40, 0x00))
    assert gmssl.sm2_verify(pair.public, b"m", libcrypto.sm2_sign(pair.private, b"m", DISTID), DISTID)


@BOTH
def test_malformed_keys_and_signatures_are_refused(provider: Provider) -> None:
    good = self_test.SM2_SIGNATURE
    for bad in (b"", good[:-1], good + b"\0", b"\x30\x06\x02\x01\x00\x02\x01\x01", encoding.encode_signature(encoding.N, 1)):
        assert not provider.sm2_verify(self_test.SM2_PUBLIC, b"message digest", bad, DISTID)
    assert not provider.sm2_verify(b"\x04" + b"\x01" * 64, b"message digest", good, DISTID)
    with pytest.raises(ValueError):
        provider.sm2_sign(bytes(32), b"m", DISTID)
    with pytest.raises(ValueError):
        provider.sm2_sign(encoding.N.to_bytes(32, "big"), b"m", DISTID)


def test_a_provider_that_computes_wrongly_is_not_used() -> None:
    wrong = type(get_provider("gmssl"))()
    wrong.sm3 = lambda data: bytes(32)  # type: ignore[method-assign]
    with pytest.raises(ProviderUnavailable, match="SM3"):
        self_test.check(wrong)


def test_hmac_agrees_with_the_definition_for_short_and_long_keys() -> None:
    import hmac

    for key in (b"k", b"k" * 64, b"k" * 100):
        assert hmac_sm3(key, b"data") == hmac.new(key, b"data", "sm3").digest()


def test_a_sealed_text_opens_only_with_its_key_version_and_context() -> None:
    key = VersionedKey(3, secrets.token_bytes(16))
    sealed = sm4_gcm_encrypt(key, b"13800000000", b"party.phone")
    assert sealed[0] == 3 and len(sealed) == 1 + 12 + 11 + 16
    assert sm4_gcm_decrypt(key, sealed, b"party.phone") == b"13800000000"
    flipped = bytearray(sealed)
    flipped[15] ^= 1
    other = VersionedKey(3, secrets.token_bytes(16))
    for wrong_key, text, aad in ((key, bytes(flipped), b"party.phone"), (key, sealed, b"other"), (other, sealed, b"party.phone"),
                                 (VersionedKey(2, key.secret), sealed, b"party.phone"), (key, sealed[:20], b"party.phone")):
        with pytest.raises(SealBroken):
            sm4_gcm_decrypt(wrong_key, text, aad)
