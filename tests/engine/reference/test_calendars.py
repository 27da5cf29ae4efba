from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Connection

from engine.kernel.errors import Invalid
from engine.reference.calendars import CalendarUnknown, Day, load, published_calendar, seed_calendar, set_day

CALENDAR = published_calendar()


@pytest.mark.parametrize(
    ("day", "working", "title"),
    [
        (date(2026, 10, 1), False, "国庆节"),
        (date(2026, 10, 8), True, ""),
        (date(2026, 9, 20), True, "国庆节调休上班"),
        (date(2026, 11, 21), False, "周六"),
        (date(2026, 11, 20), True, ""),
        (date(2004, 1, 22), False, "春节"),
    ],
)
def test_published_days_off_and_make_up_days_are_known(day: date, working: bool, title: str) -> None:
    assert (CALENDAR.is_working(day), CALENDAR.title(day)) == (working, title)


def test_counting_agrees_with_walking_over_many_years() -> None:
    start = date(2024, 1, 1)
    working = [start + timedelta(days=n) for n in range(1, 1500) if CALENDAR.is_working(start + timedelta(days=n))]
    for amount in (1, 2, 15, 250, 700, len(working)):
        assert CALENDAR.add_working_days(start, amount) == working[amount - 1]
        assert CALENDAR.count_between(start, working[amount - 1]) == amount
    assert CALENDAR.next_working_day(date(2026, 10, 1)) == date(2026, 10, 8)
    assert CALENDAR.next_working_day(date(2026, 10, 8)) == date(2026, 10, 8)


def test_years_not_yet_published_count_monday_to_friday_and_say_so() -> None:
    assert CALENDAR.known_until == date(2026, 12, 31)
    assert CALENDAR.is_working(date(2027, 10, 1)) and not CALENDAR.is_known(date(2027, 10, 1))
    assert CALENDAR.missing_year(date(2026, 11, 30)) is None
    assert CALENDAR.missing_year(date(2026, 12, 1)) == 2027
    for outside in (date(2003, 12, 31), date(2099, 1, 1)):
        with pytest.raises(CalendarUnknown):
            CALENDAR.is_working(outside)


def test_the_database_starts_with_the_published_days_and_takes_changes(connection: Connection) -> None:
    seed_calendar(connection)
    assert seed_calendar(connection) == 0
    assert load(connection).days == CALENDAR.days
    set_day(connection, day=date(2027, 1, 1), working=False, title="元旦", source="国办发明电〔2026〕1号")
    changed = load(connection)
    assert changed.known_until == date(2027, 12, 31) and not changed.is_working(date(2027, 1, 1))
    assert changed.days[date(2027, 1, 1)] == Day(day=date(2027, 1, 1), working=False, title="元旦")
    with pytest.raises(Invalid):
        set_day(connection, day=date(2027, 1, 2), working=True, title="", source=" ")
