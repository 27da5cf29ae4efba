"""What pages say about clocks: how long is left, in words and as a light, and the sum that leads to the date."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from engine.access.actors import Actor
from engine.access.scope import restrict
from engine.deadlines.clocks import LIVE, events_column, read_events, stored_rule
from engine.deadlines.due import Result, compute
from engine.deadlines.rules import Event
from engine.reference import calendars
from engine.reference.calendars import Calendar
from engine.storage.tables.cases import case_clock, case_file

SOON = 1
ENDED_WORDS = {"met": "已办结", "expired": "已届满", "cancelled": "已取消"}


@dataclass(frozen=True, kw_only=True)
class Countdown:
    """``remaining`` days of ``unit`` (working_day or day), below zero when late, None when it does not run.

    ``light`` is late, soon (today or one day left), ok, hold or done; ``words`` says it with number and unit.
    """

    remaining: int | None
    unit: str
    light: str
    words: str


@dataclass(frozen=True, kw_only=True)
class ClockView:
    """One clock of a case. ``steps`` are rows ``{"title", "value", "note", "total"}`` of the sum, ``explanation`` sentences."""

    id: UUID
    clock: str
    title: str
    start_on: date
    due: date | None
    state: str
    remaining: int | None
    unit: str
    light: str
    words: str
    law: str
    provisional: bool
    steps: tuple[Mapping[str, Any], ...]
    explanation: tuple[str, ...]


def countdown(due: date | None, *, on: date, unit: str, state: str, calendar: Calendar) -> Countdown:
    """How a due date reads on ``on``; clocks in days, months and years count natural days."""
    counted = "working_day" if unit == "working_day" else "day"
    if state in ENDED_WORDS:
        return Countdown(remaining=None, unit=counted, light="done", words=ENDED_WORDS[state])
    if state == "suspended" or due is None:
        return Countdown(remaining=None, unit=counted, light="hold", words="已暂停")
    left = calendar.count_between(on, due) if counted == "working_day" else (due - on).days
    word = "个工作日" if counted == "working_day" else "天"
    if due == on:
        return Countdown(remaining=0, unit=counted, light="soon", words="今天到期")
    if due < on:
        late = calendar.count_between(due, on) if counted == "working_day" else (on - due).days
        words = f"逾期 {late} {word}" if late else f"逾期 {(on - due).days} 天"
        return Countdown(remaining=-late, unit=counted, light="late", words=words)
    if not left:
        return Countdown(remaining=0, unit=counted, light="soon", words=f"还剩 {(due - on).days} 天")
    return Countdown(remaining=left, unit=counted, light="soon" if left <= SOON else "ok", words=f"还剩 {left} {word}")


def clocks_of(connection: Connection, case_id: UUID, on: date) -> list[ClockView]:
    """All clocks of a case as seen on ``on``: running and suspended ones first, by due date. One statement."""
    rows = connection.execute(
        select(case_clock, events_column()).where(case_clock.c.case_id == case_id).order_by(case_clock.c.start_on, case_clock.c.id)
    ).mappings()
    calendar = calendars.load(connection)
    views = [_view(row, on, calendar) for row in rows]
    return sorted(views, key=lambda view: (view.state not in LIVE, view.due or date.max))


def _view(row: Mapping[Any, Any], on: date, calendar: Calendar) -> ClockView:
    events = read_events(row["events"])
    result = compute(stored_rule(row), row["start_on"], events, calendar=calendar)
    due = result.due if row["state"] in LIVE else row["due_on"]
    told = countdown(due, on=on, unit=row["day_kind"], state=row["state"], calendar=calendar)
    words = _held_words(row, events, calendar) if told.light == "hold" else told.words
    return ClockView(
        id=row["id"],
        clock=row["clock"],
        title=row["title"],
        start_on=row["start_on"],
        due=due,
        state=row["state"],
        remaining=told.remaining,
        unit=told.unit,
        light=told.light,
        words=words,
        law=row["law"],
        provisional=result.provisional,
        steps=_table(result),
        explanation=tuple(step.text for step in result.steps),
    )


def _held_words(row: Mapping[Any, Any], events: list[Event], calendar: Calendar) -> str:
    """What would be left if it ran again at once."""
    since = next(event.on for event in reversed(events) if event.kind == "suspend")
    assert since is not None
    due = compute(stored_rule(row), row["start_on"], [*events, Event(kind="resume", on=since)], calendar=calendar).due
    assert due is not None
    if row["day_kind"] == "working_day":
        return f"已暂停，恢复后还有 {max(calendar.count_between(since, due) + calendar.is_working(since), 0)} 个工作日"
    return f"已暂停，恢复后还有 {max((due - since).days + 1, 0)} 天"


def _table(result: Result) -> tuple[Mapping[str, Any], ...]:
    rows: list[Mapping[str, Any]] = [
        {"title": s.title, "value": s.value, "note": "", "total": False} for s in result.steps if s.kind != "law"
    ]
    law = next((step.value for step in result.steps if step.kind == "law"), "")
    if result.due is not None:
        rows.append({"title": "届满日", "value": f"{result.due}", "note": law, "total": True})
    return tuple(rows)


def nearest_clocks(connection: Connection, *, case_ids: Collection[UUID], on: date) -> dict[UUID, Countdown]:
    """The live clock of each case that runs out first, for lists; cases without one are left out. One statement."""
    if not case_ids:
        return {}
    c = case_clock.c
    rows = connection.execute(
        select(c.case_id, c.due_on, c.day_kind, c.state)
        .where(c.case_id.in_(list(case_ids)), c.state.in_(LIVE))
        .order_by(c.case_id, c.due_on.desc().nulls_first(), c.id)
    )
    calendar = calendars.load(connection)
    return {row.case_id: countdown(row.due_on, on=on, unit=row.day_kind, state=row.state, calendar=calendar) for row in rows}


def overdue(connection: Connection, *, actor: Actor, on: date, limit: int = 50) -> list[Mapping[Any, Any]]:
    """Running clocks past their due date on cases that ``actor`` may see, the oldest first: clock and case columns."""
    c = case_clock.c
    statement = (
        select(c.id, c.case_id, c.title, c.due_on, c.day_kind, case_file.c.number, case_file.c.title.label("case_title"), c.unit_id)
        .join(case_file, case_file.c.id == c.case_id)
        .where(c.state == "running", c.due_on < on)
        .order_by(c.due_on, c.id)
        .limit(limit)
    )
    return [*connection.execute(restrict(statement, actor)).mappings()]
