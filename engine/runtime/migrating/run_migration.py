"""Carry a checked migration out in batches, one instance per transaction; stop it; take it back."""
from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import exists, select, update

from engine.access import audit
from engine.access.actors import Actor, load_actor
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, GuichengError
from engine.runtime.application import Application
from engine.runtime.bpmn.moving.verdict import Mapped
from engine.runtime.deploy_file import ANALYST
from engine.runtime.job_names import RUN_MIGRATION, UNDO_MIGRATION
from engine.runtime.migrating.begin_migration import lock_migration
from engine.runtime.migrating.move_instance import MigrationRefused, move_back, move_instance
from engine.storage.tables.versions import migration, migration_item

AT_ONCE = 100
log = structlog.get_logger(__name__)
Row = dict[str, Any]


def start_migration(app: Application, *, actor: Actor, migration_id: UUID, mapping: Mapped | None = None, at: datetime) -> None:
    """Queue the move of every instance that was looked at. Raises Conflict unless the dry run is finished."""
    _turn(app, actor, migration_id, at, ("checked",), "running", RUN_MIGRATION, "试算还没有算完，或者已经开始迁移；请刷新页面。",
          waiting=("checked",), state="waiting", **({"mapping": dict(mapping)} if mapping is not None else {}), started_at=at)


def cancel_migration(app: Application, *, actor: Actor, migration_id: UUID, at: datetime) -> None:
    """Leave the instances that have not moved yet where they are."""
    _turn(app, actor, migration_id, at, ("checking", "checked", "running"), "cancelled", None, "这次迁移已经结束，不用取消。",
          waiting=("new", "checked", "waiting"), state="kept", ended_at=at)


def undo_migration(app: Application, *, actor: Actor, migration_id: UUID, at: datetime) -> None:
    """Queue the way back for every instance that moved and that nobody has worked on since."""
    _turn(app, actor, migration_id, at, ("done", "cancelled", "undone"), "undoing", UNDO_MIGRATION, "迁移还在进行，请先取消或等它办完。",
          waiting=("done",), state="undo")


def _turn(
    app: Application, actor: Actor, id: UUID, at: datetime, before: tuple[str, ...], status: str, job: str | None, otherwise: str, *,
    waiting: tuple[str, ...], state: str, **values: Any,
) -> None:
    actor.require(ANALYST)
    with app.db.begin() as connection:
        row = lock_migration(connection, id)
        if row["status"] not in before:
            raise Conflict(otherwise)
        connection.execute(update(migration).where(migration.c.id == id).values(status=status, **values))
        connection.execute(update(migration_item).where(migration_item.c.migration_id == id, migration_item.c.state.in_(waiting)).values(state=state, reason="", at=at))
        if job is not None:
            app.jobs.defer(connection, job, migration_id=str(id), account_id=str(actor.account_id))
        audit.append(connection, chain=audit.chain_of(actor), at=at, actor_id=actor.person_id, actor_name=actor.name, action=f"migration.{status}",
                     object=f"process:{row['process']}", detail={"migration": str(id)})


def run_migration(app: Application, *, migration_id: str, account_id: str) -> None:
    """The job: move the next hundred, then queue itself until none waits."""
    _some(app, UUID(migration_id), account_id, status="running", state="waiting", ended="done", job=RUN_MIGRATION, one=_move)


def run_undo(app: Application, *, migration_id: str, account_id: str) -> None:
    """The job: move the next hundred back."""
    _some(app, UUID(migration_id), account_id, status="undoing", state="undo", ended="undone", job=UNDO_MIGRATION, one=_back)


def _some(app: Application, id: UUID, account_id: str, *, status: str, state: str, ended: str, job: str, one: Callable[..., Row]) -> None:
    at, item = app.clock.now(), migration_item.c
    with app.db.connect() as connection:
        actor = load_actor(connection, UUID(account_id), None, legal_date(at))
        rows = connection.execute(select(migration_item).where(item.migration_id == id, item.state == state).order_by(item.instance_id).limit(AT_ONCE)).mappings().all()
    for row in rows:
        with app.db.connect() as connection:
            job_row = connection.execute(select(migration).where(migration.c.id == id)).mappings().one()
        if job_row["status"] != status:
            return
        values = one(app, actor, dict(job_row), dict(row), at)
        with app.db.begin() as connection:
            connection.execute(update(migration_item).where(item.migration_id == id, item.instance_id == row["instance_id"], item.state == state).values(at=at, **values))
    with app.db.begin() as connection:
        if lock_migration(connection, id)["status"] != status:
            return
        if connection.scalar(select(exists().where(item.migration_id == id, item.state == state))):
            app.jobs.defer(connection, job, migration_id=str(id), account_id=account_id)
        else:
            connection.execute(update(migration).where(migration.c.id == id).values(status=ended, ended_at=at))


def _move(app: Application, actor: Actor, job: Row, row: Row, at: datetime) -> Row:
    key = f"migrate:{job['id']}:{row['instance_id']}"
    try:
        done = move_instance(
            app, actor=actor, instance_id=row["instance_id"], target=app.library.bundle(job["bundle_id"]), mapping=job["mapping"], reason=job["reason"], key=key, at=at,
        )
    except MigrationRefused as refused:
        return {"state": "refused", "verdict": refused.plan.word, "reason": refused.plan.why, "detail": refused.plan.as_json()}
    except GuichengError as error:
        return {"state": "refused", "reason": error.message}
    except Exception:  # one broken instance must not hold the rest; the log has the trace
        log.exception("an instance could not be moved", instance=str(row["instance_id"]))
        return {"state": "failed", "reason": "迁移这一件时程序出错，它没有变；请联系运维人员。"}
    return {"state": "done", "verdict": "fits", "reason": "", "act_id": done.act_id}


def _back(app: Application, actor: Actor, job: Row, row: Row, at: datetime) -> Row:
    try:
        move_back(app, actor=actor, act_id=row["act_id"], reason="撤销整次迁移", key=f"unmigrate:{row['act_id']}", at=at)
    except GuichengError as error:
        return {"state": "done", "reason": error.message}
    except Exception:  # as above
        log.exception("an instance could not be moved back", instance=str(row["instance_id"]))
        return {"state": "failed", "reason": "撤销这一件时程序出错，它没有变；请联系运维人员。"}
    return {"state": "undone", "reason": ""}


def undo_one(app: Application, *, actor: Actor, migration_id: UUID, instance_id: UUID, key: str, at: datetime) -> None:
    """Take back the move of one instance. Raises Conflict when an act came after it."""
    actor.require(ANALYST)
    item = migration_item.c
    this = (item.migration_id == migration_id) & (item.instance_id == instance_id)
    with app.db.connect() as connection:
        row = connection.execute(select(migration_item).where(this)).mappings().one_or_none()
    if row is None or row["state"] != "done" or row["act_id"] is None:
        raise Conflict("这件没有迁移过，或者已经撤销。")
    move_back(app, actor=actor, act_id=row["act_id"], key=key, at=at)
    with app.db.begin() as connection:
        connection.execute(update(migration_item).where(this, item.state == "done").values(state="undone", reason="", at=at))


