"""A queued service task: call its handler outside any lock, then bring the result back as an act of its own."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import Connection, select, update

from engine.kernel.errors import BusinessError
from engine.runtime.advance import advance, failure_message, open_incident
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_instance, load_machine, request_hash
from engine.runtime.bpmn.waits import ServiceWait, Wait
from engine.runtime.settle import settle
from engine.runtime.task_context import TaskContext
from engine.runtime.work import ActResult, Row, Work
from engine.storage.tables.cases import case_file
from engine.storage.tables.runtime import effect, instance

W = TypeVar("W", bound=Wait)
log = structlog.get_logger(__name__)


def run_effect(app: Application, *, effect_id: str) -> None:
    """The job. Does nothing when the effect was cancelled, skipped or done; may be called again at any time."""
    at = app.clock.now()
    prepared = _prepare(app, UUID(effect_id), at)
    if prepared is None:
        return
    row, context, connection = prepared
    handler = app.service_tasks.get(row["handler"])
    try:
        with connection:
            result = dict(handler.function(context, **row["arguments"]) or {})
    except BusinessError as error:
        finish_effect(app, row, result={}, error=error, at=app.clock.now())
        return
    finish_effect(app, row, result=result, error=None, at=app.clock.now())


def _prepare(app: Application, effect_id: UUID, at: datetime) -> tuple[Row, TaskContext, Connection] | None:
    with app.db.begin() as connection:
        row = connection.execute(
            update(effect).where(effect.c.id == effect_id, effect.c.status.in_(["queued", "running", "failed"]))
            .values(status="running", attempts=effect.c.attempts + 1, updated_at=at).returning(effect)
        ).mappings().one_or_none()
        if row is None:
            return None
        case = connection.execute(select(case_file).where(case_file.c.id == row["case_id"])).mappings().one()
        state = connection.execute(select(instance).where(instance.c.id == row["instance_id"])).mappings().one()
    wait = find_wait(load_machine(app, dict(state), at).waits().services, row["engine_id"])
    if wait is None:
        return None
    reading = app.db.connect()
    context = TaskContext(
        app=app, connection=reading, at=at, effect_key=row["key"], case=dict(case), instance_id=row["instance_id"], node=row["node"],
        process=wait.process, facts=wait.facts, scope=wait.scope,
    )
    return dict(row), context, reading


def find_wait(waits: Sequence[W], engine_id: str) -> W | None:
    """The wait with this engine id, or None when the machine has moved on."""
    return next((wait for wait in waits if wait.engine_id == engine_id), None)


def finish_effect(app: Application, row: Row, *, result: dict[str, Any], error: BusinessError | None, at: datetime) -> None:
    """Store what the handler returned and move the instance on; nothing when it has moved on already."""
    with app.db.begin() as connection:
        work = begin_on_instance(
            app, connection, kind="service", actor=None, instance_id=row["instance_id"], key=f"effect:{row['id']}", asked=request_hash(effect=row["id"]), at=at,
        )
        if isinstance(work, ActResult):
            return
        wait = find_wait(work.machine.waits().services, row["engine_id"])
        status = "cancelled" if wait is None else "failed" if error else "done"
        connection.execute(update(effect).where(effect.c.id == row["id"]).values(status=status, result=result, updated_at=at))
        if wait is None:
            return
        work.irreversible = not row["reversible"]
        if error is None:
            work.machine.complete(wait.engine_id, result, now=at)
        elif not work.machine.fail(wait.engine_id, error.code, message=error.message, now=at):
            _uncaught(work, wait, row, error)
        advance(work)
        settle(work)


def _uncaught(work: Work, wait: ServiceWait, row: Row, error: BusinessError) -> None:
    open_incident(
        work, wait, kind="error_uncaught", message=f"“{wait.title}”报告：{error.message}。流程图上没有安排怎么处理，请重试或跳过。",
        detail={"code": error.code}, effect_id=row["id"],
    )


def effect_exhausted(app: Application, error: BaseException, *, effect_id: str) -> None:
    """The last attempt failed: an incident that an operator sees."""
    at = app.clock.now()
    with app.db.begin() as connection:
        row = connection.execute(select(effect).where(effect.c.id == UUID(effect_id))).mappings().one()
        work = begin_on_instance(
            app, connection, kind="service", actor=None, instance_id=row["instance_id"], key=f"effect-failed:{effect_id}:{row['attempts']}",
            asked=request_hash(effect=effect_id, attempts=row["attempts"]), at=at,
        )
        if isinstance(work, ActResult):
            return
        connection.execute(update(effect).where(effect.c.id == row["id"]).values(status="failed", updated_at=at))
        wait = find_wait(work.machine.waits().services, row["engine_id"])
        if wait is not None:
            open_incident(work, wait, kind="service", message=failure_message(wait.title, error), detail={"error": repr(error)[:2000]}, effect_id=row["id"])
            work.batch.flush(connection)
