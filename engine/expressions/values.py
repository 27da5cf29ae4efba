"""The values of FEEL that Python has no type for, and the kind of any value.

number Decimal (int and float are accepted) · string str · boolean bool · null None · list list · context dict
date, time, date and time: those of ``datetime`` where they fit, else ``WideDate``, ``WideTime``, ``WideDateTime``
days and time duration: timedelta where it fits, else ``WideDuration`` · years and months duration: YearMonthDuration
range Range · function Function
"""
from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

NUMBERS = Context(
    prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144, capitals=1, clamp=0,
    flags=[], traps=[InvalidOperation, DivisionByZero, Overflow],
)


@dataclass(frozen=True, slots=True)
class YearMonthDuration:
    """A years and months duration, in months; may be negative."""

    total: int

    @property
    def years(self) -> int:
        return abs(self.total) // 12 * (-1 if self.total < 0 else 1)

    @property
    def months(self) -> int:
        return abs(self.total) % 12 * (-1 if self.total < 0 else 1)

    def __str__(self) -> str:
        years, months = divmod(abs(self.total), 12)
        parts = (f"{years}Y" if years else "") + (f"{months}M" if months else "")
        return f"{'-' if self.total < 0 else ''}P{parts or '0M'}"


@dataclass(frozen=True, slots=True)
class WideDate:
    """A date whose year ``datetime.date`` can't hold."""

    year: int
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class WideTime:
    """A time with a fraction below the microsecond; ``nanos`` since midnight."""

    nanos: int
    tzinfo: dt.tzinfo | None = None


@dataclass(frozen=True, slots=True)
class WideDateTime:
    """A date and time whose year or fraction ``datetime.datetime`` can't hold; ``days`` since 1970-01-01."""

    days: int
    nanos: int
    tzinfo: dt.tzinfo | None = None


@dataclass(frozen=True, slots=True)
class WideDuration:
    """A days and time duration beyond ``timedelta``, in nanoseconds."""

    nanos: int


@dataclass(frozen=True, slots=True)
class Range:
    """``[start..end]``; an end of None with ``operator`` set is open (``(>= 5)``), ``operator`` is "" for two written ends."""

    start: Any
    end: Any
    start_included: bool
    end_included: bool
    operator: str = ""


@dataclass(frozen=True, eq=False)
class Function:
    """A function of FEEL. ``call`` takes positional arguments; ``parameters`` are their names, in order.

    Context values of this type extend the language: ``Function(("node",), visited)``. ``call`` may raise Problem.
    """

    parameters: tuple[str, ...]
    call: Callable[..., Any]
    name: str = ""
    types: tuple[Any, ...] | None = None
    result: Any = None
    builtin: Any = field(default=None, repr=False)


_KINDS: dict[type, str] = {
    Decimal: "number", int: "number", float: "number", str: "string", bool: "boolean", type(None): "null",
    list: "list", tuple: "list", dict: "context",
    dt.date: "date", WideDate: "date", dt.time: "time", WideTime: "time",
    dt.datetime: "date and time", WideDateTime: "date and time",
    dt.timedelta: "days and time duration", WideDuration: "days and time duration",
    YearMonthDuration: "years and months duration", Range: "range", Function: "function",
}

KIND_TITLES = {
    "number": "数字", "string": "文本", "boolean": "是/否", "null": "空", "list": "列表", "context": "上下文", "date": "日期",
    "time": "时刻", "date and time": "日期时间", "days and time duration": "天时分秒时长", "years and months duration": "年月时长",
    "range": "区间", "function": "函数", "other": "其他对象",
}


def kind_of(value: Any) -> str:
    """The FEEL type's name of a value; "other" for a Python object that is no value of FEEL."""
    kind = _KINDS.get(type(value))
    return kind if kind is not None else _kind_by_base(value)


def _kind_by_base(value: Any) -> str:
    for base in type(value).__mro__[1:]:
        if base in _KINDS and base is not type(None):
            return _KINDS[base]
    if isinstance(value, Mapping):
        return "context"
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return "list"
    return "other"


def title_of(value: Any) -> str:
    """The kind of a value as a Chinese word, for messages."""
    return KIND_TITLES[kind_of(value)]
