"""Another warning model for a clock from a day on: kept as a dated version, then every running clock of that name is planned anew."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, union_all

from engine.access import audit
from engine.access.actors import Actor
from engine.deadlines.models import add_model, behaviour, load_models
from engine.deadlines.queries import soon_until
from engine.deadlines.recount import replan_batch
from engine.deadlines.rules import rule_of
from engine.deadlines.steps import check_soon, instant_of, parse_steps
from engine.kernel.clock import legal_date
from engine.kernel.errors import Invalid
from engine.reference import calendars
from engine.reference.cache import SECONDS
from engine.reference.parameters import get_value
from engine.runtime.application import Application
from engine.runtime.job_names import REPLAN_CLOCKS
from engine.storage.tables.clocks import clock_count, clock_delta


def change_warning(app: Application, *, actor: Actor, clock: str, valid_from: date, soon: str, steps: list[dict[str, Any]], source: str, at: datetime) -> UUID:
    """A new version. Raises Forbidden, ClockRefused for a step that reads wrong, Invalid for a day that is over, NotFound for no such clock."""
    actor.require("admin")
    if valid_from < legal_date(at):
        raise Invalid("生效日不能早于今天：已经发出的提醒不会改变。", fields={"valid_from": "请填今天或以后。"})
    with app.db.begin() as connection:
        get_value(connection, name=clock, on=valid_from)
        id = add_model(connection, clock=clock, valid_from=valid_from, soon=soon, steps=steps, source=source, by_id=actor.person_id, by_name=actor.name, at=at)
        midnight = at if valid_from == legal_date(at) else at + timedelta(days=(valid_from - legal_date(at)).days)
        # Once at its day, and once more when no process still has the old model in mind.
        for late in (0.0, SECONDS + 15):
            app.jobs.defer(connection, REPLAN_CLOCKS, schedule_at=midnight + timedelta(seconds=late), clock=clock)
        audit.note(connection, actor=actor, at=at, action="clock.model", object=clock, detail={"from": valid_from, "soon": soon, "steps": steps, "source": source})
    return id


def replan_clocks(app: Application, *, clock: str) -> int:
    """The job: the next step of every running clock of this name; how many."""
    after, done, on = UUID(int=0), 0, legal_date(app.clock.now())
    while True:
        with app.db.begin() as connection:
            last, looked = replan_batch(
                connection, clock=clock, after=after, calendars=lambda district: calendars.load(connection, district_id=district), models=load_models(connection), on=on,
            )
        if last is None:
            return done
        after, done = last, done + looked


@dataclass(frozen=True, kw_only=True)
class WarningEffect:
    """What another model would do today: yellow lights before and after, and how many people's reminders would be due at once."""

    running: int
    yellow_before: int
    yellow_after: int
    due_at_once: int
    words: tuple[str, ...]


def warning_effect(connection: Connection, *, clock: str, soon: str, steps: list[dict[str, Any]], on: date, at: datetime) -> WarningEffect:
    """Try a model out without keeping it, over all running clocks of this name. Raises ClockRefused for one that reads wrong."""
    check_soon(soon)
    parsed = parse_steps(steps)
    current = get_value(connection, name=clock, on=on)
    rule, calendar = rule_of(current), calendars.load(connection)
    before = behaviour(rule, clock=clock, models=load_models(connection), on=on).soon
    c = clock_count.c
    both = union_all(select(c.due_on, c.n).where(c.clock == clock), select(clock_delta.c.due_on, clock_delta.c.n).where(clock_delta.c.clock == clock)).subquery()
    rows = connection.execute(select(both.c.due_on, func.sum(both.c.n).label("n")).where(both.c.due_on < date(9999, 12, 31)).group_by(both.c.due_on)).all()
    until = {name: soon_until(text, unit=rule.unit, on=on, calendar=calendar) for name, text in (("before", before), ("after", soon))}
    yellow = {name: sum(row.n for row in rows if on <= row.due_on <= last) for name, last in until.items()}
    at_once = sum(row.n for row in rows if any(step.kind in ("remind", "escalate") and instant_of(step, row.due_on, None, calendar) <= at for step in parsed))
    return WarningEffect(
        running=sum(row.n for row in rows), yellow_before=yellow["before"], yellow_after=yellow["after"], due_at_once=at_once,
        words=tuple(f"{step.when_words}{step.does_words}" for step in parsed),
    )
