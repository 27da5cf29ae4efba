"""Due timers are claimed by the clock and fired by the workers, so that two workers fire twice as many.

A claim is a mark on the timer's row, set in the commit that queues the job; a case's timers stand in one job, in the order of their times,
and a case with a claimed timer gets no further claim before that one has fired. A claim that nobody redeemed is taken back.
"""
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import func, select, text, update

from engine.kernel.errors import GuichengError
from engine.runtime.application import Application
from engine.runtime.fire_due_timers import fire_timer, fire_together
from engine.runtime.job_names import FIRE_TIMERS
from engine.storage.tables.runtime import timer

log = structlog.get_logger(__name__)
OUTSTANDING = 2000
TOGETHER = 20
FORGOTTEN = timedelta(minutes=10)

CLAIM = text("""
    WITH due AS (
      SELECT t.instance_id, t.engine_id FROM timer t
       WHERE t.due_at <= :at AND NOT t.suspended AND t.claimed_at IS NULL
         AND NOT EXISTS (SELECT FROM timer c WHERE c.case_id = t.case_id AND c.claimed_at IS NOT NULL AND NOT c.suspended)
       ORDER BY t.due_at LIMIT :most FOR UPDATE OF t SKIP LOCKED)
    UPDATE timer SET claimed_at = :at FROM due WHERE timer.instance_id = due.instance_id AND timer.engine_id = due.engine_id
    RETURNING timer.instance_id, timer.engine_id, timer.case_id, timer.due_at""")


def hand_out_timers(app: Application, at: datetime) -> int:
    """Queue what is due at ``at``, earliest first, as far as the workers keep up; how many. Found by index."""
    with app.db.begin() as connection:
        waiting = connection.scalar(select(func.count()).select_from(timer).where(timer.c.claimed_at.is_not(None))) or 0
        if waiting >= OUTSTANDING:
            return 0
        claimed = connection.execute(CLAIM, {"at": at, "most": OUTSTANDING - waiting}).all()
        for job in together([(row.case_id, str(row.instance_id), row.engine_id, row.due_at) for row in claimed]):
            app.jobs.defer(connection, FIRE_TIMERS, timers=job)
    return len(claimed)


def together(claimed: list[tuple[Any, str, str, datetime]]) -> list[list[list[str]]]:
    """Timers in the order of their times, a few to a job, those of one case always in the same."""
    jobs: list[list[list[str]]] = []
    of_case: dict[Any, int] = {}
    for case_id, instance_id, engine_id, due_at in sorted(claimed, key=lambda one: one[3]):
        if case_id not in of_case:
            if not jobs or len(jobs[-1]) >= TOGETHER:
                jobs.append([])
            of_case[case_id] = len(jobs) - 1
        jobs[of_case[case_id]].append([instance_id, engine_id, due_at.isoformat()])
    return jobs


def fire_timers(app: Application, *, timers: list[list[str]]) -> int:
    """The job: fire them; how many fired. Those of cases that have one each go together, in one commit; where that fails, one by one.

    One that can't go on keeps its claim until it is forgotten, the others fire all the same.
    """
    cases = {instance_id for instance_id, _, _ in timers}
    if len(timers) == len(cases) > 1:
        try:
            return fire_together(app, [(UUID(instance_id), engine_id, datetime.fromisoformat(due_at)) for instance_id, engine_id, due_at in timers])
        except Exception as error:
            log.info("timers fire one by one", reason=repr(error)[:200])
    return _one_by_one(app, timers)


def _one_by_one(app: Application, timers: list[list[str]]) -> int:
    fired = 0
    for instance_id, engine_id, due_at in timers:
        at = app.clock.now()
        try:
            done = fire_timer(app, instance_id=UUID(instance_id), engine_id=engine_id, due_at=datetime.fromisoformat(due_at), at=at)
        except GuichengError as error:
            log.warning("timer could not fire", instance=instance_id, engine_id=engine_id, error=error.message)
            continue
        except Exception:
            log.exception("timer failed", instance=instance_id, engine_id=engine_id)
            continue
        if not done:
            _release(app, UUID(instance_id), engine_id)
        fired += done
    return fired


def _release(app: Application, instance_id: UUID, engine_id: str) -> None:
    """It was disarmed, suspended or moved meanwhile: the claim is of no use."""
    with app.db.begin() as connection:
        connection.execute(update(timer).where(timer.c.instance_id == instance_id, timer.c.engine_id == engine_id).values(claimed_at=None))


def take_back_claims(app: Application, at: datetime) -> int:
    """Claims that no worker redeemed in ten minutes are free again; how many."""
    with app.db.begin() as connection:
        return connection.execute(update(timer).where(timer.c.claimed_at < at - FORGOTTEN, timer.c.claimed_at.is_not(None)).values(claimed_at=None)).rowcount
