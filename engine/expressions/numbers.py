"""Numbers: 34 decimal digits, half-even, as DMN says."""
from __future__ import annotations

from decimal import Decimal, DecimalException
from typing import Any

from engine.expressions.errors import Problem
from engine.expressions.values import NUMBERS, title_of

_SMALL = 10**30


def as_number(value: Any) -> Decimal:
    """The value as a Decimal; raises Problem when it is none."""
    kind = type(value)
    if kind is Decimal:
        if not value.is_finite():
            raise Problem("不是有限的数字")
        if not -6200 < value.adjusted() < 6200:
            raise Problem("数字超出范围")
        return value
    if kind is int and -_SMALL < value < _SMALL:
        return Decimal(value)
    if kind is bool or not isinstance(value, (int, float, Decimal)):
        raise Problem(f"需要数字，得到{title_of(value)}")
    return from_python(value)


def from_python(value: int | float | Decimal) -> Decimal:
    """A Python number, rounded to 34 digits."""
    if isinstance(value, int) and value.bit_length() > 22_000:
        raise Problem("数字太大")
    try:
        number = NUMBERS.create_decimal(repr(value) if isinstance(value, float) else value)
    except DecimalException:
        raise Problem("数字超出范围") from None
    if not number.is_finite():
        raise Problem("不是有限的数字")
    return number


def as_integer(value: Any) -> int:
    """The value cut to an integer, for positions and counts."""
    number = as_number(value)
    if abs(number) > 10**18:
        raise Problem("整数太大")
    return int(number)


def text_of(number: Decimal) -> str:
    """A number as FEEL writes it: no exponent, no trailing zeros of an integer's exponent."""
    if not number:
        return "0"
    return format(number, "f")
