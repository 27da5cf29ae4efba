"""Suspending or resuming the parent of a fan-out reaches the cases of its items; what was suspended by itself stays so."""
from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, exists, select, update

from engine.runtime.application import Application
from engine.runtime.begin import begin_on_instance, request_hash
from engine.runtime.fanouts import CHUNK
from engine.runtime.job_names import DELIVER_ITEMS, HOLD_ITEMS, MAKE_ITEMS
from engine.runtime.let_timers_run import let_timers_run
from engine.runtime.settle import settle, stand
from engine.runtime.work import ActResult
from engine.storage.tables.runtime import act, instance, timer
from engine.storage.tables.waiting import fanout, fanout_item


def follow_parent(app: Application, connection: Connection, *, instance_id: UUID, hold: bool, act_id: UUID) -> None:
    """In the act that suspends or resumes an instance: queue the same for its items, when it has any."""
    waiting = exists().where(fanout.c.instance_id == instance_id, fanout.c.status != "cancelled")
    if connection.scalar(select(waiting)):
        app.jobs.defer(connection, HOLD_ITEMS, instance_id=str(instance_id), hold=hold, key=str(act_id))


def hold_items(app: Application, *, instance_id: str, hold: bool, key: str) -> int:
    """The job: suspend or resume every item under way, unless the parent has changed its mind since; how many changed.

    Resumed: stretches not made yet are made now, and a parent whose items are all back is told.
    """
    parent = UUID(instance_id)
    with app.db.begin() as connection:
        status = connection.scalar(select(instance.c.status).where(instance.c.id == parent).with_for_update(read=True))
        if status != ("suspended" if hold else "running"):
            return 0
        open_ones = connection.scalars(update(fanout).where(fanout.c.instance_id == parent, fanout.c.status == "open").values(suspended=hold).returning(fanout.c.id)).all()
        if not hold:
            _catch_up(app, connection, parent, open_ones)
    changed = 0
    for id in open_ones:
        with app.db.connect() as connection:
            wanted = "running" if hold else "suspended"
            query = select(instance.c.id).join(fanout_item, fanout_item.c.instance_id == instance.c.id)
            found = connection.scalars(query.where(fanout_item.c.fanout_id == id, fanout_item.c.status == "running", instance.c.status == wanted)).all()
        changed += sum(_hold(app, one, hold, f"hold:{key}:{one}") for one in found)
    return changed


def _catch_up(app: Application, connection: Connection, parent: UUID, open_ones: object) -> None:
    planned = select(fanout_item.c.fanout_id, fanout_item.c.index).where(fanout_item.c.fanout_id.in_(open_ones), fanout_item.c.status == "planned")  # type: ignore[arg-type]
    for id, first in sorted({(str(row[0]), row[1] // CHUNK * CHUNK) for row in connection.execute(planned)}):
        app.jobs.defer(connection, MAKE_ITEMS, fanout_id=id, first=first, last=first + CHUNK)
    for id in connection.scalars(select(fanout.c.id).where(fanout.c.instance_id == parent, fanout.c.status == "ended")):
        app.jobs.defer(connection, DELIVER_ITEMS, fanout_id=str(id))


def _hold(app: Application, instance_id: UUID, hold: bool, key: str) -> int:
    at, kind = app.clock.now(), "suspend" if hold else "resume"
    with app.db.begin() as connection:
        work = begin_on_instance(app, connection, kind="resume", actor=None, instance_id=instance_id, key=key, asked=request_hash(kind=kind), at=at)
        if isinstance(work, ActResult) or work.instance["status"] != ("running" if hold else "suspended"):
            return 0
        if not hold and not _held_by_parent(connection, instance_id):
            return 0
        work.kind, work.outcome_title = kind, "随上级事项暂停" if hold else "随上级事项恢复"
        work.instance["status"] = "suspended" if hold else "running"
        follow_parent(app, connection, instance_id=instance_id, hold=hold, act_id=work.act_id)
        if hold:
            work.batch.add(update(timer).where(timer.c.instance_id == instance_id).values(suspended=True))
            stand(work)
        else:
            let_timers_run(work)
            settle(work)
        return 1


def _held_by_parent(connection: Connection, instance_id: UUID) -> bool:
    """False when somebody suspended the item itself."""
    last = select(act.c.automatic).where(act.c.instance_id == instance_id, act.c.kind == "suspend").order_by(act.c.rev_before.desc()).limit(1)
    return bool(connection.scalar(last))
