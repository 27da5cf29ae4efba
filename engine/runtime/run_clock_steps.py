"""What clocks do before, at and after their end: due ones found by index, in order, each step once.

One transaction for each clock, holding its row: an act that moves the clock waits or is waited for. Notices, messages and
signals leave in the same commit as the mark that they were done.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access.notices import NewNotice, send_notices
from engine.deadlines.models import behaviour, load_models
from engine.deadlines.rows import stored_rule
from engine.deadlines.steps import ACTS, ONCE, ClockStep, instant_of
from engine.kernel.clock import legal_date
from engine.reference import calendars
from engine.runtime.application import Application
from engine.runtime.clock_people import people_of
from engine.runtime.job_names import THROW_MESSAGE, THROW_SIGNAL
from engine.storage.tables.cases import case_clock, case_file
from engine.storage.tables.clocks import clock_done

log = structlog.get_logger(__name__)
LIGHT_WORDS = {"remind": "期限提醒", "escalate": "超期上报"}


def run_clock_steps(app: Application, at: datetime, *, limit: int = 500) -> int:
    """Do every step that is due at ``at`` on running clocks, the earliest first; how many were done."""
    c = case_clock.c
    with app.db.connect() as connection:
        due = connection.scalars(select(c.id).where(c.state == "running", c.next_at <= at).order_by(c.next_at, c.id).limit(limit)).all()
    return sum(run_clock(app, clock_id=id, at=at) for id in due)


def run_clock(app: Application, *, clock_id: UUID, at: datetime) -> int:
    """Do what one clock is due for and plan its next step; how many steps were done. A clock that an act holds is left for later."""
    c = case_clock.c
    wanted = select(case_clock).where(c.id == clock_id, c.state == "running", c.next_at <= at).with_for_update(skip_locked=True)
    with app.db.begin() as connection:
        row = connection.execute(wanted).mappings().one_or_none()
        if row is None or row["due_on"] is None:
            return 0
        planned = _planned(connection, row, at)
        ready = [(instant, step) for instant, step in planned if instant <= at]
        for _, step in _once(ready):
            _do(app, connection, row, step, at)
        if ready:
            connection.execute(insert(clock_done).on_conflict_do_nothing(), [_mark(row, step, at, ready) for _, step in ready])
        later = min((instant for instant, _ in planned if instant > at), default=None)
        connection.execute(update(case_clock).where(c.id == clock_id).values(next_at=later))
        return len(ready)


def _planned(connection: Connection, row: Mapping[Any, Any], at: datetime) -> list[tuple[datetime, ClockStep]]:
    """(instant, step) of everything the clock still has to do for its due date, in order."""
    d = clock_done.c
    done = {(mark.step, mark.due_on) for mark in connection.execute(select(d.step, d.due_on).where(d.clock_id == row["id"]))}
    ever = {step for step, _ in done}
    steps = behaviour(stored_rule(row), clock=row["clock"], models=load_models(connection), on=legal_date(at)).steps
    calendar = calendars.load(connection, district_id=row["district_id"])
    open_ = [s for s in steps if s.kind in ACTS and (s.key, row["due_on"]) not in done and not (s.kind in ONCE and s.key in ever)]
    return sorted(((instant_of(step, row["due_on"], row["due_at"], calendar), step) for step in open_), key=lambda one: (one[0], one[1].kind))


def _once(ready: Sequence[tuple[datetime, ClockStep]]) -> list[tuple[datetime, ClockStep]]:
    """Of several reminders that are due together only the last is sent; all else happens."""
    reminders = [one for one in ready if one[1].kind == "remind"]
    return [one for one in ready if one[1].kind != "remind" or one is reminders[-1]]


def _mark(row: Mapping[Any, Any], step: ClockStep, at: datetime, ready: Sequence[tuple[datetime, ClockStep]]) -> dict[str, Any]:
    done = any(one is step for _, one in _once(ready))
    return {"clock_id": row["id"], "step": step.key, "due_on": row["due_on"], "kind": step.kind if done else "skipped", "words": f"{step.when_words}，{step.does_words}", "at": at}


def _do(app: Application, connection: Connection, row: Mapping[Any, Any], step: ClockStep, at: datetime) -> None:
    if step.kind == "message":
        payload = {"case_id": str(row["case_id"]), "clock": row["clock"], "title": row["title"], "due_on": row["due_on"].isoformat()}
        app.jobs.defer(connection, THROW_MESSAGE, name=step.names[0], correlation=str(row["case_id"]), payload=payload, key=f"clock:{row['id']}:{step.key}")
    elif step.kind == "signal":
        app.jobs.defer(connection, THROW_SIGNAL, name=step.names[0], key=f"clock:{row['id']}:{step.key}", instance_id=str(UUID(int=0)))
    else:
        _tell(connection, row, step, at)


def _tell(connection: Connection, row: Mapping[Any, Any], step: ClockStep, at: datetime) -> None:
    """One notice for everybody meant; when nobody is found, the head of the office gets it."""
    case = connection.execute(select(case_file).where(case_file.c.id == row["case_id"])).mappings().one()
    on = legal_date(at)
    people = people_of(connection, case=case, names=step.names, clock=row["clock"], on=on) or people_of(connection, case=case, names=("office_head",), clock=row["clock"], on=on)
    if not people:
        log.warning("nobody to tell about a clock", clock=str(row["id"]), step=step.key)
    what = step.text or f"{step.when_words}，届满日 {row['due_on']:%Y-%m-%d}"
    text = f"{LIGHT_WORDS[step.kind]}：{row['title']}（至 {row['due_on']:%Y-%m-%d}）{what}　{case['number'] or ''} {case['title']}"
    send_notices(connection, at=at, notices=[NewNotice(person_id=id, kind="due", text=text, link=f"/cases/{case['id']}", case_id=case["id"]) for id in people])
