"""Close the row of the task that an act finished; its holder keeps seeing the case."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert

from engine.runtime.work import Work
from engine.storage.tables.cases import case_grant
from engine.storage.tables.runtime import draft, task, task_candidate


def close_task(work: Work) -> None:
    """Mark the task done by the actor with the act's outcome; drop its drafts and its place in the pool."""
    assert work.task is not None and work.actor is not None
    this, me = work.task["id"], work.actor.person_id
    done = {"status": "done", "ended_at": work.at, "ended_by": me, "outcome": work.outcome, "act_id": work.act_id, "assignee_id": me}
    work.batch.add(update(task).where(task.c.id == this).values(**done))
    close_pool(work, this)
    work.batch.add(delete(draft).where(draft.c.task_id == this))
    work.batch.add(remember_handled(work, me))


def close_pool(work: Work, task_id: UUID) -> None:
    """Take the task out of the pool it came from."""
    if work.task is not None and work.task["candidates"]:
        work.batch.add(update(task_candidate).where(task_candidate.c.task_id == task_id).values(open=False))


def remember_handled(work: Work, person_id: UUID) -> Any:
    """The write that lets ``person_id`` see the case from now on, as one who handled it."""
    values = {"case_id": work.case["id"], "person_id": person_id, "reason": "handled", "at": work.at}
    return insert(case_grant).values(values).on_conflict_do_nothing()
