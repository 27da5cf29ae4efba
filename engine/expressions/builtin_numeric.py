"""Numeric functions and rounding."""
from __future__ import annotations

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
    DecimalException,
)
from typing import Any

from engine.expressions.arithmetic import negate
from engine.expressions.builtins import builtin
from engine.expressions.errors import Problem
from engine.expressions.numbers import as_integer
from engine.expressions.temporal import duration_nanos
from engine.expressions.values import NUMBERS, YearMonthDuration, kind_of


def rounded(value: Decimal, scale: Decimal | None, rounding: str) -> Decimal:
    """``value`` with ``scale`` digits after the point."""
    digits = 0 if scale is None else as_integer(scale)
    if not -6111 <= digits <= 6176:
        raise Problem("小数位数超出范围")
    if -value.as_tuple().exponent <= digits:  # type: ignore[operator]
        return value
    try:
        result = value.quantize(Decimal(1).scaleb(-digits), rounding=rounding, context=NUMBERS)
    except DecimalException:
        raise Problem("取整结果超出范围") from None
    return result if result else Decimal(0)


@builtin("decimal", "n:number, scale:number")
def decimal(value: Decimal, scale: Decimal) -> Decimal:
    return rounded(value, scale, ROUND_HALF_EVEN)


@builtin("floor", "n:number", "n:number, scale:number")
def floor(value: Decimal, scale: Decimal | None = None) -> Decimal:
    return rounded(value, scale, ROUND_FLOOR)


@builtin("ceiling", "n:number", "n:number, scale:number")
def ceiling(value: Decimal, scale: Decimal | None = None) -> Decimal:
    return rounded(value, scale, ROUND_CEILING)


@builtin("round up", "n:number, scale:number")
def round_up(value: Decimal, scale: Decimal) -> Decimal:
    return rounded(value, scale, ROUND_UP)


@builtin("round down", "n:number, scale:number")
def round_down(value: Decimal, scale: Decimal) -> Decimal:
    return rounded(value, scale, ROUND_DOWN)


@builtin("round half up", "n:number, scale:number")
def round_half_up(value: Decimal, scale: Decimal) -> Decimal:
    return rounded(value, scale, ROUND_HALF_UP)


@builtin("round half down", "n:number, scale:number")
def round_half_down(value: Decimal, scale: Decimal) -> Decimal:
    return rounded(value, scale, ROUND_HALF_DOWN)


@builtin("abs", "n:number")
def absolute(value: Decimal) -> Decimal:
    return abs(value)


@builtin("abs", "n:duration")
def absolute_duration(value: Any) -> Any:
    if isinstance(value, YearMonthDuration):
        return YearMonthDuration(abs(value.total))
    if kind_of(value) == "days and time duration":
        return negate(value) if duration_nanos(value) < 0 else value
    raise Problem("只有数字和时长有绝对值")


@builtin("modulo", "dividend:number, divisor:number")
def modulo(dividend: Decimal, divisor: Decimal) -> Decimal:
    if not divisor:
        raise Problem("除数为零")
    try:
        rest = NUMBERS.remainder(dividend, divisor)
    except DecimalException:
        raise Problem("取余结果超出范围") from None
    return NUMBERS.add(rest, divisor) if rest and (rest < 0) != (divisor < 0) else rest


@builtin("sqrt", "number:number")
def sqrt(value: Decimal) -> Decimal:
    if value < 0:
        raise Problem("负数没有平方根")
    return NUMBERS.sqrt(value)


@builtin("log", "number:number")
def log(value: Decimal) -> Decimal:
    if value <= 0:
        raise Problem("只有正数有对数")
    return NUMBERS.ln(value)


@builtin("exp", "number:number")
def exp(value: Decimal) -> Decimal:
    try:
        return NUMBERS.exp(value)
    except DecimalException:
        raise Problem("计算结果超出范围") from None


@builtin("odd", "number:number")
def odd(value: Decimal) -> bool:
    return _parity(value) == 1


@builtin("even", "number:number")
def even(value: Decimal) -> bool:
    return _parity(value) == 0


def _parity(value: Decimal) -> int | None:
    if value != value.to_integral_value():
        return None
    return abs(as_integer(value)) % 2
