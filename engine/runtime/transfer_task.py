"""转办: give one's task to a colleague for good, with the reason on record."""
from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from engine.access.actors import Actor
from engine.kernel.errors import Invalid
from engine.kernel.ids import new_id
from engine.runtime.allowed import require_allowed
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_task, request_hash
from engine.runtime.certified import require_certified_receiver
from engine.runtime.close_task import close_pool, remember_handled
from engine.runtime.locate import require_holder, require_open
from engine.runtime.once import once
from engine.runtime.settle import stand
from engine.runtime.signers import require_free
from engine.runtime.work import ActResult, Work
from engine.storage.tables.organisation import notice, person
from engine.storage.tables.runtime import task


@once
def transfer_task(app: Application, *, actor: Actor, task_id: UUID, to_person_id: UUID, reason: str, key: str, at: datetime) -> ActResult:
    """Hand ``task_id`` over. Raises Invalid without a reason, for oneself, or when nobody active has that id."""
    asked = request_hash(kind="transfer", task=task_id, to=to_person_id, reason=reason)
    with app.db.begin() as connection:
        work = begin_on_task(app, connection, kind="transfer", actor=actor, task_id=task_id, key=key, asked=asked, at=at)
        if isinstance(work, ActResult):
            return work
        assert work.task is not None
        require_open(connection, work.task)
        require_holder(work.task, actor)
        require_allowed(work, "transfer")
        require_free(work.task)
        name = _receiver(work, to_person_id, reason)
        require_certified_receiver(work, person_id=to_person_id, name=name)
        work.opinion, work.outcome, work.outcome_title = reason.strip(), "transfer", f"转办给{name}"
        _hand_over(work, to_person_id)
        return stand(work)


def _receiver(work: Work, to_person_id: UUID, reason: str) -> str:
    if not reason.strip():
        raise Invalid("转办要写明原因。", fields={"reason": "请写明为什么转给对方办。"})
    if to_person_id == work.actor_id:
        raise Invalid("不能转办给自己。", fields={"to_person_id": "请选另一位同事。"})
    name = work.connection.scalar(select(person.c.name).where(person.c.id == to_person_id, person.c.active))
    if name is None:
        raise Invalid("没有这位同事，或者他已停用。", fields={"to_person_id": "请重新选择接办人。"})
    return str(name)


def _hand_over(work: Work, to_person_id: UUID) -> None:
    assert work.task is not None and work.actor is not None
    this = work.task["id"]
    work.batch.add(
        update(task).where(task.c.id == this).values(
            assignee_id=to_person_id, claimed_at=None, from_id=work.actor_id, from_name=work.actor_name, from_words=work.opinion,
        )
    )
    close_pool(work, this)
    remember_handled(work, work.actor.person_id)
    work.batch.insert(notice, {
        "id": new_id(), "person_id": to_person_id, "kind": "task", "text": f"{work.actor_name}转办：{work.task['title']}　{work.case['title']}",
        "link": f"/tasks/{this}", "case_id": work.case["id"], "task_id": this, "at": work.at,
    })
