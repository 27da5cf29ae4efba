"""``+ - * / **`` over numbers, strings, moments and durations; raises Problem where DMN says null."""
from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, DecimalException
from fractions import Fraction
from typing import Any

from engine.expressions.errors import LimitReached, Problem
from engine.expressions.limits import MAX_STRING
from engine.expressions.numbers import as_number
from engine.expressions.temporal import (
    DAY,
    date_days,
    day_nanos,
    duration_nanos,
    instant,
    make_date,
    make_datetime,
    make_duration,
    shift_date,
    shift_datetime,
    shift_months,
    shift_time,
    time_instant,
)
from engine.expressions.values import NUMBERS, YearMonthDuration, kind_of, title_of

_N, _S, _D, _T, _DT = "number", "string", "date", "time", "date and time"
_DTD, _YMD = "days and time duration", "years and months duration"
Operation = Callable[[Any, Any], Any]


def _numbers(method: Callable[[Decimal, Decimal], Decimal]) -> Operation:
    def run(left: Any, right: Any) -> Any:
        try:
            return method(as_number(left), as_number(right))
        except DecimalException:
            raise Problem("计算结果超出范围") from None
    return run


def _join(left: str, right: str) -> str:
    if len(left) + len(right) > MAX_STRING:
        raise LimitReached(f"文本超过 {MAX_STRING} 个字符")
    return left + right


def _months_on(value: Any, months: int) -> Any:
    days = shift_months(date_days(value), months)
    return make_date(days) if kind_of(value) == _D else make_datetime(days, day_nanos(value), value.tzinfo)


def _scaled(nanos: int, factor: Decimal) -> Any:
    return make_duration(int(Fraction(nanos) * Fraction(factor)))


def _scaled_months(months: int, factor: Decimal) -> YearMonthDuration:
    total = int(Fraction(months) * Fraction(factor))
    if abs(total) > 12 * 10**12:
        raise Problem("时长超出范围")
    return YearMonthDuration(total)


def _moments_apart(left: Any, right: Any) -> Any:
    a, b = _moment(left), _moment(right)
    if a[0] != b[0]:
        raise Problem("有时区与没有时区的日期时间不能相减")
    return make_duration(a[1] - b[1])


def _moment(value: Any) -> tuple[bool, int]:
    return (True, date_days(value) * DAY) if kind_of(value) == _D else instant(value)


def _times_apart(left: Any, right: Any) -> Any:
    a, b = time_instant(left), time_instant(right)
    if a[0] != b[0]:
        raise Problem("有时区与没有时区的时刻不能相减")
    return make_duration(a[1] - b[1])


def _ratio(left: int, right: int) -> Decimal:
    if not right:
        raise Problem("除数为零")
    return NUMBERS.divide(NUMBERS.create_decimal(left), NUMBERS.create_decimal(right))


def _inverse(divisor: Any) -> Fraction:
    number = as_number(divisor)
    if not number:
        raise Problem("除数为零")
    return 1 / Fraction(number)


def _divided_months(left: YearMonthDuration, right: Any) -> YearMonthDuration:
    return YearMonthDuration(int(left.total * _inverse(right)))


def _divide(left: Any, right: Any) -> Any:
    if not right:
        raise Problem("除数为零")
    return NUMBERS.divide(left, right)


def _power(left: Decimal, right: Decimal) -> Decimal:
    if abs(right) > 1_000_000:
        raise Problem("指数太大")
    return NUMBERS.power(left, right)


_ADD: dict[tuple[str, str], Operation] = {
    (_N, _N): _numbers(NUMBERS.add), (_S, _S): _join,
    (_DTD, _DTD): lambda a, b: make_duration(duration_nanos(a) + duration_nanos(b)),
    (_YMD, _YMD): lambda a, b: YearMonthDuration(a.total + b.total),
    (_D, _DTD): lambda a, b: shift_date(a, duration_nanos(b)), (_DTD, _D): lambda a, b: shift_date(b, duration_nanos(a)),
    (_DT, _DTD): lambda a, b: shift_datetime(a, duration_nanos(b)), (_DTD, _DT): lambda a, b: shift_datetime(b, duration_nanos(a)),
    (_T, _DTD): lambda a, b: shift_time(a, duration_nanos(b)), (_DTD, _T): lambda a, b: shift_time(b, duration_nanos(a)),
    (_D, _YMD): lambda a, b: _months_on(a, b.total), (_YMD, _D): lambda a, b: _months_on(b, a.total),
    (_DT, _YMD): lambda a, b: _months_on(a, b.total), (_YMD, _DT): lambda a, b: _months_on(b, a.total),
}
_SUBTRACT: dict[tuple[str, str], Operation] = {
    (_N, _N): _numbers(NUMBERS.subtract),
    (_DTD, _DTD): lambda a, b: make_duration(duration_nanos(a) - duration_nanos(b)),
    (_YMD, _YMD): lambda a, b: YearMonthDuration(a.total - b.total),
    (_D, _DTD): lambda a, b: shift_date(a, -duration_nanos(b)), (_DT, _DTD): lambda a, b: shift_datetime(a, -duration_nanos(b)),
    (_T, _DTD): lambda a, b: shift_time(a, -duration_nanos(b)),
    (_D, _YMD): lambda a, b: _months_on(a, -b.total), (_DT, _YMD): lambda a, b: _months_on(a, -b.total),
    (_D, _D): _moments_apart, (_DT, _DT): _moments_apart, (_D, _DT): _moments_apart, (_DT, _D): _moments_apart, (_T, _T): _times_apart,
}
_MULTIPLY: dict[tuple[str, str], Operation] = {
    (_N, _N): _numbers(NUMBERS.multiply),
    (_N, _DTD): lambda a, b: _scaled(duration_nanos(b), as_number(a)), (_DTD, _N): lambda a, b: _scaled(duration_nanos(a), as_number(b)),
    (_N, _YMD): lambda a, b: _scaled_months(b.total, as_number(a)), (_YMD, _N): lambda a, b: _scaled_months(a.total, as_number(b)),
}
_DIVIDE: dict[tuple[str, str], Operation] = {
    (_N, _N): _numbers(_divide),
    (_DTD, _N): lambda a, b: make_duration(int(duration_nanos(a) * _inverse(b))), (_YMD, _N): _divided_months,
    (_DTD, _DTD): lambda a, b: _ratio(duration_nanos(a), duration_nanos(b)), (_YMD, _YMD): lambda a, b: _ratio(a.total, b.total),
}
_POWER: dict[tuple[str, str], Operation] = {(_N, _N): _numbers(_power)}
_WORDS = {"+": "相加", "-": "相减", "*": "相乘", "/": "相除", "**": "乘方"}


def _operator(sign: str, table: dict[tuple[str, str], Operation]) -> Operation:
    def run(left: Any, right: Any) -> Any:
        if left is None or right is None:
            return None
        operation = table.get((kind_of(left), kind_of(right)))
        if operation is None:
            raise Problem(f"{title_of(left)}与{title_of(right)}不能{_WORDS[sign]}")
        return operation(left, right)
    return run


OPERATORS: dict[str, Operation] = {
    "+": _operator("+", _ADD), "-": _operator("-", _SUBTRACT), "*": _operator("*", _MULTIPLY), "/": _operator("/", _DIVIDE),
    "**": _operator("**", _POWER),
}
NUMBER_METHODS: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": NUMBERS.add, "-": NUMBERS.subtract, "*": NUMBERS.multiply,
}


def negate(value: Any) -> Any:
    """Unary minus of a number or a duration."""
    kind = kind_of(value)
    if kind == _N:
        return NUMBERS.minus(as_number(value))
    if kind == _DTD:
        return make_duration(-duration_nanos(value))
    if kind == _YMD:
        return YearMonthDuration(-value.total)
    if value is None:
        return None
    raise Problem(f"{title_of(value)}没有相反数")
