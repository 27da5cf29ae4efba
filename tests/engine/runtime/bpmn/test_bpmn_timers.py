from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from engine.runtime.bpmn.timers import NotATime, after, cycle, due_at, following

NOW = datetime(2026, 1, 31, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(("value", "due"), [
    ("P1D", "2026-02-01T02:00:00+00:00"), ("P1M", "2026-02-28T02:00:00+00:00"), ("P1Y2M", "2027-03-31T02:00:00+00:00"), ("P2W", "2026-02-14T02:00:00+00:00"),
    ("PT90M", "2026-01-31T03:30:00+00:00"), ("2026-02-01", "2026-01-31T16:00:00+00:00"), ("2026-02-01T08:00:00", "2026-02-01T00:00:00+00:00"),
    ("2026-02-01T08:00:00Z", "2026-02-01T08:00:00+00:00"), (date(2026, 2, 1), "2026-01-31T16:00:00+00:00"), (timedelta(hours=1), "2026-01-31T03:00:00+00:00"),
])
def test_a_time_is_read_as_in_shanghai(value, due) -> None:
    assert due_at(value, NOW).isoformat() == due


@pytest.mark.parametrize("text", ["", "P", "PT", "P1", "soon", "2026-13-01", "R/P1D"])
def test_what_is_no_time_is_refused(text) -> None:
    with pytest.raises(ValueError):
        due_at(text, NOW)


@pytest.mark.parametrize("text", ["P1D", "R0/P1D", "R3", "Rx/P1D", "R3/P", "R3/P1D/2026-01-01", "R3/2026-01-01"])
def test_what_is_no_cycle_is_refused(text) -> None:
    with pytest.raises(ValueError):
        cycle(text, NOW)


def test_rounds_missed_during_an_outage_count_as_one() -> None:
    first = cycle("R5/PT1H", NOW)
    late = NOW + timedelta(hours=10, minutes=30)
    second = following(first, late)
    assert second is not None
    assert second["due"] == "2026-01-31T13:00:00+00:00"
    assert second["left"] == 4


def test_a_cycle_ends_after_its_rounds() -> None:
    assert following(cycle("R1/PT1H", NOW), NOW) is None
    assert following(cycle("R/PT1H", NOW), NOW)["left"] == -1


def test_months_are_counted_on_the_calendar() -> None:
    assert after("-P1M", datetime(2026, 3, 31, tzinfo=UTC)).day == 28
    with pytest.raises(NotATime):
        after("P1H", NOW)
