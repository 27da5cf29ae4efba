"""Due dates of many live clocks under another calendar: what shifts, and the shift itself, batch by batch.

A clock depends only on days up to its due date, so those that end before the first changed day are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection

from engine.deadlines.models import Models, behaviour
from engine.deadlines.rows import read_events, reckon
from engine.deadlines.rules import ClockRule, rule_from
from engine.deadlines.steps import end_of, first_instant
from engine.kernel.errors import GuichengError
from engine.kernel.ids import new_id
from engine.reference.calendars import Calendar

BATCH = 5_000
Calendars = Callable[[UUID | None], Calendar]
_READ = """
SELECT c.id, c.case_id, c.clock, c.title, c.day_kind, c.amount, c.law, c.rule::text, c.start_on, c.start_at, c.due_on, c.due_at, c.unit_id, c.district_id, e.events
FROM case_clock c LEFT JOIN LATERAL (
  SELECT json_agg(json_build_array(kind, on_day, until_day, amount, day_kind, ground, on_at, until_at) ORDER BY at, id) AS events
  FROM clock_event WHERE clock_id = c.id AND kind IN ('suspend', 'resume', 'exclude', 'extend')) e ON true
WHERE c.state = 'running' AND c.due_on >= %(first)s AND c.id > %(after)s
  AND (%(district)s::uuid IS NULL OR c.district_id = %(district)s) AND (%(since)s::timestamptz IS NULL OR c.updated_at >= %(since)s)
ORDER BY c.id LIMIT %(limit)s
"""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which clocks: those that end on ``first`` or later, of one ``district`` or of all, changed ``since`` an instant or ever."""

    first: date
    district: UUID | None = None
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A clock whose due date moves; ``after`` is None and ``problem`` says why when it can't be reckoned."""

    clock_id: UUID
    case_id: UUID
    clock: str
    title: str
    unit_id: UUID | None
    before: date
    after: date | None
    after_at: datetime | None = None
    next_at: datetime | None = None
    problem: str = ""


def count_wanted(connection: Connection, wanted: Wanted) -> int:
    """How many clocks will be looked at."""
    cursor = connection.exec_driver_sql(
        "SELECT count(*) FROM case_clock c WHERE c.state = 'running' AND c.due_on >= %(first)s AND (%(district)s::uuid IS NULL OR c.district_id = %(district)s)"
        " AND (%(since)s::timestamptz IS NULL OR c.updated_at >= %(since)s)",
        {"first": wanted.first, "district": wanted.district, "since": wanted.since},
    )
    return int(cursor.scalar_one())


def next_batch(
    connection: Connection, wanted: Wanted, *, after: UUID, calendars: Calendars, models: Models, on: date, lock: bool = False, size: int = BATCH
) -> tuple[UUID | None, int, list[Shift]]:
    """(last id or None at the end, how many were looked at, those that shift). With ``lock`` their rows are held."""
    statement = _READ + ("FOR UPDATE OF c" if lock else "")
    values = {"first": wanted.first, "after": after, "district": wanted.district, "since": wanted.since, "limit": size}
    rows = connection.exec_driver_sql(statement, values).all()
    return (rows[-1][0] if rows else None), len(rows), [*_shifts(rows, calendars, models, on)]


def _shifts(rows: Sequence[Any], calendars: Calendars, models: Models, on: date) -> Iterator[Shift]:
    for row in rows:
        rule = _rule(row.day_kind, row.amount, row.title, row.law, row.rule)
        calendar = calendars(row.district_id)
        mine = {"clock_id": row.id, "case_id": row.case_id, "clock": row.clock, "title": row.title, "unit_id": row.unit_id, "before": row.due_on}
        try:
            result = reckon(rule, {"start_on": row.start_on, "start_at": row.start_at}, read_events(row.events or ()), calendar=calendar)
        except GuichengError as error:
            yield Shift(**mine, after=None, problem=error.message)
            continue
        if result.due != row.due_on or result.due_at != row.due_at:
            steps = behaviour(rule, clock=row.clock, models=models, on=on).steps
            yield Shift(**mine, after=result.due, after_at=result.due_at, next_at=first_instant(steps, result.due, result.due_at, calendar))


@lru_cache(maxsize=4_000)
def _rule(unit: str, amount: int, title: str, law: str, rule: str) -> ClockRule:
    return rule_from({"amount": amount, "unit": unit, "title": title, "law": law, **orjson.loads(rule)})


_STAGE = """CREATE TEMP TABLE IF NOT EXISTS moved (clock_id uuid, case_id uuid, clock text, title text, before date, after date, after_at timestamptz,
  next_at timestamptz, over_at timestamptz, event_id uuid, act_id uuid) ON COMMIT DELETE ROWS"""
_WRITE = (
    "UPDATE case_clock c SET due_on = m.after, due_at = m.after_at, next_at = m.next_at FROM moved m WHERE c.id = m.clock_id",
    "UPDATE timer t SET due_at = CASE WHEN t.on_last_day THEN m.after::timestamp AT TIME ZONE 'Asia/Shanghai' ELSE m.over_at END FROM moved m WHERE t.case_id = m.case_id AND t.clock = m.clock AND t.claimed_at IS NULL",
    "UPDATE task t SET due_on = m.after FROM moved m WHERE t.case_id = m.case_id AND t.clock = m.clock AND t.status = 'open'",
    "INSERT INTO clock_event (id, clock_id, kind, on_day, until_day, ground, by_id, at) SELECT event_id, clock_id, 'calendar', before, after, %(ground)s, %(by)s, %(at)s FROM moved",
    "INSERT INTO act (id, key, kind, case_id, title, actor_id, actor_name, at, outcome, outcome_title, opinion, flows, nodes, result, automatic)"
    " SELECT act_id, 'calendar:' || event_id, 'calendar', case_id, title, NULL, '系统', %(at)s, 'calendar', '日历调整',"
    " '届满日由 ' || before || ' 改为 ' || after || '：' || %(ground)s, '[]', '[]', '{}', true FROM moved",
)


def write_shifts(connection: Connection, shifts: Sequence[Shift], *, ground: str, by: UUID | None, at: datetime) -> int:
    """Move the clocks, the timers and steps that follow them, and leave an entry in the history of each case; how many moved."""
    moved = [shift for shift in shifts if shift.after is not None]
    if not moved:
        return 0
    connection.exec_driver_sql(_STAGE)
    with connection.connection.cursor() as cursor, cursor.copy("COPY moved FROM STDIN") as copy:  # type: ignore[attr-defined]
        for s in moved:
            assert s.after is not None
            copy.write_row((s.clock_id, s.case_id, s.clock, s.title, s.before, s.after, s.after_at, s.next_at, s.after_at or end_of(s.after), new_id(), new_id()))
    for statement in _WRITE:
        connection.exec_driver_sql(statement, {"ground": ground, "by": by, "at": at})
    return len(moved)


def keep_shifts(connection: Connection, change_id: UUID, shifts: Sequence[Shift]) -> None:
    """Remember for the page what shifts."""
    with connection.connection.cursor() as cursor, cursor.copy(  # type: ignore[attr-defined]
        "COPY calendar_shift (change_id, clock_id, case_id, title, unit_id, due_before, due_after, problem) FROM STDIN"
    ) as copy:
        for s in shifts:
            copy.write_row((change_id, s.clock_id, s.case_id, s.title, s.unit_id, s.before, s.after or s.before, s.problem))


_PLAN = """
SELECT c.id, c.clock, c.title, c.day_kind, c.amount, c.law, c.rule::text, c.due_on, c.due_at, c.district_id FROM case_clock c
WHERE c.state = 'running' AND coalesce(c.rule->>'measure', split_part(c.clock, '/', 1)) = %(clock)s AND c.id > %(after)s ORDER BY c.id LIMIT %(limit)s FOR UPDATE OF c
"""


def replan_batch(
    connection: Connection, *, clock: str, after: UUID, calendars: Calendars, models: Models, on: date, size: int = BATCH
) -> tuple[UUID | None, int]:
    """Plan the next step of a batch of running clocks of one name anew, as another warning model wants it; (last id, how many)."""
    rows = connection.exec_driver_sql(_PLAN, {"clock": clock, "after": after, "limit": size}).all()
    planned = []
    for row in rows:
        rule = _rule(row.day_kind, row.amount, row.title, row.law, row.rule)
        steps = behaviour(rule, clock=row.clock, models=models, on=on).steps
        planned.append((row.id, first_instant(steps, row.due_on, row.due_at, calendars(row.district_id))))
    if planned:
        ids, instants = [id for id, _ in planned], [at for _, at in planned]
        connection.exec_driver_sql(
            "UPDATE case_clock c SET next_at = p.next_at FROM unnest(%(ids)s::uuid[], %(instants)s::timestamptz[]) AS p(id, next_at) WHERE c.id = p.id",
            {"ids": ids, "instants": instants},
        )
    return (rows[-1].id if rows else None), len(rows)
