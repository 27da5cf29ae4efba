"""The counting rules walked day by day, written apart from engine.deadlines.due: slow, and plain enough to be believed."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from engine.deadlines.rules import ClockRule, Event
from engine.reference.calendars import Calendar

DAY = timedelta(days=1)


def slow_due(clock: ClockRule, start: date, events: list[Event], calendar: Calendar) -> date | None:
    """The due date, or None while suspended."""
    stopped: set[date] = set()
    since: date | None = None
    for event in events:
        if event.kind == "suspend":
            since = event.on
        elif event.kind == "resume":
            assert since is not None and event.on is not None
            stopped |= days(since, event.on - DAY)
            since = None
        elif event.kind == "exclude":
            assert event.on is not None and event.until is not None
            stopped |= days(event.on, event.until)
    if since is not None:
        return None
    reached = start - DAY if clock.count_first_day else start
    first = True
    for amount, unit in [(clock.amount, clock.unit), *((e.amount, e.unit) for e in events if e.kind == "extend")]:
        assert amount is not None and unit is not None
        left = amount
        if unit in ("month", "year"):
            base = start if first else reached
            left = (same_day(base, amount if unit == "month" else 12 * amount) - base).days
        while left:
            reached += DAY
            if reached not in stopped and (unit != "working_day" or calendar.is_working(reached)):
                left -= 1
        first = False
    while clock.roll_rest_day and not calendar.is_working(reached):
        reached += DAY
    return reached


def days(first: date, last: date) -> set[date]:
    return {first + n * DAY for n in range((last - first).days + 1)}


def same_day(day: date, months: int) -> date:
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return date(year, month, min(day.day, monthrange(year, month)[1]))
