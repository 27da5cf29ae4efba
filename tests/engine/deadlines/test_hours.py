"""Clocks in hours agree with walking, and say no to what breaks a rule."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.deadlines.hours import compute_hours
from engine.deadlines.lines import answer
from engine.deadlines.rules import ClockRefused, ClockRule, Event, office_hours_of
from engine.kernel.clock import SHANGHAI
from engine.reference.calendars import CalendarUnknown, published_calendar
from tests.engine.deadlines.slow_hours import slow_due_at

CALENDAR = published_calendar()
SPLIT = office_hours_of(["09:00-11:30", "13:30-17:00"])
FRIDAY = datetime(2026, 9, 18, 15, tzinfo=SHANGHAI)


@st.composite
def timelines(draw: st.DrawFn) -> tuple[ClockRule, datetime, list[Event]]:
    unit = draw(st.sampled_from(["hour", "working_hour"]))
    clock = ClockRule(amount=draw(st.integers(1, 60)), unit=unit, roll_rest_day=draw(st.booleans()), office_hours=draw(st.sampled_from([SPLIT, ClockRule(amount=1, unit="hour").office_hours])))
    start = datetime(2026, 1, 1, tzinfo=SHANGHAI) + timedelta(minutes=30 * draw(st.integers(0, 48 * 300)))
    at, running, events = start, True, list[Event]()
    for kind in draw(st.lists(st.sampled_from(["turn", "turn", "exclude", "extend"]), max_size=8)):
        if kind == "turn":
            at += timedelta(minutes=30 * draw(st.integers(0, 100)))
            events.append(Event(kind="suspend" if running else "resume", on_at=at))
            running = not running
        elif kind == "exclude":
            first = start.date() + timedelta(days=draw(st.integers(1, 10)))
            events.append(Event(kind="exclude", on=first, until=first + timedelta(days=draw(st.integers(0, 3)))))
        else:
            events.append(Event(kind="extend", amount=draw(st.integers(1, 24)), unit=unit))
    if not running and draw(st.integers(0, 4)):
        events.append(Event(kind="resume", on_at=at + timedelta(minutes=30 * draw(st.integers(0, 100)))))
    return clock, start, events


@settings(max_examples=150, deadline=None)
@given(timelines())
def test_random_timelines_agree_with_walking(timeline: tuple[ClockRule, datetime, list[Event]]) -> None:
    clock, start, events = timeline
    walked = slow_due_at(clock, start, events, CALENDAR)
    told = compute_hours(clock, start, events, calendar=CALENDAR).due_at
    if told is None or walked is None:
        assert told == walked
        return
    # Walking stops at the first half hour that no longer counts; both are the same end when nothing counts in between.
    late, early = max(told, walked), min(told, walked)
    assert early == late or _nothing_counts(clock, early, late, events)


def _nothing_counts(clock: ClockRule, early: datetime, late: datetime, events: list[Event]) -> bool:
    one = ClockRule(amount=1, unit=clock.unit, office_hours=clock.office_hours)
    spans = [event for event in events if event.kind == "exclude" and event.on is not None and event.on >= early.date()]
    return slow_due_at(one, early, spans, CALENDAR) == slow_due_at(one, late, spans, CALENDAR)


@pytest.mark.parametrize(
    ("rule", "start", "due"),
    [
        (ClockRule(amount=24, unit="hour", roll_rest_day=False), FRIDAY, "2026-09-19 15:00"),
        (ClockRule(amount=24, unit="hour", roll_rest_day=True), FRIDAY, "2026-09-20 15:00"),
        (ClockRule(amount=8, unit="working_hour"), FRIDAY, "2026-09-20 15:00"),
        (ClockRule(amount=2, unit="working_hour"), FRIDAY, "2026-09-18 17:00"),
        (ClockRule(amount=3, unit="working_hour", office_hours=SPLIT), datetime(2026, 9, 24, 16, tzinfo=SHANGHAI), "2026-09-28 11:00"),
        (ClockRule(amount=48, unit="hour", roll_rest_day=False), datetime(2026, 9, 18, 7, tzinfo=UTC), "2026-09-20 15:00"),
    ],
)
def test_hours_end_at_an_instant(rule: ClockRule, start: datetime, due: str) -> None:
    """Sunday 20 September 2026 is a day of work; 25 to 27 September are days off."""
    found = compute_hours(rule, start, calendar=CALENDAR).due_at
    assert found is not None and f"{found:%Y-%m-%d %H:%M}" == due


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([Event(kind="resume", on_at=FRIDAY)], "没有暂停"), ([Event(kind="suspend", on_at=FRIDAY), Event(kind="suspend", on_at=FRIDAY)], "重复暂停"),
        ([Event(kind="suspend", on_at=FRIDAY - timedelta(hours=1))], "早于起算"), ([Event(kind="extend", amount=1, unit="day")], "单位"), ([Event(kind="stop", on_at=FRIDAY)], "事件类型"),
        ([Event(kind="suspend", on_at=FRIDAY.replace(tzinfo=None))], "时区"), ([Event(kind="exclude", on_at=FRIDAY, until_at=FRIDAY)], "止时"), ([Event(kind="suspend")], "时刻"),
        ([Event(kind="extend", amount=1, unit="working_hour")], "延长也以"), ([Event(kind="suspend", on_at=FRIDAY + timedelta(days=9))], "还没有发生"),
    ],
)
def test_what_breaks_a_rule_is_refused(events: list[Event], words: str) -> None:
    with pytest.raises(ClockRefused, match=words):
        compute_hours(ClockRule(amount=24, unit="hour"), FRIDAY, events, calendar=CALENDAR, at=FRIDAY + timedelta(days=1))


def test_an_unknown_year_and_office_hours_that_read_wrong_are_refused() -> None:
    with pytest.raises(CalendarUnknown, match="2027"):
        compute_hours(ClockRule(amount=24, unit="working_hour"), datetime(2026, 12, 30, 9, tzinfo=SHANGHAI), calendar=CALENDAR, strict=True)
    for wrong in ([], "09:00-17:00", ["9-17"], ["17:00-09:00"], ["09:00-12:00", "11:00-17:00"]):
        with pytest.raises(ClockRefused):
            office_hours_of(wrong)
    assert office_hours_of(["00:00-24:00"])[0][1].hour == 23


def test_the_command_answers_for_hours_with_instants() -> None:
    asked = {"clock": {"amount": 24, "unit": "hour"}, "start": "2026-09-18T15:00:00+08:00", "events": [{"type": "suspend", "on": "2026-09-18T16:00:00+08:00"}, {"type": "resume", "on": "2026-09-18T18:30:00+08:00"}]}
    told = answer(orjson.dumps(asked), calendar=CALENDAR, declared={})
    assert (told["due"], told["state"]) == ("2026-09-19T17:30:00+08:00", "running")
    for wrong in ({"start": "2026-09-18"}, {"start": "2026-09-18T15:00:00"}, {"events": [{"type": "suspend", "on": "gestern"}]}, {"at": "2026-09-01"}):
        assert "error" in answer(orjson.dumps({**asked, **wrong}), calendar=CALENDAR, declared={})
    assert "error" in answer(orjson.dumps({"clock": {"amount": 1, "unit": "day"}, "start": date(2026, 9, 18).isoformat() + "T09:00:00+08:00"}), calendar=CALENDAR, declared={})
