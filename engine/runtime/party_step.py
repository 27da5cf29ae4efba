"""A party's step from outside: what waits for it, and completing one. A right that ran out is refused with its rule."""
from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from engine.access.actors import Actor
from engine.kernel.clock import legal_date
from engine.kernel.errors import AlreadyDone, NotFound
from engine.runtime.application import Application
from engine.runtime.complete_task import complete_task
from engine.runtime.fire_due_timers import fire_timer
from engine.runtime.work import ActResult
from engine.storage.database import for_reading
from engine.storage.tables.cases import case_clock, case_file
from engine.storage.tables.organisation import unit
from engine.storage.tables.runtime import instance, task, timer

NOT_THERE = "没有这件事，或者它不是送给您的。"


def steps_of(connection: Connection, *, party_ids: Collection[UUID]) -> list[Row[Any]]:
    """Open steps of these parties, the most urgent first: id, party_id, title, due_on, opened_at, unit (the bureau that asks)."""
    wanted = (
        select(task.c.id, task.c.party_id, task.c.title, task.c.due_on, task.c.opened_at, unit.c.name.label("unit"))
        .select_from(task.join(case_file, case_file.c.id == task.c.case_id).join(unit, unit.c.id == case_file.c.unit_id))
        .where(task.c.party_id.in_(party_ids), task.c.status == "open").order_by(task.c.due_on.nulls_last(), task.c.id).limit(50)
    )
    return list(connection.execute(wanted))


def step_of(connection: Connection, *, party_ids: Collection[UUID], task_id: UUID) -> dict[str, Any]:
    """The step's row with its instance's, whatever its status; raises NotFound when it is nobody's of ``party_ids``."""
    columns = [*task.c, instance.c.bundle_id, instance.c.process.label("instance_process"), instance.c.state]
    row = connection.execute(
        select(*columns).join(instance, instance.c.id == task.c.instance_id).where(task.c.id == task_id, task.c.party_id.in_(party_ids))
    ).mappings().one_or_none()
    if row is None:
        raise NotFound(NOT_THERE)
    return dict(row)


def complete_party_step(
    app: Application, *, actor: Actor, task_id: UUID, data: Mapping[str, Any], outcome: str, key: str, at: datetime, form_hash: str | None = None,
) -> ActResult:
    """``complete_task`` for a party. Timers of the instance that are due by now fire before, so that nobody acts after the end of a term.

    Raises AlreadyDone naming the term and its law when the right ran out.
    """
    with for_reading(app.db).connect() as connection:
        step = step_of(connection, party_ids=[actor.party_id] if actor.party_id else [], task_id=task_id)
    close_what_ran_out(app, step=step, at=at)
    try:
        return complete_task(app, actor=actor, task_id=task_id, data=data, outcome=outcome, key=key, at=at, form_hash=form_hash)
    except AlreadyDone:
        with for_reading(app.db).connect() as connection:
            raise AlreadyDone(why_closed(connection, step=step, at=at)) from None


def close_what_ran_out(app: Application, *, step: Mapping[str, Any], at: datetime) -> None:
    """Fire the timers of the step's instance that are due but have not been fired yet."""
    with for_reading(app.db).connect() as connection:
        due = connection.execute(
            select(timer.c.engine_id, timer.c.due_at).where(timer.c.instance_id == step["instance_id"], timer.c.due_at <= at, ~timer.c.suspended).order_by(timer.c.due_at)
        ).all()
    for engine_id, due_at in due:
        fire_timer(app, instance_id=step["instance_id"], engine_id=engine_id, due_at=due_at, at=at)


def why_closed(connection: Connection, *, step: Mapping[str, Any], at: datetime) -> str:
    """Why a step that is over can't be done any more, for the party to read."""
    c = case_clock.c
    lapsed = connection.execute(
        select(c.title, c.due_on, c.law).where(c.instance_id == step["instance_id"], c.due_on < legal_date(at), c.start_on >= legal_date(step["opened_at"]).replace(day=1))
        .order_by(c.due_on.desc()).limit(1)
    ).one_or_none()
    if step["status"] == "done":
        return "这件事已经办过了，不用再办。"
    if lapsed is None:
        return "这件事已经结束，不能再办。有疑问请和办案机关联系。"
    return f"“{lapsed.title}”已于{lapsed.due_on.year}年{lapsed.due_on.month}月{lapsed.due_on.day}日届满，不能再办（{lapsed.law}）。有疑问请和办案机关联系。"
