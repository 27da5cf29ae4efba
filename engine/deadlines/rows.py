"""What a ``case_clock`` row and its events say, as the pure rules read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from engine.deadlines.due import Result, compute
from engine.deadlines.hours import compute_hours
from engine.deadlines.rules import KINDS, ClockRule, Event, rule_from
from engine.reference.calendars import Calendar
from engine.storage.tables.cases import case_clock, clock_event


def stored_rule(row: Mapping[Any, Any]) -> ClockRule:
    """The rule that a ``case_clock`` row carries."""
    return rule_from({"amount": row["amount"], "unit": row["day_kind"], "title": row["title"], "law": row["law"], **row["rule"]})


def events_column() -> Any:
    """A correlated list of a clock's events in the order they were written, to select beside ``case_clock``."""
    e = clock_event.c
    one = func.json_build_array(e.kind, e.on_day, e.until_day, e.amount, e.day_kind, e.ground, e.on_at, e.until_at)
    listed = func.coalesce(func.json_agg(aggregate_order_by(one, e.at, e.id)), func.json_build_array())
    return select(listed).where(e.clock_id == case_clock.c.id).correlate(case_clock).scalar_subquery().label("events")


def read_events(stored: Sequence[Sequence[Any]]) -> list[Event]:
    """What ``events_column`` gave, without what doesn't count (start, end, calendar)."""
    return [
        Event(kind=kind, on=_date(on), until=_date(until), amount=amount, unit=unit, ground=ground, on_at=_instant(on_at), until_at=_instant(until_at))
        for kind, on, until, amount, unit, ground, on_at, until_at in stored
        if kind in KINDS
    ]


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def reckon(rule: ClockRule, row: Mapping[Any, Any], events: Sequence[Event], *, calendar: Calendar) -> Result:
    """The due date as rule, start and events say, no matter when; expired is a matter of the reader's day."""
    if rule.in_hours:
        return compute_hours(rule, row["start_at"], events, calendar=calendar)
    return compute(rule, row["start_on"], events, calendar=calendar)
