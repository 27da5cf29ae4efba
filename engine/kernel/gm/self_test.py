"""The vectors of GB/T 32905 (SM3), 32907 (SM4) and 32918.5 (SM2), run once on every provider before it is used."""
from __future__ import annotations

from engine.kernel.gm.provider import DISTID, Provider, ProviderUnavailable

SM3_INPUT = b"abc"
SM3_OUTPUT = bytes.fromhex("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0")
SM4_KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")
SM4_OUTPUT = bytes.fromhex("681edf34d206965e86b3e94f536e4246")
SM2_PRIVATE = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
SM2_PUBLIC = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
SM2_MESSAGE = b"message digest"
SM2_SIGNATURE = bytes.fromhex(
    "3046022100f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3022100b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)


def check(provider: Provider) -> None:
    """Raise ProviderUnavailable unless ``provider`` computes what the standards print."""
    wrong = [title for title, good in _results(provider).items() if not good]
    if wrong:
        raise ProviderUnavailable(f"密码实现 {provider.name} 算错了标准样例：{'、'.join(wrong)}")


def _results(provider: Provider) -> dict[str, bool]:
    return {
        "SM3": provider.sm3(SM3_INPUT) == SM3_OUTPUT,
        "SM4": provider.sm4_block(SM4_KEY, SM4_KEY) == SM4_OUTPUT,
        "SM2 公钥": provider.sm2_public_key(SM2_PRIVATE) == SM2_PUBLIC,
        "SM2 验签": provider.sm2_verify(SM2_PUBLIC, SM2_MESSAGE, SM2_SIGNATURE, DISTID),
        "SM2 拒绝": not provider.sm2_verify(SM2_PUBLIC, SM2_MESSAGE + b"!", SM2_SIGNATURE, DISTID),
    }
