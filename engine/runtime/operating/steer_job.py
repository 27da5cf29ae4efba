"""Retry a failed background job now, or call off one that still waits."""
from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from engine.access import audit
from engine.access.actors import Actor
from engine.kernel.errors import Conflict
from engine.runtime.application import Application
from engine.runtime.incidents import OPERATOR

_RETRY = text("UPDATE procrastinate_jobs SET status = 'todo', attempts = 0, scheduled_at = NULL, worker_id = NULL WHERE id = :id AND (status = 'failed' OR status = 'todo' AND scheduled_at IS NOT NULL) RETURNING task_name")
_CANCEL = text("UPDATE procrastinate_jobs SET status = 'cancelled' WHERE id = :id AND status = 'todo' RETURNING task_name")
_DONE = text("SELECT 1 FROM procrastinate_jobs WHERE id = :id AND (:what = 'cancel' AND status = 'cancelled' OR :what = 'retry' AND (status = 'doing' OR status = 'todo' AND scheduled_at IS NULL AND attempts = 0))")


def steer_job(app: Application, *, actor: Actor, job_id: int, what: str, at: datetime) -> None:
    """``retry`` or ``cancel``; a job that stands so already is left alone. Raises Forbidden without the right ``operator``, Conflict when the job has moved on."""
    actor.require(OPERATOR)
    with app.db.begin() as connection:
        name = connection.scalar(_RETRY if what == "retry" else _CANCEL, {"id": job_id})
        if name is None and connection.scalar(_DONE, {"id": job_id, "what": what}):
            return
        if name is None:
            raise Conflict("这个后台任务已经在运行、已经完成或已经取消，请刷新页面。")
        audit.append(connection, chain=audit.chain_of(actor), at=at, actor_id=actor.person_id, actor_name=actor.name, action=f"job.{what}", object=f"job:{job_id}",
                     detail={"task": name})
