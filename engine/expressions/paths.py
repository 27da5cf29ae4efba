"""``value.name``: entries of contexts and the named properties of moments, durations and ranges; never an attribute of a Python object."""
from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from engine.expressions.errors import Problem
from engine.expressions.temporal import DAY, SECOND, civil_of, date_days, day_nanos, duration_nanos, make_duration, offset_nanos
from engine.expressions.values import kind_of, title_of


def _civil(index: int) -> Callable[[Any], Any]:
    return lambda value: Decimal(civil_of(date_days(value))[index])


def _clock(unit: int, modulus: int) -> Callable[[Any], Any]:
    return lambda value: Decimal(day_nanos(value) // SECOND // unit % modulus)


def _part(unit: int, modulus: int) -> Callable[[Any], Any]:
    def part(value: Any) -> Decimal:
        nanos = duration_nanos(value)
        return Decimal((-1 if nanos < 0 else 1) * (abs(nanos) // unit % modulus))
    return part


def _offset(value: Any) -> Any:
    offset = offset_nanos(value)
    return None if offset is None else make_duration(offset)


def _timezone(value: Any) -> str | None:
    return value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) else None


_DATE: dict[str, Callable[[Any], Any]] = {
    "year": _civil(0), "month": _civil(1), "day": _civil(2), "weekday": lambda value: Decimal((date_days(value) + 3) % 7 + 1),
}
_TIME: dict[str, Callable[[Any], Any]] = {
    "hour": _clock(3600, 24), "minute": _clock(60, 60), "second": _clock(1, 60), "time offset": _offset, "timezone": _timezone,
}
_PROPERTIES: dict[str, dict[str, Callable[[Any], Any]]] = {
    "date": _DATE, "time": _TIME, "date and time": {**_DATE, **_TIME},
    "days and time duration": {
        "days": _part(DAY, 10**12), "hours": _part(3600 * SECOND, 24), "minutes": _part(60 * SECOND, 60), "seconds": _part(SECOND, 60),
    },
    "years and months duration": {"years": lambda v: Decimal(v.years), "months": lambda v: Decimal(v.months)},
    "range": {
        "start": lambda v: None if v.operator == "!=" else v.start, "end": lambda v: None if v.operator == "!=" else v.end,
        "start included": lambda v: v.start_included, "end included": lambda v: v.end_included,
    },
}


def property_of(value: Any, name: str) -> Any:
    """The entry or property; raises Problem when the value has none of that name."""
    kind = kind_of(value)
    if kind == "context":
        if name in value:
            return value[name]
        raise Problem(f"没有“{name}”这一项")
    if kind == "list":
        return [_of_item(item, name) for item in value]
    if value is None:
        return None
    properties = _PROPERTIES.get(kind, {})
    if name not in properties:
        raise Problem(f"{title_of(value)}没有“{name}”")
    return properties[name](value)


def _of_item(item: Any, name: str) -> Any:
    try:
        return property_of(item, name)
    except Problem:
        return None
