"""Timers are rows compared with our clock. Due ones fire in order, each in an act of its own, once."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select, tuple_, update

from engine.kernel.errors import GuichengError
from engine.runtime.advance import advance
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_instance, request_hash
from engine.runtime.settle import settle
from engine.runtime.settle_many import settle_many, share
from engine.runtime.work import ActResult, Work
from engine.storage.database import for_reading
from engine.storage.tables.runtime import timer

log = structlog.get_logger(__name__)


def fire_due_timers(app: Application, at: datetime, *, limit: int = 500) -> int:
    """Fire every timer that is due at ``at`` and not suspended, earliest first; how many fired.

    In this thread; the clock hands them to the workers instead (``hand_out_timers``). Found by index. A timer that was disarmed meanwhile is skipped; one whose process can't go on is left for the next
    round and logged, the others fire all the same.
    """
    with for_reading(app.db).connect() as connection:
        due = connection.execute(
            select(timer.c.instance_id, timer.c.engine_id, timer.c.due_at)
            .where(timer.c.due_at <= at, ~timer.c.suspended, timer.c.claimed_at.is_(None)).order_by(timer.c.due_at).limit(limit)
        ).all()
    fired = 0
    for instance_id, engine_id, due_at in due:
        try:
            fired += fire_timer(app, instance_id=instance_id, engine_id=engine_id, due_at=due_at, at=at)
        except GuichengError as error:
            log.warning("timer could not fire", instance=str(instance_id), engine_id=engine_id, error=error.message)
    return fired


def fire_timer(app: Application, *, instance_id: UUID, engine_id: str, due_at: datetime, at: datetime) -> int:
    """Fire one timer: 1 when it fired, 0 when it was disarmed or had fired before."""
    key = timer_key(instance_id, engine_id, due_at, at)
    with app.db.begin() as connection:
        work = begin_on_instance(app, connection, kind="timer", actor=None, instance_id=instance_id, key=key, asked=request_hash(timer=key), at=at)
        if isinstance(work, ActResult) or work.instance["status"] != "running":
            return 0
        if not _still_due(work, engine_id):
            return 0
        _fire(work, engine_id)
        settle(work)
        return 1


def fire_together(app: Application, timers: Sequence[tuple[UUID, str, datetime]]) -> int:
    """Fire timers of as many instances in one commit; how many fired. Claims of those that didn't are given back. One failure undoes all."""
    at = app.clock.now()
    works: list[tuple[Work, str]] = []
    with app.db.begin() as connection:
        for instance_id, engine_id, due_at in sorted(timers, key=lambda one: one[0]):
            key = timer_key(instance_id, engine_id, due_at, at)
            work = begin_on_instance(app, connection, kind="timer", actor=None, instance_id=instance_id, key=key, asked=request_hash(timer=key), at=at)
            if isinstance(work, Work) and work.instance["status"] == "running" and _armed(work, engine_id):
                works.append((work, engine_id))
        mine = tuple_(timer.c.instance_id, timer.c.engine_id).in_([(id, engine_id) for id, engine_id, _ in timers])
        due = set(connection.scalars(select(timer.c.instance_id).where(mine, ~timer.c.suspended, timer.c.due_at <= at)))  # read under their locks
        works = [(work, engine_id) for work, engine_id in works if work.instance["id"] in due]
        bulk = share([work for work, _ in works])
        for work, engine_id in works:
            _fire(work, engine_id)
        if works:
            settle_many(connection, [work for work, _ in works], bulk)
        connection.execute(update(timer).where(mine, timer.c.claimed_at.is_not(None)).values(claimed_at=None))
    return len(works)


def timer_key(instance_id: UUID, engine_id: str, due_at: datetime, at: datetime) -> str:
    """The act's key. Whether a timer has fired its row says, under the lock of its instance; one that a withdrawal put back fires again."""
    return f"timer:{instance_id}:{engine_id}:{due_at.isoformat()}:{at.isoformat()}"


def _still_due(work: Work, engine_id: str) -> bool:
    t = timer.c
    query = select(t.due_at).where(t.instance_id == work.instance["id"], t.engine_id == engine_id, ~t.suspended, t.due_at <= work.at)
    return work.connection.scalar(query) is not None and _armed(work, engine_id)


def _armed(work: Work, engine_id: str) -> bool:
    return any(wait.engine_id == engine_id for wait in work.waits_before.timers)


def _fire(work: Work, engine_id: str) -> None:
    work.outcome_title = "时间到"
    work.machine.fire_timer(engine_id, now=work.at)
    advance(work)
