"""减签, and taking back a submission that waits for agreement."""
from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import update

from engine.access.actors import Actor
from engine.kernel.errors import Conflict, NotFound
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_task, request_hash
from engine.runtime.locate import require_holder, require_open
from engine.runtime.once import once
from engine.runtime.settle import stand
from engine.runtime.signers import give_back_held, plan_again, tell_person
from engine.runtime.work import ActResult, Row, Work
from engine.storage.tables.runtime import task_signer


@once
def remove_signer(app: Application, *, actor: Actor, task_id: UUID, person_id: UUID, reason: str = "", key: str, at: datetime) -> ActResult:
    """Ask ``person_id`` no longer. When nobody is left whom a held completion waits for, it is given back to the holder.

    Raises NotFound when that person isn't asked (any more), Forbidden, AlreadyDone.
    """
    asked = request_hash(kind="remove_signer", task=task_id, person=person_id, reason=reason)
    with app.db.begin() as connection:
        work = begin_on_task(app, connection, kind="remove_signer", actor=actor, task_id=task_id, key=key, asked=asked, at=at)
        if isinstance(work, ActResult):
            return work
        assert work.task is not None
        require_open(connection, work.task)
        require_holder(work.task, actor)
        row = _asked(work, person_id)
        work.opinion, work.outcome, work.outcome_title = reason.strip(), row["kind"], f"减签{row['person_name']}"
        _remove(work, row)
        return stand(work)


def _asked(work: Work, person_id: UUID) -> Row:
    assert work.task is not None
    for row in work.task["signers"]:
        if row["person_id"] == str(person_id):
            return dict(row)
    raise NotFound("没有在征求这位同事的意见，或者他已经答复。")


def _remove(work: Work, row: Row) -> None:
    assert work.task is not None
    id, person_id = UUID(row["id"]), UUID(row["person_id"])
    work.batch.add(update(task_signer).where(task_signer.c.id == id).values(status="removed", answered_at=work.at, act_id=work.act_id))
    if row["status"] == "open":
        tell_person(work, person_id, f"不用再给意见了：{work.task['title']}　{work.case['title']}")
    others = [other for other in work.task["signers"] if other["status"] == "open" and other["id"] != row["id"]]
    if work.task["held"] and not others:
        give_back_held(work)
        plan_again(work, but=id)


@once
def take_back_submission(app: Application, *, actor: Actor, task_id: UUID, key: str, at: datetime) -> ActResult:
    """收回提交: a completion that still waits for agreement becomes the holder's draft again. Raises Conflict when none waits."""
    with app.db.begin() as connection:
        work = begin_on_task(app, connection, kind="unhold", actor=actor, task_id=task_id, key=key, asked=request_hash(kind="unhold", task=task_id), at=at)
        if isinstance(work, ActResult):
            return work
        assert work.task is not None
        require_open(connection, work.task)
        require_holder(work.task, actor)
        if not work.task["held"]:
            raise Conflict("没有等待同意的提交。")
        work.outcome_title = "收回提交"
        give_back_held(work)
        plan_again(work)
        return stand(work)
