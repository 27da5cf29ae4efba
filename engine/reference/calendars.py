"""Which days are working days. Rows hold the exceptions to Monday to Friday: public holidays and make-up days (调休).

A year is known once it has rows. Later years are counted Monday to Friday and said to be provisional (``known_until``);
from 1 December a missing next year is an alarm. Region CN-SH starts with the State Council's days 2004 to 2026; a district
may differ in single days, which lie over those of the city.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from engine.kernel.errors import Invalid
from engine.reference.cache import Cached
from engine.storage.tables.reference import calendar_day

REGION = "CN-SH"
DISTRICT = "district:"
SOURCE = "国务院办公厅节假日安排"
MAKE_UP = "调休上班"
FIRST_YEAR = 2004
YEARS_BEYOND = 30


class CalendarUnknown(Invalid):
    """A date outside the calendar was asked for."""

    code = "calendar_unknown"


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day that is not what its weekday says, or a named holiday."""

    day: date
    working: bool
    title: str


class Calendar:
    """Working days of one region, counted in constant time. Dates before 2004 or far ahead raise CalendarUnknown."""

    def __init__(self, days: Iterable[Day], *, region: str = REGION) -> None:
        self.region = region
        self.days: Mapping[date, Day] = {day.day: day for day in days}
        last_year = max((day.year for day in self.days), default=FIRST_YEAR - 1)
        self.known_until = date(last_year, 12, 31)
        self._first = date(FIRST_YEAR, 1, 1).toordinal()
        self._last = date(max(last_year, FIRST_YEAR) + YEARS_BEYOND, 12, 31).toordinal()
        self._working = array("i", (n for n in range(self._first, self._last + 1) if self._works(n)))

    def _works(self, ordinal: int) -> bool:
        exception = self.days.get(date.fromordinal(ordinal))
        return exception.working if exception is not None else ordinal % 7 not in (6, 0)

    def is_known(self, day: date) -> bool:
        """True when the year's days off have been published and entered."""
        return FIRST_YEAR <= day.year <= self.known_until.year

    def is_working(self, day: date) -> bool:
        """True when people work on ``day``."""
        return self._works(self._checked(day))

    def count_upto(self, day: date) -> int:
        """Working days from the calendar's start up to and including ``day``."""
        return bisect_right(self._working, self._checked(day))

    def count_between(self, after: date, until: date) -> int:
        """Working days after ``after`` up to and including ``until``; negative when ``until`` comes first."""
        return self.count_upto(until) - self.count_upto(after)

    def working_day(self, number: int) -> date:
        """The day on which ``count_upto`` first reaches ``number``."""
        if not 1 <= number <= len(self._working):
            raise CalendarUnknown("日期超出日历范围，请检查起算日和期限。")
        return date.fromordinal(self._working[number - 1])

    def add_working_days(self, after: date, amount: int) -> date:
        """The ``amount``-th working day after ``after``."""
        return self.working_day(self.count_upto(after) + amount)

    def next_working_day(self, day: date) -> date:
        """``day`` itself when people work on it, else the next day on which they do."""
        return day if self.is_working(day) else self.add_working_days(day, 1)

    def title(self, day: date) -> str:
        """国庆节, 调休上班, 周六, 周日 or nothing."""
        named = self.days.get(day)
        if named is not None and named.title:
            return named.title
        return {5: "周六", 6: "周日"}.get(day.weekday(), "")

    def missing_year(self, on: date) -> int | None:
        """The year that ought to be known on ``on`` and is not: this one, from 1 December the next one too."""
        wanted = on.year + (on.month == 12)
        return None if self.known_until.year >= wanted else self.known_until.year + 1

    def _checked(self, day: date) -> int:
        ordinal = day.toordinal()
        if not self._first <= ordinal <= self._last:
            raise CalendarUnknown(f"{day.year} 年不在日历范围内（{FIRST_YEAR} 至 {date.fromordinal(self._last).year} 年）。")
        return ordinal


@cache
def published_days() -> tuple[Day, ...]:
    """Holidays and make-up days as published 2004 to 2026."""
    from chinese_calendar import Holiday, constants

    titles = {holiday.value: holiday.chinese for holiday in Holiday}
    off = [Day(day=day, working=False, title=titles.get(name, name)) for day, name in constants.holidays.items()]
    on = [Day(day=day, working=True, title=f"{titles.get(name, name)}{MAKE_UP}") for day, name in constants.workdays.items()]
    return tuple(sorted(off + on, key=lambda day: day.day))


@cache
def published_calendar() -> Calendar:
    """The calendar of published days, for those who have no database at hand."""
    return Calendar(published_days())


def region_of(district_id: UUID | None) -> str:
    """The region whose days hold for the cases of a district bureau; None: those at city level."""
    return REGION if district_id is None else f"{DISTRICT}{district_id}"


def load(connection: Connection, *, region: str = REGION, district_id: UUID | None = None) -> Calendar:
    """The calendar of ``region``, or of a district, as the database has it; cached."""
    return _calendars.get(connection, region if district_id is None else region_of(district_id))


def forget(connection: Connection) -> None:
    """Read the days of this database again."""
    _calendars.forget(connection)


def days_in(connection: Connection, region: str) -> dict[date, Day]:
    """The entered days of one region alone."""
    c = calendar_day.c
    rows = connection.execute(select(c.day, c.working, c.title).where(c.region == region).order_by(c.day))
    return {row.day: Day(day=row.day, working=row.working, title=row.title) for row in rows}


def _read(connection: Connection, region: str) -> Calendar:
    own = days_in(connection, region)
    if not region.startswith(DISTRICT):
        return Calendar(own.values(), region=region)
    city = _calendars.get(connection, REGION)
    return Calendar({**city.days, **own}.values(), region=region) if own else city


_calendars = Cached(_read)


def seed_calendar(connection: Connection, *, region: str = REGION) -> int:
    """Enter the published days of years that have none yet; how many."""
    c = calendar_day.c
    known = {day.year for day in connection.execute(select(c.day).where(c.region == region)).scalars()}
    rows = [
        {"region": region, "day": d.day, "working": d.working, "title": d.title, "source": SOURCE}
        for d in published_days()
        if d.day.year not in known
    ]
    if rows:
        connection.execute(insert(calendar_day).on_conflict_do_nothing(), rows)
        _calendars.forget(connection)
    return len(rows)


def set_day(connection: Connection, *, day: date, working: bool, title: str, source: str, region: str = REGION) -> None:
    """Declare one day working or free; raises Invalid without a source."""
    if not source.strip():
        raise Invalid("请写明依据。", fields={"source": "请写明节假日安排的文号。"})
    values = {"working": working, "title": title, "source": source}
    statement = insert(calendar_day).values(region=region, day=day, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["region", "day"], set_=values))
    _calendars.forget(connection)


def days_of_year(calendar: Calendar, year: int) -> list[Day]:
    """The entered days of a year, in order."""
    return sorted((day for day in calendar.days.values() if day.day.year == year), key=lambda day: day.day)


def span(first: date, last: date) -> Iterable[date]:
    """Every day from ``first`` to ``last``, both included."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
