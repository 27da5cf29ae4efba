"""统一社会信用代码 (GB 32100-2015): eighteen characters without I, O, S, V, Z; the last one is a check modulo 31."""

from __future__ import annotations

from engine.form_filling.checks.identity_number import fold

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_WEIGHTS = tuple(3**place % 31 for place in range(17))


def check_character(first17: str) -> str:
    """The 18th character that belongs to these 17."""
    total = sum(_VALUES[character] * weight for character, weight in zip(first17, _WEIGHTS, strict=True))
    return ALPHABET[(31 - total % 31) % 31]


def check(text: str) -> str:
    """The folded code; raises ValueError whose message tells in Chinese how to put it right."""
    code = fold(text)
    if len(code) != 18:
        raise ValueError(f"统一社会信用代码应是 18 位，填了 {len(code)} 位。请对照执照重填。")
    wrong = [(place, character) for place, character in enumerate(code, 1) if character not in _VALUES]
    if wrong:
        place, character = wrong[0]
        raise ValueError(f"第 {place} 位“{character}”不会出现在信用代码里（没有 I、O、S、V、Z）。请对照执照重填。")
    if not code[2:8].isdigit():
        raise ValueError("第 3 至 8 位是登记机关的行政区划码，只能是数字。请对照执照重填。")
    expected = check_character(code[:17])
    if code[17] != expected:
        raise ValueError(f"第 18 位应是 {expected}，填的是 {code[17]}。请对照执照重填。")
    return code


def is_individual_business(code: str) -> bool:
    """True when the first two characters say 个体工商户 (市场监管 9, category 2)."""
    return code.startswith("92")
