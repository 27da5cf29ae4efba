"""Clocks in hours walked minute by minute, written apart from engine.deadlines.hours."""
from __future__ import annotations

from datetime import date, datetime, time, timedelta

from engine.deadlines.rules import ClockRule, Event
from engine.kernel.clock import SHANGHAI
from engine.reference.calendars import Calendar

STEP = timedelta(minutes=30)


def slow_due_at(clock: ClockRule, start: datetime, events: list[Event], calendar: Calendar) -> datetime | None:
    """The instant at which the clock ends, or None while suspended. All times are whole half hours."""
    stopped: list[tuple[datetime, datetime]] = []
    since: datetime | None = None
    for event in events:
        at = event.on_at or (datetime.combine(event.on, time(), SHANGHAI) if event.on else None)
        if event.kind == "suspend":
            since = at
        elif event.kind == "resume":
            assert since is not None and at is not None
            stopped.append((since, at))
            since = None
        elif event.kind == "exclude":
            assert at is not None and event.until is not None
            stopped.append((at, datetime.combine(event.until + timedelta(days=1), time(), SHANGHAI)))
    if since is not None:
        return None
    reached = start
    for amount in [clock.amount, *(e.amount for e in events if e.kind == "extend")]:
        assert amount is not None
        left = 2 * amount
        while left:
            if not any(first <= reached < last for first, last in stopped) and _counts(clock, reached, calendar):
                left -= 1
            reached += STEP
    while clock.roll_rest_day and not calendar.is_working(reached.date()):
        reached += timedelta(days=1)
    return reached


def _counts(clock: ClockRule, at: datetime, calendar: Calendar) -> bool:
    if clock.unit == "hour":
        return True
    day: date = at.date()
    return calendar.is_working(day) and any(first <= at.time() < last for first, last in clock.office_hours)
