"""Signals: to every instance that waits for the name and every start event that listens for it, found by index, each in an act of its own."""
from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from engine.runtime.advance import advance
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_instance, request_hash
from engine.runtime.job_names import CATCH_SIGNAL, START_ON_EVENT
from engine.runtime.settle import settle
from engine.runtime.work import ActResult
from engine.storage.tables.runtime import instance, subscription
from engine.storage.tables.waiting import start_event


def deliver_signal(app: Application, *, name: str, key: str, except_instance: UUID | None = None) -> int:
    """Queue one delivery for every instance that waits for the signal ``name`` now, and one case for every start event; how many.

    The same ``key`` delivers once to each. Cases that begin belong to the case of ``except_instance``, which threw it.
    """
    waiting = (
        select(subscription.c.instance_id).distinct().join(instance, instance.c.id == subscription.c.instance_id)
        .where(subscription.c.kind == "signal", subscription.c.name == name, instance.c.status == "running")
    )
    with app.db.begin() as connection:
        found = [id for id in connection.scalars(waiting) if id != except_instance]
        for id in found:
            app.jobs.defer(connection, CATCH_SIGNAL, instance_id=str(id), name=name, key=f"{key}:{id}")
        starts = connection.execute(
            select(start_event.c.process, start_event.c.event).where(start_event.c.kind == "signal", start_event.c.name == name, start_event.c.status == "armed")
        ).all()
        thrower = connection.scalar(select(instance.c.case_id).where(instance.c.id == except_instance)) if starts and except_instance else None
        for process, event in starts:
            app.jobs.defer(
                connection, START_ON_EVENT, process=process, event=event, key=f"{key}:{process}:{event}", facts={}, case_id=str(thrower) if thrower else None,
            )
    return len(found) + len(starts)


def throw_signal(app: Application, *, name: str, key: str, instance_id: str) -> None:
    """The job behind a signal throw event; inside its own instance the signal has been caught already."""
    deliver_signal(app, name=name, key=key, except_instance=UUID(instance_id))


def catch_signal(app: Application, *, instance_id: str, name: str, key: str) -> None:
    """The job that lets one instance catch a signal; nothing when it waits no longer or caught this one before."""
    _catch(app, UUID(instance_id), name, key, app.clock.now())


def _catch(app: Application, instance_id: UUID, name: str, key: str, at: datetime) -> None:
    with app.db.begin() as connection:
        asked = request_hash(signal=name, instance=instance_id)
        work = begin_on_instance(app, connection, kind="message", actor=None, instance_id=instance_id, key=key, asked=asked, at=at)
        if isinstance(work, ActResult) or work.instance["status"] != "running":
            return
        work.outcome_title = f"收到信号{name}"
        if work.machine.signal(name, now=at):
            advance(work)
            settle(work)
