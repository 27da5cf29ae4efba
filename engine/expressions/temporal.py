"""Dates, times and durations as whole numbers: one arithmetic for Python's types and the wide ones."""
from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from engine.expressions.errors import Problem
from engine.expressions.values import WideDate, WideDateTime, WideDuration, WideTime, YearMonthDuration

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
MAX_YEAR = 999_999_999
_EPOCH = dt.date(1970, 1, 1).toordinal()
_MAX_DURATION = 999_999_999 * 366 * DAY


def days_of(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar; raises Problem when there is no such day."""
    if not (-MAX_YEAR <= year <= MAX_YEAR and 1 <= month <= 12 and 1 <= day <= days_in_month(year, month)):
        raise Problem("没有这样的日期")
    y = year - (month <= 2)
    era, of_era = divmod(y, 400)
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def civil_of(days: int) -> tuple[int, int, int]:
    """Year, month and day of a number of days since 1970-01-01."""
    era, of_era = divmod(days + 719_468, 146_097)
    y = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * y + y // 4 - y // 100)
    m = (5 * of_year + 2) // 153
    month = m + 3 if m < 10 else m - 9
    return y + era * 400 + (month <= 2), month, of_year - (153 * m + 2) // 5 + 1


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    return 29 if month == 2 and is_leap(year) else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]


def make_date(days: int) -> dt.date | WideDate:
    year, month, day = civil_of(days)
    if 1 <= year <= 9999:
        return dt.date(year, month, day)
    if abs(year) > MAX_YEAR:
        raise Problem("日期超出范围")
    return WideDate(year, month, day)


def make_time(nanos: int, zone: dt.tzinfo | None) -> dt.time | WideTime:
    if nanos % 1000:
        return WideTime(nanos, zone)
    seconds, rest = divmod(nanos, SECOND)
    return dt.time(seconds // 3600, seconds // 60 % 60, seconds % 60, rest // 1000, zone)


def make_datetime(days: int, nanos: int, zone: dt.tzinfo | None) -> dt.datetime | WideDateTime:
    year, month, day = civil_of(days)
    if abs(year) > MAX_YEAR:
        raise Problem("日期超出范围")
    if not 1 <= year <= 9999 or nanos % 1000:
        return WideDateTime(days, nanos, zone)
    seconds, rest = divmod(nanos, SECOND)
    return dt.datetime(year, month, day, seconds // 3600, seconds // 60 % 60, seconds % 60, rest // 1000, zone)


def make_duration(nanos: int) -> dt.timedelta | WideDuration:
    if abs(nanos) > _MAX_DURATION:
        raise Problem("时长超出范围")
    if nanos % 1000 or abs(nanos) >= 999_999_999 * DAY:
        return WideDuration(nanos)
    return dt.timedelta(microseconds=nanos // 1000)


def date_days(value: Any) -> int:
    """Days since 1970-01-01 of a date, or of the date in a date and time."""
    if isinstance(value, dt.date):
        return value.toordinal() - _EPOCH
    if isinstance(value, WideDateTime):
        return value.days
    return days_of(value.year, value.month, value.day)


def day_nanos(value: Any) -> int:
    """Nanoseconds since midnight of a time, or of the time in a date and time; 0 for a date."""
    if isinstance(value, (WideTime, WideDateTime)):
        return value.nanos
    if isinstance(value, (dt.time, dt.datetime)):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * SECOND + value.microsecond * 1000
    return 0


def duration_nanos(value: Any) -> int:
    if isinstance(value, WideDuration):
        return value.nanos
    return ((value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds) * 1000


def offset_nanos(value: Any) -> int | None:
    """The offset from UTC of a time or a date and time; None without a zone."""
    zone = value.tzinfo
    if zone is None:
        return None
    if isinstance(zone, ZoneInfo):
        year = civil_of(date_days(value))[0] if not isinstance(value, (dt.time, WideTime)) else 1970
        at = _near(value, year)
    else:
        at = dt.datetime(2000, 1, 1)  # noqa: DTZ001
    offset = zone.utcoffset(at)
    return None if offset is None else duration_nanos(offset)


def _near(value: Any, year: int) -> dt.datetime:
    seconds = day_nanos(value) // SECOND
    clock = (seconds // 3600, seconds // 60 % 60, seconds % 60)
    if isinstance(value, (dt.time, WideTime)):
        return dt.datetime(1970, 1, 1, *clock)  # noqa: DTZ001  (wall clock, asked of a zone)
    _, month, day = civil_of(date_days(value))
    if not 2 <= year <= 9998:
        year = 2000 + year % 400
    return dt.datetime(year, month, day, *clock)  # noqa: DTZ001


def instant(value: Any) -> tuple[bool, int]:
    """Whether a date and time has a zone, and its nanoseconds since 1970-01-01 (UTC when it has one)."""
    local = date_days(value) * DAY + day_nanos(value)
    offset = offset_nanos(value)
    return (False, local) if offset is None else (True, local - offset)


def time_instant(value: Any) -> tuple[bool, int]:
    """Whether a time has a zone, and its nanoseconds since midnight (UTC when it has one)."""
    offset = offset_nanos(value)
    return (False, day_nanos(value)) if offset is None else (True, day_nanos(value) - offset)


def shift_date(value: Any, nanos: int) -> Any:
    """A date plus a days and time duration: whole days only."""
    return make_date((date_days(value) * DAY + nanos) // DAY)


def shift_datetime(value: Any, nanos: int) -> Any:
    days, rest = divmod(date_days(value) * DAY + day_nanos(value) + nanos, DAY)
    return make_datetime(days, rest, value.tzinfo)


def shift_time(value: Any, nanos: int) -> Any:
    return make_time((day_nanos(value) + nanos) % DAY, value.tzinfo)


def shift_months(days: int, months: int) -> int:
    """Days since 1970-01-01 moved by months; the day is cut to the month's last."""
    year, month, day = civil_of(days)
    year, month = divmod(year * 12 + month - 1 + months, 12)
    if abs(year) > MAX_YEAR:
        raise Problem("日期超出范围")
    return days_of(year, month + 1, min(day, days_in_month(year, month + 1)))


def months_between(start: Any, end: Any) -> YearMonthDuration:
    """Whole months from one date to another, by the calendar day; negative when ``end`` is earlier."""
    first, last = date_days(start), date_days(end)
    if last < first:
        return YearMonthDuration(-_whole_months(last, first))
    return YearMonthDuration(_whole_months(first, last))


def _whole_months(first: int, last: int) -> int:
    y1, m1, d1 = civil_of(first)
    y2, m2, d2 = civil_of(last)
    return (y2 - y1) * 12 + m2 - m1 - (d2 < d1)
