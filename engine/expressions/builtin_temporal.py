"""Calendar functions, ``now``, ``today`` and ``is``."""
from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from engine.expressions.builtins import builtin
from engine.expressions.compare import same
from engine.expressions.errors import Problem
from engine.expressions.scopes import Scope
from engine.expressions.temporal import civil_of, date_days, day_nanos, days_of
from engine.expressions.temporal_text import zone_text
from engine.expressions.values import kind_of
from engine.kernel.clock import SHANGHAI, Clock

AT = "@now"
"""Key of the context (no FEEL name) under which a caller gives the present instant, a timezone-aware datetime."""

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


def _instant(scope: Scope) -> dt.datetime:
    given = scope.get(AT)
    if given is None:
        return Clock().now().astimezone(SHANGHAI)
    if not isinstance(given, dt.datetime) or given.tzinfo is None:
        raise Problem("当前时间应带时区")
    return given.astimezone(SHANGHAI)


@builtin("now", "scope:any", scope=True)
def now(scope: Scope) -> dt.datetime:
    """The present in Asia/Shanghai; the caller may give it under ``AT``."""
    return _instant(scope)


@builtin("today", "scope:any", scope=True)
def today(scope: Scope) -> dt.date:
    return _instant(scope).date()


@builtin("day of week", "date:moment")
def day_of_week(value: Any) -> str:
    return _WEEKDAYS[(date_days(value) + 3) % 7]


@builtin("month of year", "date:moment")
def month_of_year(value: Any) -> str:
    return _MONTHS[civil_of(date_days(value))[1] - 1]


@builtin("day of year", "date:moment")
def day_of_year(value: Any) -> Decimal:
    days = date_days(value)
    return Decimal(days - days_of(civil_of(days)[0], 1, 1) + 1)


@builtin("week of year", "date:moment")
def week_of_year(value: Any) -> Decimal:
    """The ISO 8601 week."""
    days = date_days(value)
    thursday = days - (days + 3) % 7 + 3
    year = civil_of(thursday)[0]
    return Decimal((thursday - days_of(year, 1, 1)) // 7 + 1)


@builtin("is", "value1:any?, value2:any?")
def identical(left: Any, right: Any) -> bool:
    """The same value in the same form: two instants written in different zones differ."""
    kind = kind_of(left)
    if kind != kind_of(right):
        return False
    if kind in ("time", "date and time"):
        dates = kind == "time" or date_days(left) == date_days(right)
        return dates and day_nanos(left) == day_nanos(right) and zone_text(left) == zone_text(right)
    return same(left, right)
