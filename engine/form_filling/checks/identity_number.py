"""公民身份号码 (GB 11643-1999): six digits of place, eight of birth date, three of sequence, one check character."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_SHAPE = re.compile(r"[0-9]{17}[0-9X]\Z")
_PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83 91".split()
)


@dataclass(frozen=True)
class IdentityNumber:
    """A number that holds; ``sex`` is 男 or 女 (odd or even 17th digit), ``birth_date`` what digits 7 to 14 say."""

    number: str
    birth_date: date
    sex: str


def fold(text: str) -> str:
    """``text`` with full-width characters narrowed, blanks and dashes removed, letters upper-case."""
    return re.sub(r"[\s\-·]", "", unicodedata.normalize("NFKC", text)).upper()


def check_character(first17: str) -> str:
    """The 18th character that belongs to these 17 digits."""
    return _CHECK[sum(int(digit) * weight for digit, weight in zip(first17, _WEIGHTS, strict=True)) % 11]


def check(text: str, *, today: date) -> IdentityNumber:
    """The number taken apart; raises ValueError whose message tells in Chinese how to put it right."""
    number = fold(text)
    if len(number) == 15 and number.isdigit():
        raise ValueError("这是 15 位旧号，请填身份证上的 18 位号码。")
    if len(number) != 18:
        raise ValueError(f"身份证号应是 18 位，填了 {len(number)} 位。请对照证件原件重填。")
    if not _SHAPE.match(number):
        raise ValueError("身份证号前 17 位只能是数字，末位是数字或 X。请对照证件原件重填。")
    if number[:2] not in _PROVINCES:
        raise ValueError(f"身份证号前两位“{number[:2]}”不是省级地区代码。请对照证件原件重填。")
    born = _birth_date(number, today)
    expected = check_character(number[:17])
    if number[17] != expected:
        raise ValueError(f"第 18 位应是 {expected}，填的是 {number[17]}。请对照证件原件重填。")
    return IdentityNumber(number=number, birth_date=born, sex="男" if int(number[16]) % 2 else "女")


def _birth_date(number: str, today: date) -> date:
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise ValueError(f"第 7 至 14 位“{number[6:14]}”不是日期。请对照证件原件重填。") from None
    if not date(1850, 1, 1) <= born <= today:
        raise ValueError(f"第 7 至 14 位的出生日期 {born.isoformat()} 不合常理。请对照证件原件重填。")
    return born
