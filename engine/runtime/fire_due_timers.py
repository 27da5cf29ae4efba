"""Timers are rows compared with our clock. Due ones fire in order, each in an act of its own, once."""
from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select

from engine.kernel.errors import GuichengError
from engine.runtime.advance import advance
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_instance, request_hash
from engine.runtime.settle import settle
from engine.runtime.work import ActResult
from engine.storage.tables.runtime import timer

log = structlog.get_logger(__name__)


def fire_due_timers(app: Application, at: datetime, *, limit: int = 500) -> int:
    """Fire every timer that is due at ``at`` and not suspended, earliest first; how many fired.

    In this thread; the clock hands them to the workers instead (``hand_out_timers``). Found by index. A timer that was disarmed meanwhile is skipped; one whose process can't go on is left for the next
    round and logged, the others fire all the same.
    """
    with app.db.connect() as connection:
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
    key = f"timer:{instance_id}:{engine_id}:{due_at.isoformat()}:{at.isoformat()}"  # the row, under the lock, says whether it fired
    with app.db.begin() as connection:
        work = begin_on_instance(app, connection, kind="timer", actor=None, instance_id=instance_id, key=key, asked=request_hash(timer=key), at=at)
        if isinstance(work, ActResult) or work.instance["status"] != "running":
            return 0
        still_due = connection.scalar(
            select(timer.c.due_at).where(timer.c.instance_id == instance_id, timer.c.engine_id == engine_id, ~timer.c.suspended, timer.c.due_at <= at)
        )
        if still_due is None or all(t.engine_id != engine_id for t in work.machine.waits().timers):
            return 0
        work.outcome_title = "时间到"
        work.machine.fire_timer(engine_id, now=at)
        advance(work)
        settle(work)
        return 1
