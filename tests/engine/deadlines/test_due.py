from __future__ import annotations

import time
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.deadlines.due import add_months, add_time, compute
from engine.deadlines.rules import UNITS, ClockRefused, ClockRule, Event, rule_of
from engine.reference.calendars import Calendar, CalendarUnknown, Day, published_calendar, published_days
from engine.reference.parameters import Parameter
from tests.engine.deadlines.slow_model import slow_due

CALENDAR = published_calendar()
SEVEN_MARCH = date(2025, 3, 7)


def suspend(on: date) -> Event:
    return Event(kind="suspend", on=on)


def resume(on: date) -> Event:
    return Event(kind="resume", on=on)


def exclude(first: date, last: date) -> Event:
    return Event(kind="exclude", on=first, until=last)


def extend(amount: int, unit: str) -> Event:
    return Event(kind="extend", amount=amount, unit=unit)


def due(amount: int, unit: str, start: date, *events: Event, **rule: Any) -> date | None:
    return compute(ClockRule(amount=amount, unit=unit, **rule), start, events, calendar=CALENDAR).due


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        # 线索办理 15 个工作日, with Mid-Autumn, National Day and two make-up days inside.
        (due(15, "working_day", date(2026, 9, 18)), date(2026, 10, 15)),
        (due(1, "working_day", date(2026, 9, 18)), date(2026, 9, 20)),
        (due(15, "working_day", date(2026, 9, 18), count_first_day=True), date(2026, 10, 14)),
        # 案件办理 90 日 ends on a Sunday and moves on, or stays where the rule says so.
        (due(90, "day", date(2026, 3, 2)), date(2026, 6, 1)),
        (due(90, "day", date(2026, 3, 2), roll_rest_day=False), date(2026, 5, 31)),
        (due(90, "day", date(2026, 3, 2), count_first_day=True, roll_rest_day=False), date(2026, 5, 30)),
        # Months reach the same day or the last day of the month.
        (due(1, "month", date(2026, 1, 31), roll_rest_day=False), date(2026, 2, 28)),
        (due(6, "month", date(2025, 8, 31), roll_rest_day=False), date(2026, 2, 28)),
        (due(1, "year", date(2024, 2, 29), roll_rest_day=False), date(2025, 2, 28)),
        (due(1, "month", date(2026, 3, 1), count_first_day=True, roll_rest_day=False), date(2026, 3, 31)),
        # A month moves on by one day for each day that doesn't count, also for those among the days moved to.
        (due(1, "month", date(2025, 3, 3), suspend(date(2025, 3, 10)), resume(date(2025, 3, 12)), roll_rest_day=False), date(2025, 4, 5)),
        (
            due(
                1,
                "month",
                date(2025, 3, 3),
                exclude(date(2025, 3, 10), date(2025, 3, 11)),
                exclude(date(2025, 4, 4), date(2025, 4, 5)),
                roll_rest_day=False,
            ),
            date(2025, 4, 7),
        ),
        # The day of suspension doesn't count, the day of resumption does.
        (due(3, "working_day", SEVEN_MARCH, suspend(date(2025, 3, 11)), resume(date(2025, 3, 13))), date(2025, 3, 14)),
        (due(3, "working_day", SEVEN_MARCH, suspend(date(2025, 3, 11)), resume(date(2025, 3, 11))), date(2025, 3, 12)),
        # Both ends of an excluded span are out; overlapping ones count once.
        (due(3, "working_day", SEVEN_MARCH, exclude(date(2025, 3, 10), date(2025, 3, 11))), date(2025, 3, 14)),
        (
            due(
                3, "working_day", SEVEN_MARCH, exclude(date(2025, 3, 10), date(2025, 3, 11)), exclude(date(2025, 3, 11), date(2025, 3, 12))
            ),
            date(2025, 3, 17),
        ),
        # An extension follows on the amount before it, in its own unit, and only then the rest day moves.
        (due(15, "day", SEVEN_MARCH, extend(1, "month")), date(2025, 4, 22)),
        (due(1, "day", SEVEN_MARCH, extend(1, "working_day")), date(2025, 3, 10)),
        (due(1, "month", date(2025, 1, 31), extend(1, "month"), roll_rest_day=False), date(2025, 3, 28)),
        (due(3, "working_day", SEVEN_MARCH, suspend(date(2025, 3, 11))), None),
    ],
)
def test_time_is_counted_as_the_rules_say(found: date | None, expected: date | None) -> None:
    assert found == expected


def test_state_is_told_as_of_a_day() -> None:
    clock = ClockRule(amount=3, unit="working_day")

    def state(at: date | None, *events: Event) -> str:
        return compute(clock, SEVEN_MARCH, events, calendar=CALENDAR, at=at).state

    assert (state(date(2025, 3, 12)), state(date(2025, 3, 13)), state(None)) == ("running", "expired", "running")
    assert state(date(2025, 3, 20), suspend(date(2025, 3, 11))) == "suspended"


def test_the_sum_explains_every_turn_in_order() -> None:
    clock = ClockRule(amount=10, unit="working_day", law="《示例规定》第三条")
    events = [suspend(date(2025, 3, 11)), resume(date(2025, 3, 13)), exclude(date(2025, 3, 20), date(2025, 3, 20)), extend(9, "day")]
    result = compute(clock, SEVEN_MARCH, events, calendar=CALENDAR)
    assert [step.text for step in result.steps] == [
        "起算日 2025-03-07（周五），当日不计入。",
        "2025-03-11 暂停，2025-03-13 恢复：2 日（其中 2 个工作日）不计入。",
        "2025-03-20 至 2025-03-20 除外：1 日（其中 1 个工作日）不计入。",
        "期限 10 个工作日，扣除不计入的日子，到 2025-03-26（周三）。",
        "延长 9 日，到 2025-04-04（周五）。",
        "2025-04-04（清明）是休息日，顺延到下一个工作日 2025-04-07（周一）。",
        "依据：《示例规定》第三条。",
    ]
    assert result.due == date(2025, 4, 7)


LIMITED = ClockRule(amount=15, unit="working_day", extensions=1, extension_amount=15, extension_unit="working_day")


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([suspend(date(2025, 3, 11)), suspend(date(2025, 3, 12))], "重复暂停"),
        ([resume(date(2025, 3, 11))], "没有暂停"),
        ([suspend(date(2025, 3, 11)), resume(date(2025, 3, 10))], "早于暂停日"),
        ([suspend(date(2025, 3, 11)), resume(date(2025, 3, 13)), suspend(date(2025, 3, 12))], "先后顺序"),
        ([suspend(date(2025, 3, 6))], "早于起算日"),
        ([exclude(date(2025, 3, 6), date(2025, 3, 12))], "早于起算日"),
        ([exclude(date(2025, 3, 12), date(2025, 3, 11))], "止日"),
        ([suspend(date(2025, 4, 2))], "还没有发生"),
        ([extend(15, "working_day"), extend(1, "working_day")], "最多延长 1 次"),
        ([extend(16, "working_day")], "不得超过 15 个工作日"),
        ([extend(10, "day")], "不得超过"),
        ([extend(0, "day")], "整数"),
        ([extend(1, "hour")], "单位"),
        ([Event(kind="stop", on=date(2025, 3, 10))], "事件类型"),
        ([Event(kind="suspend")], "日期"),
    ],
)
def test_events_that_break_a_rule_are_refused_naming_it(events: list[Event], words: str) -> None:
    with pytest.raises(ClockRefused, match=words):
        compute(LIMITED, SEVEN_MARCH, events, calendar=CALENDAR, at=date(2025, 4, 1))


def test_a_day_before_the_start_and_amounts_that_are_none_are_refused() -> None:
    with pytest.raises(ClockRefused, match="还没有开始"):
        compute(LIMITED, SEVEN_MARCH, calendar=CALENDAR, at=date(2025, 3, 6))
    for amount, unit in ((0, "day"), (-1, "day"), (10**9, "day"), (1, "week"), (True, "day"), (1.5, "day")):
        with pytest.raises(ClockRefused):
            ClockRule(amount=amount, unit=unit)  # type: ignore[arg-type]
    with pytest.raises(ClockRefused):
        rule_of(Parameter(name="p.x", title="金额", value=None, text="甲", unit="day", source="法", valid_from=date(2020, 1, 1)))


def test_an_unpublished_year_is_said_to_be_provisional_or_refused() -> None:
    clock = ClockRule(amount=90, unit="day")
    result = compute(clock, date(2026, 11, 2), calendar=CALENDAR)
    assert result.provisional and "2027 年的放假安排还没有公布" in result.steps[-1].text
    with pytest.raises(CalendarUnknown, match="2027"):
        compute(clock, date(2026, 11, 2), calendar=CALENDAR, strict=True)
    without = ClockRule(amount=90, unit="day", roll_rest_day=False)
    assert compute(without, date(2026, 11, 2), calendar=CALENDAR, strict=True).due == date(2027, 1, 31)


def test_steps_are_due_a_number_of_days_later() -> None:
    assert add_time(date(2026, 9, 30), 3, "working_day", calendar=CALENDAR) == date(2026, 10, 10)
    assert add_time(date(2026, 9, 30), 3, "day", calendar=CALENDAR) == date(2026, 10, 3)
    assert add_months(date(2026, 12, 31), 2) == date(2027, 2, 28)


@st.composite
def timelines(draw: st.DrawFn) -> tuple[ClockRule, date, list[Event]]:
    unit = draw(st.sampled_from(sorted(UNITS)))
    longest = {"working_day": 60, "day": 120, "month": 7, "year": 2}
    clock = ClockRule(
        amount=draw(st.integers(1, longest[unit])), unit=unit, count_first_day=draw(st.booleans()), roll_rest_day=draw(st.booleans())
    )
    start = draw(st.dates(date(2006, 1, 1), date(2022, 12, 31)))
    events: list[Event] = []
    at, running = start, True
    for kind in draw(st.lists(st.sampled_from(["turn", "turn", "exclude", "extend"]), max_size=12)):
        if kind == "turn":
            at += timedelta(days=draw(st.integers(0, 20)))
            events.append(suspend(at) if running else resume(at))
            running = not running
        elif kind == "exclude":
            first = start + timedelta(days=draw(st.integers(0, 150)))
            events.append(exclude(first, first + timedelta(days=draw(st.integers(0, 15)))))
        else:
            unit = draw(st.sampled_from(sorted(UNITS)))
            events.append(extend(draw(st.integers(1, max(1, longest[unit] // 4))), unit))
    if not running and draw(st.integers(0, 4)):
        events.append(resume(at + timedelta(days=draw(st.integers(0, 20)))))
    return clock, start, events


@settings(max_examples=600, deadline=None)
@given(timelines())
def test_random_timelines_agree_with_walking_day_by_day(timeline: tuple[ClockRule, date, list[Event]]) -> None:
    clock, start, events = timeline
    assert compute(clock, start, events, calendar=CALENDAR).due == slow_due(clock, start, events, CALENDAR)


@settings(max_examples=100, deadline=None)
@given(timelines(), st.dictionaries(st.dates(date(2006, 1, 1), date(2026, 12, 31)), st.booleans(), max_size=30))
def test_a_changed_calendar_changes_dates_the_same_way(timeline: tuple[ClockRule, date, list[Event]], changes: dict[date, bool]) -> None:
    clock, start, events = timeline
    changed = Calendar([*published_days(), *(Day(day=day, working=working, title="改") for day, working in changes.items())])
    assert compute(clock, start, events, calendar=changed).due == slow_due(clock, start, events, changed)


def test_twenty_events_take_less_than_a_fifth_of_a_millisecond() -> None:
    start = date(2024, 3, 4)
    events = [e for n in range(10) for e in (suspend(start + timedelta(days=10 * n)), resume(start + timedelta(days=10 * n + 4)))]
    clock = ClockRule(amount=90, unit="working_day")
    compute(clock, start, events, calendar=CALENDAR)
    best = min(_seconds(clock, start, events) for _ in range(20))
    assert best < 0.0002


def _seconds(clock: ClockRule, start: date, events: list[Event]) -> float:
    begun = time.perf_counter()
    compute(clock, start, events, calendar=CALENDAR)
    return time.perf_counter() - begun
