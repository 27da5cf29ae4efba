"""Amounts in 元: read what people type, keep ``"123.40"``, write thousands and 大写.

大写 follows 《会计基础工作规范》第五十二条 and 《正确填写票据和结算凭证的基本规定》: one 零 for a run of zeros inside the
number, 整 after 元 or 角, 零 after 元 where 角 is zero and 分 is not.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation

LIMIT = Decimal("9999999999999999.99")
_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_SECTIONS = ("", "万", "亿", "万亿")
_CENT = Decimal("0.01")
_SHAPE = re.compile(r"-?[0-9]+(?:\.[0-9]+)?\Z")


def parse(text: str | int | float | Decimal) -> Decimal:
    """The amount with two decimals, from text such as ``￥1,234.5 元`` or ``1.2万``; raises ValueError in Chinese."""
    folded = re.sub(r"[\s,，¥￥元]", "", unicodedata.normalize("NFKC", str(text)))
    factor = Decimal(10_000) if folded.endswith("万") else Decimal(1)
    folded = folded.removesuffix("万")
    if not _SHAPE.match(folded):
        raise ValueError("金额只写数字，如 1234.50。")
    try:
        amount = Decimal(folded) * factor
    except InvalidOperation:
        raise ValueError("金额只写数字，如 1234.50。") from None
    if amount.copy_abs() > LIMIT:
        raise ValueError("金额太大，最多到万亿。请核对小数点和单位。")
    if amount != amount.quantize(_CENT):
        raise ValueError("金额最多两位小数（到分）。")
    return amount.quantize(_CENT)


def normal(amount: Decimal) -> str:
    """The form in JSON: ``"123.40"``."""
    return f"{amount.quantize(_CENT):f}"


def grouped(amount: Decimal) -> str:
    """The form people read: ``1,234.50``."""
    return f"{amount.quantize(_CENT):,f}"


def capital(amount: Decimal, *, currency: str = "人民币") -> str:
    """The amount in 大写, e.g. ``人民币壹仟肆佰零玖元伍角整``; raises ValueError above 万亿."""
    if amount.copy_abs() > LIMIT:
        raise ValueError("金额太大，最多到万亿。")
    cents = int((amount.copy_abs() * 100).to_integral_value())
    yuan, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    words = f"{_integer(yuan)}元" if yuan else ""
    if jiao:
        words += f"{_DIGITS[jiao]}角"
    elif fen and yuan:
        words += "零"
    words += f"{_DIGITS[fen]}分" if fen else "整"
    words = words if cents else "零元整"
    return f"{currency}{'负' if amount < 0 and cents else ''}{words}"


def _integer(value: int) -> str:
    """A positive whole number below 10**16 in 大写, section by section of four digits."""
    words, gap = "", False
    for section in range(3, -1, -1):
        part = value // 10_000**section % 10_000
        if not part:
            gap = bool(words)
            continue
        if words and (gap or part < 1000):
            words += "零"
        words, gap = words + _section(part) + _unit(section, value), False
    return words


def _unit(section: int, value: int) -> str:
    """万亿 loses its 亿 where the 亿 section below it speaks: 壹万零伍亿, but 壹万亿."""
    return "万" if section == 3 and value // 10_000**2 % 10_000 else _SECTIONS[section]


def _section(part: int) -> str:
    words, zero = "", False
    for place in range(3, -1, -1):
        digit = part // 10**place % 10
        if digit:
            words += ("零" if zero and words else "") + _DIGITS[digit] + _PLACES[place]
            zero = False
        else:
            zero = True
    return words
