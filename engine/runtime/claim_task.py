"""认领 and 放回: take a task out of the pool, or put it back."""
from __future__ import annotations

from datetime import datetime
from uuid import UUID

from engine.access.actors import Actor
from engine.kernel.errors import Conflict, Forbidden, Invalid
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_task, request_hash
from engine.runtime.certified import require_certified
from engine.runtime.locate import require_holder, require_open
from engine.runtime.once import once
from engine.runtime.settle import stand
from engine.runtime.signers import require_free
from engine.runtime.work import ActResult, Work
from engine.storage.tables.runtime import task, task_candidate


@once
def claim_task(app: Application, *, actor: Actor, task_id: UUID, key: str, at: datetime) -> ActResult:
    """Take ``task_id``; a deputy takes it for whom they stand in for. Raises Conflict when somebody else holds it, Forbidden when it isn't in their pool."""
    with app.db.begin() as connection:
        work = begin_on_task(app, connection, kind="claim", actor=actor, task_id=task_id, key=key, asked=request_hash(kind="claim", task=task_id), at=at)
        if isinstance(work, ActResult):
            return work
        assert work.task is not None
        require_open(connection, work.task)
        if work.task["assignee_id"] not in (None, actor.person_id) and not work.principal:
            raise Conflict("这项任务刚被别人认领了，请刷新待办。")
        require_holder(work.task, actor)
        require_certified(work)
        return hold(work, assignee=_whose(work), claimed_at=at)


@once
def release_task(app: Application, *, actor: Actor, task_id: UUID, key: str, at: datetime) -> ActResult:
    """Put a claimed task back into its pool. Raises Invalid when there is no pool to go back to."""
    with app.db.begin() as connection:
        asked = request_hash(kind="release", task=task_id)
        work = begin_on_task(app, connection, kind="release", actor=actor, task_id=task_id, key=key, asked=asked, at=at)
        if isinstance(work, ActResult):
            return work
        assert work.task is not None
        require_open(connection, work.task)
        if work.task["assignee_id"] is None or work.task["assignee_id"] != _whose(work):
            raise Forbidden("这项任务不在您手里，不能放回。")
        require_free(work.task)
        if not work.task["candidates"]:
            raise Invalid("这项任务是直接交给您的，没有可以放回的待认领名单；请用转办。")
        work.batch.update(task_candidate, {"task_id": task_id}, {"open": True})
        return hold(work, assignee=None, claimed_at=None)


def hold(work: Work, *, assignee: UUID | None, claimed_at: datetime | None) -> ActResult:
    assert work.task is not None
    work.batch.update(task, {"id": work.task["id"]}, {"assignee_id": assignee, "claimed_at": claimed_at})
    return stand(work)


def keep_mine(work: Work) -> None:
    """A task from the pool is its asker's while colleagues' opinions are waited for."""
    assert work.task is not None
    if work.task["assignee_id"] is None:
        work.batch.update(task, {"id": work.task["id"]}, {"assignee_id": _whose(work), "claimed_at": work.at})


def _whose(work: Work) -> UUID | None:
    """Whose the task is while the actor has it: a deputy's principal's, else their own."""
    return work.principal[0] if work.principal else work.actor_id
