"""The clocks of a case: rows that acts start, stop, extend and end. Every change recomputes the due date in the same act.

A clock is addressed by case and name (``<pack>.<parameter>``); a case has at most one live clock of a name. Timers that
are bound to a clock follow it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from engine.deadlines.due import Result, compute
from engine.deadlines.rules import ClockRefused, ClockRule, Event, rule_detail, rule_from, rule_of
from engine.kernel.clock import SHANGHAI, legal_date
from engine.kernel.errors import Conflict, NotFound
from engine.kernel.ids import new_id
from engine.reference import calendars
from engine.reference.parameters import get_value
from engine.storage.tables.cases import case_clock, clock_event
from engine.storage.tables.runtime import timer

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
) -> ClockState:
    """Start the clock whose length the dated parameter ``clock`` sets, as in force on ``read_on`` (the start day by default).

    With ``label`` the clock is called ``clock_name(clock, label)`` and its title ends with the label in brackets.
    Raises NotFound without a value in force, Conflict when the case has this clock running already.
    """
    rule = rule_of(get_value(connection, name=clock, on=read_on or start_on, unit_id=unit_id))
    result = compute(rule, start_on, calendar=calendars.load(connection))
    id, clock = new_id(), clock_name(clock, label)
    title = f"{rule.title}（{label}）" if label else rule.title
    statement = insert(case_clock).values(
        id=id,
        case_id=case_id,
        instance_id=instance_id,
        clock=clock,
        title=title,
        day_kind=rule.unit,
        amount=rule.amount,
        law=rule.law,
        start_on=start_on,
        due_on=result.due,
        state="running",
        unit_id=unit_id,
        district_id=district_id,
        updated_at=by.at,
        rule=rule_detail(rule),
    )
    live = case_clock.c.state.in_(LIVE)
    made = connection.execute(
        statement.on_conflict_do_nothing(index_elements=["case_id", "clock"], index_where=live).returning(case_clock.c.id)
    ).one_or_none()
    if made is None:
        raise Conflict(f"“{title}”已经在计时，不能重复开始。", code="clock_running")
    _write_event(connection, id, "start", by, on=start_on)
    _move_timers(connection, case_id=case_id, clock=clock, due_on=result.due)
    return ClockState(id=id, clock=clock, title=title, state="running", start_on=start_on, due_on=result.due)


def suspend_clock(connection: Connection, *, case_id: UUID, clock: str, on: date, by: By) -> ClockState:
    """Stop counting from ``on`` on. Raises ClockRefused when it stands still already or has run out."""
    return _change(connection, case_id, clock, Event(kind="suspend", on=on, ground=by.ground), by)


def resume_clock(connection: Connection, *, case_id: UUID, clock: str, on: date, by: By) -> ClockState:
    """Count again from ``on`` on. Raises ClockRefused when it is not suspended."""
    return _change(connection, case_id, clock, Event(kind="resume", on=on, ground=by.ground), by)


def exclude_span(connection: Connection, *, case_id: UUID, clock: str, first: date, last: date, by: By) -> ClockState:
    """Don't count ``first`` to ``last``, both included (检测, 检验, 鉴定, 公告)."""
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
    ended = state or ("expired" if row["due_on"] is not None and on > row["due_on"] else "met")
    _write_event(connection, row["id"], "end", by, on=on)
    connection.execute(update(case_clock).where(case_clock.c.id == row["id"]).values(state=ended, ended_at=by.at, updated_at=by.at))
    return _state(row, ended, row["due_on"])


def _change(connection: Connection, case_id: UUID, clock: str, event: Event, by: By) -> ClockState:
    row = _lock(connection, case_id, clock)
    if event.kind == "extend" and event.unit is None:
        event = Event(kind="extend", on=event.on, amount=event.amount, unit=row["day_kind"], ground=event.ground)
    if event.on is not None and event.on > legal_date(by.at):
        raise ClockRefused(f"{event.on} 还没有到，不能提前记入“{row['title']}”。")
    if event.kind in ("suspend", "extend") and row["due_on"] is not None and event.on is not None and event.on > row["due_on"]:
        raise ClockRefused(f"“{row['title']}”已于 {row['due_on']} 届满，不能再{'暂停' if event.kind == 'suspend' else '延长'}。")
    result = _compute(connection, row, [*read_events(row["events"]), event])
    _write_event(connection, row["id"], event.kind, by, on=event.on, until=event.until, amount=event.amount, unit=event.unit)
    return _store(connection, row, result, by.at)


def _store(connection: Connection, row: Mapping[Any, Any], result: Result, at: datetime) -> ClockState:
    connection.execute(
        update(case_clock).where(case_clock.c.id == row["id"]).values(due_on=result.due, state=result.state, updated_at=at, ended_at=None)
    )
    _move_timers(connection, case_id=row["case_id"], clock=row["clock"], due_on=result.due)
    return _state(row, result.state, result.due)


def _state(row: Mapping[Any, Any], state: str, due: date | None) -> ClockState:
    return ClockState(id=row["id"], clock=row["clock"], title=row["title"], state=state, start_on=row["start_on"], due_on=due)


def _compute(connection: Connection, row: Mapping[Any, Any], events: list[Event]) -> Result:
    """The due date as the row and ``events`` say, no matter when; expired is a matter of the reader's day."""
    return compute(stored_rule(row), row["start_on"], events, calendar=calendars.load(connection))


def stored_rule(row: Mapping[Any, Any]) -> ClockRule:
    """The rule that a ``case_clock`` row carries."""
    return rule_from({"amount": row["amount"], "unit": row["day_kind"], "title": row["title"], "law": row["law"], **row["rule"]})


def events_column() -> Any:
    """A correlated list of a clock's events in the order they were written, to select beside ``case_clock``."""
    e = clock_event.c
    one = func.json_build_array(e.kind, e.on_day, e.until_day, e.amount, e.day_kind, e.ground)
    listed = func.coalesce(func.json_agg(aggregate_order_by(one, e.at, e.id)), func.json_build_array())
    return select(listed).where(e.clock_id == case_clock.c.id).correlate(case_clock).scalar_subquery().label("events")


def read_events(stored: list[list[Any]]) -> list[Event]:
    """What ``events_column`` gave, without start and end."""
    return [
        Event(kind=kind, on=_date(on), until=_date(until), amount=amount, unit=unit, ground=ground)
        for kind, on, until, amount, unit, ground in stored
        if kind not in ("start", "end")
    ]


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


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


def _write_event(
    connection: Connection,
    clock_id: UUID,
    kind: str,
    by: By,
    *,
    on: date | None,
    until: date | None = None,
    amount: int | None = None,
    unit: str | None = None,
) -> None:
    connection.execute(
        insert(clock_event).values(
            id=new_id(),
            clock_id=clock_id,
            kind=kind,
            on_day=on,
            until_day=until,
            amount=amount,
            day_kind=unit,
            ground=by.ground,
            document_id=by.document_id,
            act_id=by.act_id,
            by_id=by.by_id,
            at=by.at,
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
            _store(connection, row, _compute(connection, row, read_events(row["events"])), at)
    return len({clock_id for clock_id, _ in events})


def _move_timers(connection: Connection, *, case_id: UUID, clock: str, due_on: date | None) -> None:
    """Timers bound to the clock are due when its last day is over; they stand still with it."""
    values: dict[str, Any] = {"suspended": due_on is None}
    if due_on is not None:
        values["due_at"] = end_of(due_on)
    connection.execute(
        update(timer).where(timer.c.case_id == case_id, timer.c.clock == clock, timer.c.claimed_at.is_(None)).values(**values)
    )


def end_of(day: date) -> datetime:
    """Midnight in Shanghai after ``day``."""
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI)


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
    row = connection.execute(
        select(case_clock.c.due_on).where(case_clock.c.case_id == case_id, case_clock.c.clock == clock, case_clock.c.state.in_(LIVE))
    ).one_or_none()
    if row is None:
        raise NotFound("本案没有正在计算的这项期限。", code="clock_not_running", clock=clock)
    due: date | None = row.due_on
    return due
