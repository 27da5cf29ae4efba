"""A year's days off as people have them: pasted lines, JSON or the rows of a sheet. Pure: text or rows in, days out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import orjson

from engine.kernel.errors import Invalid
from engine.reference.calendars import FIRST_YEAR, MAKE_UP

MOST_DAYS = 400
OFF, ON = ("休", "放假", "休息", "节假日", "公休"), ("班", "上班", "工作", "调休上班", "补班", "工作日")
PLAIN = ("平日", "恢复", "照常")
Entry = tuple[date, bool | None, str]
"""(day, working, title); working None: as its weekday says."""
_DATE = r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
_LINE = re.compile(rf"\s*{_DATE}(?:\s*(?:至|到|~|—|--)\s*{_DATE})?[\s,，;；、:：]*(\S+?)?(?:[\s,，;；、:：]+(.*?))?\s*")


def read_paste(text: str) -> list[Entry]:
    """``2027-01-01 休 元旦``, ``2027-10-01 至 2027-10-07 休 国庆节``, ``2027-10-09 班``, one a line, or JSON."""
    if text.lstrip().startswith(("{", "[")):
        return read_json(text)
    found: list[Entry] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or not match[7]:
            raise Invalid(f"第 {number} 行看不懂：{line.strip()[:40]}。请写成“2027-01-01 休 元旦”或“2027-10-09 班”，连续的几天写“2027-10-01 至 2027-10-07 休 国庆节”。")
        found += _spanned(match, number)
    return checked(found)


def _spanned(match: re.Match[str], number: int) -> list[Entry]:
    first = _day(match[1], match[2], match[3], f"第 {number} 行")
    last = _day(match[4], match[5], match[6], f"第 {number} 行") if match[4] else first
    if last < first:
        raise Invalid(f"第 {number} 行的止日早于起日。")
    if (last - first).days > 31:
        raise Invalid(f"第 {number} 行超过三十一天，请分开写。")
    working, title = _working(match[7], f"第 {number} 行"), (match[8] or "").strip()[:20]
    return [(first + timedelta(days=n), working, title or (MAKE_UP if working else "")) for n in range((last - first).days + 1)]


def _working(word: str, where: str) -> bool | None:
    if word in OFF or word in ON:
        return word in ON
    if word in PLAIN:
        return None
    raise Invalid(f"{where}的“{word}”看不懂，应是 休、班 或 平日（取消原来的安排）。")


def _day(year: str, month: str, day: str, where: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise Invalid(f"{where}的日期 {year}-{month}-{day} 不存在。") from None


def read_json(text: str | bytes) -> list[Entry]:
    """A list, or the list under ``days``, of ``{date or day, working or isOffDay, title or name}``."""
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Invalid("不是合法的 JSON，请检查逗号和引号。") from None
    rows = given.get("days") if isinstance(given, dict) else given
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Invalid("JSON 应是日子的列表，或者含有 days 列表的对象。")
    return checked([_entry(row, number) for number, row in enumerate(rows, start=1)])


def _entry(row: dict[str, Any], number: int) -> Entry:
    text, off = row.get("date") or row.get("day"), row.get("isOffDay")
    working = row.get("working") if "working" in row else (not off if isinstance(off, bool) else "?")
    match = re.fullmatch(_DATE, str(text))
    if match is None or working not in (True, False, None):
        raise Invalid(f"第 {number} 项要写明日期和是否上班，如 {{\"date\": \"2027-01-01\", \"working\": false, \"title\": \"元旦\"}}。")
    title = str(row.get("title") or row.get("name") or "")[:20]
    return _day(match[1], match[2], match[3], f"第 {number} 项"), working, title or (MAKE_UP if working else "")


def read_table(rows: Iterable[Sequence[Any]]) -> list[Entry]:
    """The rows of a sheet: columns 日期, 休/班, 名称 in this order; a first row without a date is a heading."""
    return read_paste("\n".join(_lines(rows)))


def _lines(rows: Iterable[Sequence[Any]]) -> Iterable[str]:
    for number, row in enumerate(rows):
        first, kind, title = (*row, None, None, None)[:3]
        if first in (None, "") or (number == 0 and not isinstance(first, date) and not re.match(r"\d{4}", str(first))):
            continue
        if number > MOST_DAYS + 1:
            raise Invalid(f"一次最多调整 {MOST_DAYS} 天。")
        day = f"{first:%Y-%m-%d}" if isinstance(first, date | datetime) else str(first)
        yield f"{day} {kind or ''} {title or ''}".rstrip()


def checked(entries: list[Entry]) -> list[Entry]:
    """The entries in order; raises Invalid for none, too many, a day twice, a day outside the calendar."""
    if not entries:
        raise Invalid("没有读到任何日子。", fields={"days": "请至少写一天。"})
    if len(entries) > MOST_DAYS:
        raise Invalid(f"一次最多调整 {MOST_DAYS} 天。")
    days = [day for day, _, _ in entries]
    twice = sorted({day for day in days if days.count(day) > 1})
    if twice:
        raise Invalid(f"{twice[0]} 写了两次。")
    if min(days).year < FIRST_YEAR or max(days).year > 2100:
        raise Invalid(f"日历从 {FIRST_YEAR} 年开始，请检查年份。")
    return sorted(entries)
