"""Choose the running instances of a process, or of one of its versions, and look at each: a dry run that changes none of them."""
from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import Connection, func, insert, literal, select, update

from engine.access import audit
from engine.access.actors import Actor
from engine.kernel.errors import Conflict, NotFound
from engine.kernel.ids import new_id
from engine.packs.library import Bundle
from engine.runtime.application import Application
from engine.runtime.bpmn.moving.verdict import Mapped
from engine.runtime.bundles import bundle_for
from engine.runtime.deploy_file import ANALYST
from engine.runtime.job_names import CHECK_MIGRATION
from engine.runtime.migrating.plan import plan_instance, rows_beside
from engine.storage.tables.content import bundle
from engine.storage.tables.runtime import instance
from engine.storage.tables.versions import migration, migration_item

BATCH = 500


def begin_migration(
    app: Application, *, actor: Actor, process: str, definition_id: UUID | None = None, mapping: Mapped | None = None, reason: str = "", key: str = "", at: datetime
) -> UUID:
    """Queue a dry run over the running instances of ``process`` that don't stand on the bundle in force; the migration's id.

    ``definition_id`` narrows it to one version; the same ``key`` is one migration. Raises Forbidden without the right ``analyst``, NotFound, Conflict when there is none to move.
    """
    actor.require(ANALYST)
    if app.library.find_current("process", process) is None:
        raise NotFound("没有这个流程，或者它已经停用。")
    id = uuid5(NAMESPACE_URL, f"migration:{actor.person_id}:{key}") if key else new_id()
    with app.db.begin() as connection:
        if key and connection.scalar(select(migration.c.id).where(migration.c.id == id)):
            return id
        target = bundle_for(app, connection, process=process, at=at)
        connection.execute(insert(migration).values(
            id=id, process=process, definition_id=definition_id, bundle_id=target.id, mapping=dict(mapping or {}), reason=reason.strip()[:500], status="checking",
            by_id=actor.person_id, by_name=actor.name, created_at=at,
        ))
        total = _choose(connection, id, process, definition_id, target, at)
        if not total:
            raise Conflict("没有要迁移的在办案件：它们都已经在最新的版本上。")
        connection.execute(update(migration).where(migration.c.id == id).values(total=total))
        app.jobs.defer(connection, CHECK_MIGRATION, migration_id=str(id))
        audit.append(connection, chain=audit.chain_of(actor), at=at, actor_id=actor.person_id, actor_name=actor.name, action="migration.check",
                     object=f"process:{process}", detail={"migration": str(id), "instances": total})
    return id


def _choose(connection: Connection, id: UUID, process: str, definition_id: UUID | None, target: Bundle, at: datetime) -> int:
    same = select(bundle.c.id).where(bundle.c.members == {name: str(member) for name, member in target.members.items()})
    c = instance.c
    chosen = select(literal(id, type_=migration_item.c.migration_id.type), c.id, c.case_id, literal("new"), literal(at, type_=migration_item.c.at.type)).where(
        c.process == process, c.ended_at.is_(None), c.bundle_id.not_in(same)
    )
    if definition_id is not None:
        chosen = chosen.where(c.definition_id == definition_id)
    connection.execute(insert(migration_item).from_select(["migration_id", "instance_id", "case_id", "state", "at"], chosen))
    return connection.scalar(select(func.count()).select_from(migration_item).where(migration_item.c.migration_id == id)) or 0


def look_again(app: Application, *, actor: Actor, migration_id: UUID, mapping: Mapped, at: datetime) -> None:
    """Repeat the dry run with ``mapping``. Raises Conflict unless the last one is finished."""
    actor.require(ANALYST)
    with app.db.begin() as connection:
        row = lock_migration(connection, migration_id)
        if row["status"] != "checked":
            raise Conflict("试算还没有算完，或者已经开始迁移；请刷新页面。")
        connection.execute(update(migration).where(migration.c.id == migration_id).values(mapping=dict(mapping), status="checking"))
        connection.execute(update(migration_item).where(migration_item.c.migration_id == migration_id, migration_item.c.state == "checked").values(state="new"))
        app.jobs.defer(connection, CHECK_MIGRATION, migration_id=str(migration_id))


def lock_migration(connection: Connection, migration_id: UUID) -> dict[str, Any]:
    """The row, locked; raises NotFound."""
    row = connection.execute(select(migration).where(migration.c.id == migration_id).with_for_update()).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这次迁移。")
    return dict(row)


def check_migration(app: Application, *, migration_id: str) -> None:
    """The job: look at the next 500 instances, then queue itself until all are looked at."""
    id, at = UUID(migration_id), app.clock.now()
    with app.db.begin() as connection:
        row = lock_migration(connection, id)
        if row["status"] != "checking":
            return
        left = _check_some(app, connection, row, at)
        if left:
            app.jobs.defer(connection, CHECK_MIGRATION, migration_id=migration_id)
        else:
            connection.execute(update(migration).where(migration.c.id == id).values(status="checked"))


def _check_some(app: Application, connection: Connection, row: dict[str, Any], at: datetime) -> int:
    item, target = migration_item.c, app.library.bundle(row["bundle_id"])
    fresh = (item.migration_id == row["id"]) & (item.state == "new")
    query = select(instance).join(migration_item, item.instance_id == instance.c.id).where(fresh).order_by(item.instance_id).limit(BATCH)
    rows = [dict(one) for one in connection.execute(query).mappings()]
    beside = rows_beside(connection, [one["id"] for one in rows])
    for one in rows:
        this = (item.migration_id == row["id"]) & (item.instance_id == one["id"])
        if one["ended_at"] is not None or app.library.bundle(one["bundle_id"]).members == target.members:
            connection.execute(update(migration_item).where(this).values(state="gone", reason="已经办结，或已在这一版上。", at=at))
            continue
        plan = plan_instance(app, connection, row=one, target=target, mapping=row["mapping"], at=at, beside=beside.get(one["id"], []))
        values = {"state": "checked", "verdict": plan.word, "reason": plan.why, "detail": plan.as_json(), "at": at}
        connection.execute(update(migration_item).where(this).values(**values))
    return connection.scalar(select(func.count()).select_from(migration_item).where(fresh)) or 0
