"""Dates, times and durations from and to the text of XML Schema and ISO 8601, as FEEL writes them."""
from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from engine.expressions.errors import Problem
from engine.expressions.temporal import (
    DAY,
    SECOND,
    civil_of,
    date_days,
    day_nanos,
    days_of,
    duration_nanos,
    make_date,
    make_datetime,
    make_duration,
    make_time,
    offset_nanos,
)
from engine.expressions.values import YearMonthDuration, kind_of

_DATE = r"(-?(?:[1-9]\d{4,8}|\d{4}))-(\d{2})-(\d{2})"
_ZONE = r"(Z|[+-]\d{2}:\d{2}(?::\d{2})?|@[A-Za-z_]+(?:[/+-][A-Za-z0-9_+-]+)*)?"
_TIME = r"(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,30}))?" + _ZONE
_DATE_ONLY = re.compile(_DATE + r"\Z", re.ASCII)
_TIME_ONLY = re.compile("T?" + _TIME + r"\Z", re.ASCII)
_DATE_TIME = re.compile(_DATE + "T" + _TIME + r"\Z", re.ASCII)
_MONTHS = re.compile(r"(-)?P(?:(\d{1,12})Y)?(?:(\d{1,12})M)?\Z", re.ASCII)
_DAYS = re.compile(r"(-)?P(?:(\d{1,15})D)?(?:T(?:(\d{1,15})H)?(?:(\d{1,15})M)?(?:(\d{1,15})(?:\.(\d{0,30}))?S)?)?\Z", re.ASCII)


def parse_date(text: str) -> Any:
    match = _DATE_ONLY.match(text)
    if not match:
        raise Problem(f"不是日期：{text[:40]}")
    return make_date(days_of(int(match[1]), int(match[2]), int(match[3])))


def parse_time(text: str) -> Any:
    match = _TIME_ONLY.match(text)
    if not match:
        raise Problem(f"不是时刻：{text[:40]}")
    nanos = _clock(match.groups()[:4])
    return make_time(nanos % DAY, zone_of(match[5]))


def parse_datetime(text: str) -> Any:
    match = _DATE_TIME.match(text)
    if not match:
        if _DATE_ONLY.match(text):
            return make_datetime(date_days(parse_date(text)), 0, None)
        raise Problem(f"不是日期时间：{text[:40]}")
    days = days_of(int(match[1]), int(match[2]), int(match[3]))
    nanos = _clock(match.groups()[3:7])
    return make_datetime(days + nanos // DAY, nanos % DAY, zone_of(match[8]))


def parse_duration(text: str) -> Any:
    months = _MONTHS.match(text)
    if months and (months[2] or months[3]):
        total = int(months[2] or 0) * 12 + int(months[3] or 0)
        return YearMonthDuration(-total if months[1] else total)
    match = _DAYS.match(text)
    if not match or not any(match.groups()[1:5]) or text.endswith("T"):
        raise Problem(f"不是时长：{text[:40]}")
    sign, days, hours, minutes, seconds, fraction = match.groups()
    total = (int(days or 0) * 86_400 + int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)) * SECOND
    total += int(((fraction or "") + "000000000")[:9])
    return make_duration(-total if sign else total)


def parse_any(text: str) -> Any:
    """What ``@"…"`` stands for: a date, a time, a date and time or a duration."""
    for pattern, parse in ((_DATE_ONLY, parse_date), (_DATE_TIME, parse_datetime), (_TIME_ONLY, parse_time)):
        if pattern.match(text):
            return parse(text)
    return parse_duration(text)


def _clock(parts: Any) -> int:
    hour, minute, second = int(parts[0]), int(parts[1]), int(parts[2])
    nanos = int(((parts[3] or "") + "000000000")[:9])
    if hour == 24 and not (minute or second or nanos):
        return DAY
    if hour > 23 or minute > 59 or second > 59:
        raise Problem("没有这样的时刻")
    return ((hour * 60 + minute) * 60 + second) * SECOND + nanos


@lru_cache(maxsize=512)
def zone_of(text: str | None) -> dt.tzinfo | None:
    """``Z``, ``+08:00`` or ``@Asia/Shanghai`` as a tzinfo; raises Problem for an unknown zone."""
    if not text:
        return None
    if text == "Z":
        return dt.UTC
    if text[0] == "@":
        try:
            return ZoneInfo(text[1:])
        except Exception:
            raise Problem(f"没有这个时区：{text[1:]}") from None
    parts = [int(part) for part in text[1:].split(":")]
    seconds = parts[0] * 3600 + parts[1] * 60 + (parts[2] if len(parts) > 2 else 0)
    return fixed_zone(-seconds if text[0] == "-" else seconds)


def fixed_zone(seconds: int) -> dt.tzinfo:
    """A zone at a fixed offset, at most 18 hours as XML Schema and Java have it."""
    if abs(seconds) > 18 * 3600:
        raise Problem("时区偏移超出范围")
    return dt.UTC if seconds == 0 else dt.timezone(dt.timedelta(seconds=seconds))


def text_of(value: Any) -> str:
    """The text of a date, time, date and time or duration; ``parse_any`` reads it back."""
    kind = kind_of(value)
    if kind == "date":
        return _date_text(date_days(value))
    if kind == "time":
        return _clock_text(day_nanos(value)) + zone_text(value)
    if kind == "date and time":
        return _date_text(date_days(value)) + "T" + _clock_text(day_nanos(value)) + zone_text(value)
    return str(value) if kind == "years and months duration" else _duration_text(duration_nanos(value))


def _date_text(days: int) -> str:
    year, month, day = civil_of(days)
    return f"{'-' if year < 0 else ''}{abs(year):04}-{month:02}-{day:02}"


def _clock_text(nanos: int) -> str:
    seconds, rest = divmod(nanos, SECOND)
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"


def zone_text(value: Any) -> str:
    """``Z``, ``+08:00``, ``@Asia/Shanghai`` or nothing."""
    zone = value.tzinfo
    if zone is None:
        return ""
    if isinstance(zone, ZoneInfo):
        return f"@{zone.key}"
    seconds = (offset_nanos(value) or 0) // SECOND
    if not seconds:
        return "Z"
    total = abs(seconds)
    tail = f":{total % 60:02}" if total % 60 else ""
    return f"{'-' if seconds < 0 else '+'}{total // 3600:02}:{total // 60 % 60:02}{tail}"


def _duration_text(nanos: int) -> str:
    seconds, rest = divmod(abs(nanos), SECOND)
    days, clock = divmod(seconds, 86_400)
    hours, minutes, seconds = clock // 3600, clock // 60 % 60, clock % 60
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    text = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + (f"{seconds}{fraction}S" if seconds or rest else "")
    body = (f"{days}D" if days else "") + (f"T{text}" if text else "")
    return f"{'-' if nanos < 0 else ''}P{body or 'T0S'}"
