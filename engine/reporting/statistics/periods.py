"""Periods that figures are about: days, weeks from Monday, months, quarters, years, or from a day to a day."""
from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from engine.kernel.errors import Invalid

GRAINS = {"day": "日", "week": "周", "month": "月", "quarter": "季", "year": "年"}
MOST_STEPS = 400
_SHAPES = (
    ("year", re.compile(r"(\d{4})\Z")), ("quarter", re.compile(r"(\d{4})-Q([1-4])\Z")), ("month", re.compile(r"(\d{4})-(\d{2})\Z")),
    ("week", re.compile(r"(\d{4})-W(\d{2})\Z")), ("day", re.compile(r"(\d{4}-\d{2}-\d{2})\Z")), ("span", re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})\Z")),
)


@dataclass(frozen=True, kw_only=True)
class Period:
    """``first`` and ``last`` day, both included. ``grain`` is a key of GRAINS or ``span``."""

    first: date
    last: date
    grain: str

    @property
    def code(self) -> str:
        """What ``read_period`` reads back."""
        year, month = self.first.year, self.first.month
        codes = {
            "year": f"{year:04}", "quarter": f"{year:04}-Q{(month + 2) // 3}", "month": f"{year:04}-{month:02}", "day": f"{self.first}",
            "week": "{:04}-W{:02}".format(*self.first.isocalendar()[:2]),
        }
        return codes.get(self.grain, f"{self.first}..{self.last}")

    @property
    def title(self) -> str:
        year, month = self.first.year, self.first.month
        week = self.first.isocalendar()
        titles = {
            "year": f"{year} 年", "quarter": f"{year} 年第 {(month + 2) // 3} 季度", "month": f"{year} 年 {month} 月", "day": f"{year} 年 {month} 月 {self.first.day} 日",
            "week": f"{week[0]} 年第 {week[1]} 周",
        }
        return titles.get(self.grain, f"{self.first} 至 {self.last}")

    def before(self) -> Period:
        """The period just before, for 环比: a span is as long as this one."""
        if self.grain == "span":
            days = self.last - self.first
            return Period(first=self.first - days - timedelta(days=1), last=self.first - timedelta(days=1), grain="span")
        return period_of(self.first - timedelta(days=1), self.grain)

    def year_before(self) -> Period:
        """The same period a year before, for 同比; the week of the same number, or the last one when that year has no such week."""
        if self.grain == "week":
            year, week, _ = self.first.isocalendar()
            last = date(year - 1, 12, 28).isocalendar()[1]
            return period_of(date.fromisocalendar(year - 1, min(week, last), 1), "week")
        first = _year_before(self.first)
        if self.grain == "span":
            return Period(first=first, last=_year_before(self.last), grain="span")
        return period_of(first, self.grain)

    def split(self, grain: str) -> list[Period]:
        """The periods of ``grain`` in it, cut at its ends; raises Invalid above 400."""
        found: list[Period] = []
        day = self.first
        while day <= self.last:
            whole = period_of(day, grain)
            cut = whole.first < self.first or whole.last > self.last
            found.append(Period(first=max(whole.first, self.first), last=min(whole.last, self.last), grain="span") if cut else whole)
            if len(found) > MOST_STEPS:
                raise Invalid(f"按{GRAINS[grain]}分会超过 {MOST_STEPS} 段，请缩短期间或换大一些的单位。", code="too_fine")
            day = whole.last + timedelta(days=1)
        return found


def period_of(day: date, grain: str) -> Period:
    """The day, week, … in which ``day`` lies."""
    if grain == "day":
        return Period(first=day, last=day, grain=grain)
    if grain == "week":
        first = day - timedelta(days=day.weekday())
        return Period(first=first, last=first + timedelta(days=6), grain=grain)
    months = {"month": 1, "quarter": 3, "year": 12}[grain]
    month = (day.month - 1) // months * months + 1
    following = date(day.year + (month + months > 12), (month + months - 1) % 12 + 1, 1)
    return Period(first=date(day.year, month, 1), last=following - timedelta(days=1), grain=grain)


def read_period(code: str) -> Period:
    """2026, 2026-Q3, 2026-11, 2026-W47, 2026-11-20 or 2026-01-01..2026-06-30; raises Invalid."""
    for grain, shape in _SHAPES:
        found = shape.match(code.strip())
        if found:
            try:
                return _read(grain, found.groups())
            except ValueError:
                break
    raise Invalid(f"期间“{code[:30]}”不认识，写成 2026、2026-Q3、2026-11、2026-W47 或 2026-01-01..2026-06-30。", code="bad_period")


def _read(grain: str, parts: tuple[str, ...]) -> Period:
    if grain == "span":
        first, last = map(date.fromisoformat, parts)
        if last < first:
            raise ValueError(parts)
        return Period(first=first, last=last, grain="span")
    if grain == "day":
        return period_of(date.fromisoformat(parts[0]), grain)
    if grain == "week":
        return period_of(date.fromisocalendar(int(parts[0]), int(parts[1]), 1), grain)
    number = int(parts[1]) if len(parts) > 1 else 1
    return period_of(date(int(parts[0]), number * 3 - 2 if grain == "quarter" else number, 1), grain)


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year - 1)
