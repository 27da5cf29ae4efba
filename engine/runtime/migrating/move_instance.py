"""Move one running instance to a newer bundle, and back: each an act with a snapshot, under the locks of the case."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access.actors import Actor
from engine.kernel.errors import Conflict, NotFound
from engine.packs.library import Bundle
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_instance, load_machine, request_hash
from engine.runtime.bpmn.moving.verdict import Mapped
from engine.runtime.bpmn.waits import Waits
from engine.runtime.deploy_file import ANALYST
from engine.runtime.migrating.plan import Plan, plan_instance
from engine.runtime.once import once
from engine.runtime.open_tasks import attributes_of, takers_of
from engine.runtime.settle import settle
from engine.runtime.work import ActResult, Row, Work
from engine.storage.tables.runtime import act, instance, subscription, task, task_candidate, timer

LIVE = ("running", "suspended", "incident")


class MigrationRefused(Conflict):
    """The instance doesn't fit; ``plan`` says why."""

    code = "migration_refused"

    def __init__(self, plan: Plan) -> None:
        super().__init__(f"没有迁移：{plan.why}", needs=[need.key for need in plan.verdict.needs])
        self.plan = plan


@once
def move_instance(
    app: Application, *, actor: Actor, instance_id: UUID, target: Bundle, mapping: Mapped, reason: str, key: str, at: datetime
) -> ActResult:
    """Put the instance on ``target``: every token, claim, draft, vote, timer and subscription stays.

    Raises Forbidden without the right ``analyst``, MigrationRefused, Conflict for one that is over or already there; nothing changes then.
    """
    actor.require(ANALYST)
    asked = request_hash(kind="migrate", instance=instance_id, bundle=target.id, mapping=dict(mapping))
    with app.db.begin() as connection:
        work = begin_on_instance(app, connection, kind="migrate", actor=actor, instance_id=instance_id, key=key, asked=asked, at=at)
        if isinstance(work, ActResult):
            return work
        _require_movable(work, target)
        plan = plan_instance(app, connection, row=work.instance, target=target, mapping=mapping, at=at)
        if plan.verdict.machine is None:
            raise MigrationRefused(plan)
        version = app.library.definition(target.member("process", work.instance["process"]))
        work.opinion, work.outcome_title = reason.strip(), f"迁移到在用的版本（流程图第 {version.version} 版）"
        work.machine = plan.verdict.machine
        _rewrite_tasks(work, plan)
        _pin(work, bundle_id=target.id, definition_id=version.id)
        renew_rows(work, work.machine.waits())
        return settle(work)


def _require_movable(work: Work, target: Bundle) -> None:
    if work.instance["status"] not in LIVE:
        raise Conflict("这件事已经办结或终止，不用迁移。")
    if work.app.library.bundle(work.instance["bundle_id"]).members == target.members:
        raise Conflict("这件事已经在这一版上。")


def _pin(work: Work, *, bundle_id: UUID, definition_id: UUID) -> None:
    before = {name: str(work.instance[name]) for name in ("bundle_id", "definition_id")}
    work.undo.append({"op": "bundle", "before": before})
    work.instance.update(bundle_id=bundle_id, definition_id=definition_id)
    work.connection.execute(update(instance).where(instance.c.id == work.instance["id"]).values(bundle_id=bundle_id, definition_id=definition_id))


def _rewrite_tasks(work: Work, plan: Plan) -> None:
    """Open tasks stand on their new node; the holder, the claim and the draft stay. A pool is looked up anew where the role changed."""
    for task_id, values in plan.tasks.items():
        old = work.connection.execute(select(task).where(task.c.id == task_id).with_for_update()).mappings().one()
        work.undo.append({"op": "task_row", "id": str(task_id), "before": {name: _plain(old[name]) for name in values}})
        work.connection.execute(update(task).where(task.c.id == task_id).values(**values))
    for wait in work.machine.waits().user_tasks:
        if wait.engine_id in plan.takers:
            _look_again(work, wait)


def _look_again(work: Work, wait: Any) -> None:
    found = work.connection.execute(
        select(task.c.id, task.c.assignee_id).where(task.c.instance_id == work.instance["id"], task.c.engine_id == wait.engine_id)
    ).one()
    takers = takers_of(work, wait, attributes_of(work, wait))
    if found.assignee_id is not None or not takers.pool:
        return
    pool = task_candidate.c.task_id == found.id
    before = work.connection.execute(select(task_candidate.c.unit_id, task_candidate.c.post).where(pool, task_candidate.c.open)).all()
    work.undo.append({"op": "pool", "id": str(found.id), "before": [[str(unit), post] for unit, post in before]})
    put_pool(work.connection, found.id, takers.pool)


def put_pool(connection: Connection, task_id: UUID, pool: list[tuple[UUID, str]]) -> None:
    """Whoever holds one of these (unit, post) may take the task, nobody else."""
    connection.execute(delete(task_candidate).where(task_candidate.c.task_id == task_id))
    rows = [{"task_id": task_id, "unit_id": unit, "post": post, "open": True} for unit, post in pool]
    if rows:
        connection.execute(insert(task_candidate).values(rows))


def renew_rows(work: Work, waits: Waits) -> None:
    """Timers and subscriptions whose element, clock or key changed are written anew by ``settle``."""
    before = work.waits_before
    timers = {wait.engine_id: wait for wait in waits.timers}
    stale = [old for old in before.timers if old.engine_id in timers and _follows(old) != _follows(timers[old.engine_id])]
    subscriptions = {(wait.engine_id, wait.name): wait for wait in waits.subscriptions}
    old_keys = [old for old in before.subscriptions if (old.engine_id, old.name) in subscriptions]
    changed = [old for old in old_keys if _listens(old) != _listens(subscriptions[old.engine_id, old.name])]
    for table, waiting, gone in ((timer, before.timers, stale), (subscription, before.subscriptions, changed)):
        if gone:
            ids = [wait.engine_id for wait in gone]
            work.connection.execute(delete(table).where(table.c.instance_id == work.instance["id"], table.c.engine_id.in_(ids)))
            waiting[:] = [wait for wait in waiting if wait not in gone]  # type: ignore[misc]


def _follows(wait: Any) -> tuple[str, str, bool]:
    return wait.node, wait.clock, wait.on_last_day


def _listens(wait: Any) -> tuple[str, str, str]:
    return wait.node, wait.kind, wait.correlation


@once
def move_back(app: Application, *, actor: Actor, act_id: UUID, reason: str = "", key: str, at: datetime) -> ActResult:
    """Undo the migration ``act_id`` of one instance: the version, the tokens and the rows of before.

    Raises Conflict when an act came after it: who, what and when.
    """
    actor.require(ANALYST)
    asked = request_hash(kind="unmigrate", act=act_id)
    with app.db.begin() as connection:
        row = _migration_act(connection, act_id)
        work = begin_on_instance(app, connection, kind="unmigrate", actor=actor, instance_id=row["instance_id"], key=key, asked=asked, at=at)
        if isinstance(work, ActResult):
            return work
        row = _migration_act(connection, act_id)
        _require_last(connection, row)
        for entry in reversed(row["result"].get("undo", ())):
            BACK[entry["op"]](work, entry)
        connection.execute(update(act).where(act.c.id == act_id).values(undone_by=work.act_id))
        work.machine = load_machine(app, {**work.instance, "state": row["snapshot"]}, at)
        work.opinion, work.outcome_title = reason.strip(), f"撤销“{row['outcome_title']}”"
        renew_rows(work, work.machine.waits())
        return settle(work)


def _migration_act(connection: Connection, act_id: UUID) -> Row:
    row = connection.execute(select(act).where(act.c.id == act_id, act.c.kind == "migrate")).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这次迁移。")
    return dict(row)


def _require_last(connection: Connection, row: Row) -> None:
    if row["undone_by"] is not None:
        raise Conflict("这次迁移已经撤销过了。")
    later = connection.execute(
        select(act.c.actor_name, act.c.title, act.c.outcome_title).where(act.c.instance_id == row["instance_id"], act.c.rev_before > row["rev_before"])
        .order_by(act.c.rev_before).limit(1)
    ).one_or_none()
    if later is not None:
        raise Conflict(f"迁移以后{later.actor_name}已经办了“{later.outcome_title or later.title}”，不能撤销这件的迁移。")


def _back_bundle(work: Work, entry: Mapping[str, Any]) -> None:
    before = {name: UUID(value) for name, value in entry["before"].items()}
    work.instance.update(before)
    work.connection.execute(update(instance).where(instance.c.id == work.instance["id"]).values(**before))


def _back_task(work: Work, entry: Mapping[str, Any]) -> None:
    before = {name: date.fromisoformat(value) if name == "due_on" and value else value for name, value in entry["before"].items()}
    work.connection.execute(update(task).where(task.c.id == UUID(entry["id"])).values(**before))


def _back_pool(work: Work, entry: Mapping[str, Any]) -> None:
    put_pool(work.connection, UUID(entry["id"]), [(UUID(unit), post) for unit, post in entry["before"]])


BACK = {"bundle": _back_bundle, "task_row": _back_task, "pool": _back_pool}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
