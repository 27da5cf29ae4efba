"""委派: a colleague gives an opinion first, then the task comes back to whoever delegated it."""
from __future__ import annotations

from datetime import datetime
from uuid import UUID

from engine.access.actors import Actor
from engine.runtime.allowed import require_allowed
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_task, request_hash
from engine.runtime.claim_task import keep_mine
from engine.runtime.locate import require_holder, require_open
from engine.runtime.once import once
from engine.runtime.people import name_person
from engine.runtime.settle import stand
from engine.runtime.signers import ask, require_free
from engine.runtime.work import ActResult


@once
def delegate_task(app: Application, *, actor: Actor, task_id: UUID, to_person_id: UUID, words: str = "", key: str, at: datetime) -> ActResult:
    """Ask ``to_person_id`` for an opinion on ``task_id``; the task stays the actor's and can't be completed before it is there.

    Raises Invalid for oneself or someone inactive, Forbidden, Conflict while others' opinions are waited for, AlreadyDone.
    """
    asked = request_hash(kind="delegate", task=task_id, to=to_person_id, words=words)
    with app.db.begin() as connection:
        work = begin_on_task(app, connection, kind="delegate", actor=actor, task_id=task_id, key=key, asked=asked, at=at)
        if isinstance(work, ActResult):
            return work
        assert work.task is not None
        require_open(connection, work.task)
        require_holder(work.task, actor)
        require_allowed(work, "delegate")
        require_free(work.task)
        name = name_person(connection, to_person_id, actor=actor, what="委派")
        work.opinion, work.outcome, work.outcome_title = words.strip(), "delegate", f"委派{name}给出意见"
        ask(work, {to_person_id: name}, kind="delegate", words=work.opinion)
        keep_mine(work)
        return stand(work)
