"""The clocks of a case: rows that acts start, stop, extend and end. Every change recomputes the due date in the same act.

A clock is addressed by case and name (``<pack>.<parameter>``); a case has at most one live clock of a name. Timers that
are bound to a clock follow it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, case, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from engine.access import assignment
from engine.deadlines.due import Result
from engine.deadlines.models import behaviour, load_models
from engine.deadlines.rows import events_column, read_events, reckon, stored_rule
from engine.deadlines.rules import ClockRefused, ClockRule, Event, rule_detail, rule_of
from engine.deadlines.steps import end_of, first_instant, start_of
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, NotFound
from engine.kernel.ids import new_id
from engine.kernel.names import pack_of, qualify
from engine.reference import calendars
from engine.reference.parameters import get_value
from engine.storage.tables.cases import case_clock, clock_event
from engine.storage.tables.runtime import task, timer

__all__ = [
    "By", "ClockState", "LiveClock", "clock_name", "due_of", "end_clock", "end_instant", "end_of", "events_column", "exclude_span", "extend_clock", "live_clock",
    "move_followers", "next_instant", "read_events", "resume_clock", "start_clock", "stored_rule", "suspend_clock", "undo_act",
]
LIVE = ("running", "suspended")
ENDS = ("met", "expired", "cancelled")


@dataclass(frozen=True, kw_only=True)
class By:
    """Who changes a clock and why: the act, the person, the ground and the document that orders it."""

    at: datetime
    act_id: UUID | None = None
    by_id: UUID | None = None
    ground: str = ""
    document_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class LiveClock:
    """A clock that runs or stands still, and how often it was extended."""

    state: str
    due_on: date | None
    extensions: int


@dataclass(frozen=True, kw_only=True)
class ClockState:
    """A clock after a change."""

    id: UUID
    clock: str
    title: str
    state: str
    start_on: date
    due_on: date | None
    due_at: datetime | None = None


def clock_name(parameter: str, label: str = "") -> str:
    """The name of the clock that ``parameter`` describes; with ``label`` one of several such clocks on a case."""
    return f"{parameter}/{label}" if label else parameter


def start_clock(
    connection: Connection,
    *,
    case_id: UUID,
    clock: str,
    start_on: date,
    by: By,
    unit_id: UUID | None = None,
    district_id: UUID | None = None,
    instance_id: UUID | None = None,
    read_on: date | None = None,
    label: str = "",
    start_at: datetime | None = None,
    amount: int | None = None,
    measure: str = "",
) -> ClockState:
    """Start the clock whose length the dated parameter ``clock`` sets, as in force on ``read_on`` (the start day by default).

    With ``measure``, another dated parameter, length, title, law and steps are that one's: the same term of a special kind of case.
    ``amount`` stands for the parameter's where somebody decided another in this case (限你单位于……内). A clock in hours starts at ``start_at``, by default when the act happens. With ``label`` the clock is called ``clock_name(clock, label)`` and its title ends with the label in brackets.
    Raises NotFound without a value in force, Conflict when the case has this clock running already.
    """
    rule = rule_of(get_value(connection, name=measure or clock, on=read_on or start_on, unit_id=unit_id))
    rule = replace(rule, amount=rule.amount if amount is None else amount, measure=measure)
    begun = (start_at or by.at) if rule.in_hours else None
    start_on = legal_date(begun) if begun else start_on
    calendar = calendars.load(connection, district_id=district_id)
    result = reckon(rule, {"start_on": start_on, "start_at": begun}, [], calendar=calendar)
    id, clock = new_id(), clock_name(clock, label)
    title = f"{rule.title}（{label}）" if label else rule.title
    _insert_clock(
        connection,
        {
            "id": id,
            "case_id": case_id,
            "instance_id": instance_id,
            "clock": clock,
            "title": title,
            "start_on": start_on,
            "due_on": result.due,
            "unit_id": unit_id,
            "district_id": district_id,
            "updated_at": by.at,
            "start_at": begun,
            "due_at": result.due_at,
            "next_at": next_instant(connection, rule, clock, result, district_id=district_id, at=by.at),
        },
        rule,
    )
    _write_event(connection, id, "start", by, Event(kind="start", on=start_on, on_at=begun))
    move_followers(connection, case_id=case_id, clock=clock, due_on=result.due, due_at=result.due_at)
    return ClockState(id=id, clock=clock, title=title, state="running", start_on=start_on, due_on=result.due, due_at=result.due_at)


def _insert_clock(connection: Connection, values: dict[str, Any], rule: ClockRule) -> None:
    """One running clock with its rule. Raises Conflict when the case has this one running or standing still."""
    statement = insert(case_clock).values(**values, day_kind=rule.unit, amount=rule.amount, law=rule.law, rule=rule_detail(rule), state="running")
    live = text("state in ('running','suspended')")  # words, not parameters: a prepared statement's generic plan matches the index by them
    made = connection.execute(statement.on_conflict_do_nothing(index_elements=["case_id", "clock"], index_where=live).returning(case_clock.c.id)).one_or_none()
    if made is None:
        raise Conflict(f"“{values['title']}”已经在计时，不能重复开始。", code="clock_running")


def next_instant(
    connection: Connection, rule: ClockRule, clock: str, result: Result, *, district_id: UUID | None, at: datetime
) -> datetime | None:
    """When somebody must first look after a clock with this result; None when nothing is to be done by itself."""
    steps = behaviour(rule, clock=clock, models=load_models(connection), on=legal_date(at)).steps
    return first_instant(steps, result.due, result.due_at, calendars.load(connection, district_id=district_id)) if steps else None


def suspend_clock(connection: Connection, *, case_id: UUID, clock: str, on: date, by: By, on_at: datetime | None = None) -> ClockState:
    """Stop counting from ``on`` on (in hours: from ``on_at``). Raises ClockRefused when it stands still already or has run out."""
    return _change(connection, case_id, clock, Event(kind="suspend", on=on, ground=by.ground, on_at=on_at), by)


def resume_clock(connection: Connection, *, case_id: UUID, clock: str, on: date, by: By, on_at: datetime | None = None) -> ClockState:
    """Count again from ``on`` on (in hours: from ``on_at``). Raises ClockRefused when it is not suspended."""
    return _change(connection, case_id, clock, Event(kind="resume", on=on, ground=by.ground, on_at=on_at), by)


def exclude_span(connection: Connection, *, case_id: UUID, clock: str, first: date, last: date, by: By) -> ClockState:
    """Don't count ``first`` to ``last``, both included (检测, 检验, 鉴定, 公告). Raises ClockRefused when this span is excluded already."""
    return _change(connection, case_id, clock, Event(kind="exclude", on=first, until=last, ground=by.ground), by)


def extend_clock(
    connection: Connection, *, case_id: UUID, clock: str, amount: int, on: date, by: By, unit: str | None = None
) -> ClockState:
    """Add ``amount`` of ``unit`` (the clock's own by default). Raises ClockRefused beyond its limit or after it ran out."""
    return _change(connection, case_id, clock, Event(kind="extend", on=on, amount=amount, unit=unit, ground=by.ground), by)


def end_clock(connection: Connection, *, case_id: UUID, clock: str, on: date, by: By, state: str | None = None) -> ClockState:
    """End a live clock: ``met`` in time or ``expired`` after its due date as ``on`` tells, or the given ``state``.

    Raises NotFound when the case has no such clock running.
    """
    if state is not None and state not in ENDS:
        raise ValueError(state)
    row = _lock(connection, case_id, clock)
    over = by.at > row["due_at"] if row["due_at"] is not None else row["due_on"] is not None and on > row["due_on"]
    ended = state or ("expired" if over else "met")
    _write_event(connection, row["id"], "end", by, Event(kind="end", on=on))
    connection.execute(update(case_clock).where(case_clock.c.id == row["id"]).values(state=ended, ended_at=by.at, updated_at=by.at))
    return _state(row, ended, row["due_on"], row["due_at"])


def _change(connection: Connection, case_id: UUID, clock: str, event: Event, by: By) -> ClockState:
    row = _lock(connection, case_id, clock)
    rule, before = stored_rule(row), read_events(row["events"])
    event = _timed(row, event, by)
    _check_day(row, event, by)
    if event.kind == "exclude" and any(e.kind == "exclude" and (e.on, e.until) == (event.on, event.until) for e in before):
        raise ClockRefused(f"{event.on} 至 {event.until} 已经从“{row['title']}”里除外，同一段时间不能除外两次。")
    if event.kind == "extend":
        _check_right(connection, row, rule, by)
    result = reckon(rule, row, [*before, event], calendar=calendars.load(connection, district_id=row["district_id"]))
    _write_event(connection, row["id"], event.kind, by, event)
    return _store(connection, row, result, by.at)


def _timed(row: Mapping[Any, Any], event: Event, by: By) -> Event:
    """The event in the clock's own unit; on a clock in hours what happens today happens now."""
    if event.kind == "extend" and event.unit is None:
        event = replace(event, unit=row["day_kind"])
    if row["start_at"] is not None and event.on_at is None and event.kind != "exclude" and event.on == legal_date(by.at):
        event = replace(event, on_at=by.at)
    return event


def _check_day(row: Mapping[Any, Any], event: Event, by: By) -> None:
    if (event.on is not None and event.on > legal_date(by.at)) or (event.on_at is not None and event.on_at > by.at):
        raise ClockRefused(f"{event.on} 还没有到，不能提前记入“{row['title']}”。")
    if event.kind not in ("suspend", "extend") or row["due_on"] is None or event.on is None:
        return
    over = event.on_at > row["due_at"] if row["due_at"] is not None and event.on_at is not None else event.on > row["due_on"]
    if over:
        raise ClockRefused(f"“{row['title']}”已于 {row['due_on']} 届满，不能再{'暂停' if event.kind == 'suspend' else '延长'}。")


def _check_right(connection: Connection, row: Mapping[Any, Any], rule: ClockRule, by: By) -> None:
    """Raise ClockRefused when the rule names who may extend and the person who does isn't one of them."""
    if not rule.extension_roles or by.by_id is None or row["unit_id"] is None:
        return
    for role in rule.extension_roles:
        pool = assignment.pool(connection, role=qualify(role, pack_of(row["clock"])), case_unit_id=row["unit_id"], on=legal_date(by.at))
        if any(id == by.by_id for id, _ in pool.people):
            return
    raise ClockRefused(f"“{row['title']}”只能由规定的批准人延长，您不在其中。")


def _store(connection: Connection, row: Mapping[Any, Any], result: Result, at: datetime) -> ClockState:
    next_at = next_instant(connection, stored_rule(row), row["clock"], result, district_id=row["district_id"], at=at)
    values = {"due_on": result.due, "due_at": result.due_at, "state": result.state, "updated_at": at, "ended_at": None, "next_at": next_at}
    connection.execute(update(case_clock).where(case_clock.c.id == row["id"]).values(**values))
    move_followers(connection, case_id=row["case_id"], clock=row["clock"], due_on=result.due, due_at=result.due_at)
    return _state(row, result.state, result.due, result.due_at)


def _state(row: Mapping[Any, Any], state: str, due: date | None, due_at: datetime | None = None) -> ClockState:
    return ClockState(id=row["id"], clock=row["clock"], title=row["title"], state=state, start_on=row["start_on"], due_on=due, due_at=due_at)


def _lock(connection: Connection, case_id: UUID, clock: str) -> Mapping[Any, Any]:
    row = (
        connection.execute(
            select(case_clock, events_column())
            .where(case_clock.c.case_id == case_id, case_clock.c.clock == clock, case_clock.c.state.in_(LIVE))
            .with_for_update(of=case_clock)
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFound("本案没有正在计算的这项期限。", code="clock_not_running", clock=clock)
    return row


def _write_event(connection: Connection, clock_id: UUID, kind: str, by: By, event: Event) -> None:
    connection.execute(
        insert(clock_event).values(
            id=new_id(),
            clock_id=clock_id,
            kind=kind,
            on_day=event.on,
            until_day=event.until,
            amount=event.amount,
            day_kind=event.unit,
            ground=by.ground,
            document_id=by.document_id,
            act_id=by.act_id,
            by_id=by.by_id,
            at=by.at,
            on_at=event.on_at,
            until_at=event.until_at,
        )
    )


def undo_act(connection: Connection, *, act_id: UUID, at: datetime) -> int:
    """Take back what an act did to clocks (撤回, 退回): its events go, due dates are computed again; how many clocks.

    A clock that the act started is cancelled; one that it ended runs on.
    """
    events = connection.execute(
        delete(clock_event).where(clock_event.c.act_id == act_id).returning(clock_event.c.clock_id, clock_event.c.kind)
    ).all()
    started = {clock_id for clock_id, kind in events if kind == "start"}
    for clock_id in sorted({clock_id for clock_id, _ in events}):
        row = (
            connection.execute(select(case_clock, events_column()).where(case_clock.c.id == clock_id).with_for_update(of=case_clock))
            .mappings()
            .one()
        )
        if clock_id in started:
            connection.execute(update(case_clock).where(case_clock.c.id == clock_id).values(state="cancelled", ended_at=at, updated_at=at))
        else:
            calendar = calendars.load(connection, district_id=row["district_id"])
            _store(connection, row, reckon(stored_rule(row), row, read_events(row["events"]), calendar=calendar), at)
    return len({clock_id for clock_id, _ in events})


def move_followers(connection: Connection, *, case_id: UUID, clock: str, due_on: date | None, due_at: datetime | None = None) -> None:
    """Timers bound to the clock are due when its last day is over (or begins) and stand still with it; steps that follow it have its due date."""
    values: dict[str, Any] = {"suspended": due_on is None}
    if due_on is not None:
        values["due_at"] = case((timer.c.on_last_day, start_of(due_on)), else_=due_at or end_of(due_on))
    moved = update(timer).where(timer.c.case_id == case_id, timer.c.clock == clock, timer.c.claimed_at.is_(None)).values(**values)
    steps = update(task).where(task.c.case_id == case_id, task.c.clock == clock, task.c.status == "open").values(due_on=due_on).returning(task.c.id)
    connection.execute(moved.add_cte(steps.cte("steps")))


def live_clock(connection: Connection, *, case_id: UUID, clock: str) -> LiveClock | None:
    """The live clock of this name on the case, None when there is none."""
    extended = select(func.count()).where(clock_event.c.clock_id == case_clock.c.id, clock_event.c.kind == "extend").correlate(case_clock)
    row = connection.execute(
        select(case_clock.c.state, case_clock.c.due_on, extended.scalar_subquery().label("extensions")).where(
            case_clock.c.case_id == case_id, case_clock.c.clock == clock, case_clock.c.state.in_(LIVE)
        )
    ).one_or_none()
    return None if row is None else LiveClock(state=row.state, due_on=row.due_on, extensions=row.extensions)


def due_of(connection: Connection, *, case_id: UUID, clock: str) -> date | None:
    """The due date of a live clock, None while suspended; raises NotFound. For arming a timer."""
    due = end_instant(connection, case_id=case_id, clock=clock)
    return None if due is None else due[0]


def end_instant(connection: Connection, *, case_id: UUID, clock: str) -> tuple[date, datetime] | None:
    """(due date, instant at which it is over) of a live clock, None while suspended; raises NotFound."""
    row = connection.execute(
        select(case_clock.c.due_on, case_clock.c.due_at).where(case_clock.c.case_id == case_id, case_clock.c.clock == clock, case_clock.c.state.in_(LIVE))
    ).one_or_none()
    if row is None:
        raise NotFound("本案没有正在计算的这项期限。", code="clock_not_running", clock=clock)
    return None if row.due_on is None else (row.due_on, row.due_at or end_of(row.due_on))
