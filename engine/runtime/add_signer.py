"""加签: colleagues whose opinion is needed before one completes a task, or whose agreement is needed after."""
from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from engine.access.actors import Actor
from engine.kernel.errors import Conflict, Invalid
from engine.runtime.allowed import require_allowed
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_task, request_hash
from engine.runtime.claim_task import keep_mine
from engine.runtime.locate import require_holder, require_open
from engine.runtime.once import once
from engine.runtime.people import name_people
from engine.runtime.settle import stand
from engine.runtime.signers import KINDS, ask
from engine.runtime.work import ActResult

WHEN = ("before", "after")


@once
def add_signer(
    app: Application, *, actor: Actor, task_id: UUID, when: str, people: Collection[UUID], words: str = "", key: str, at: datetime
) -> ActResult:
    """Ask each of ``people``. ``before``: all must answer, then the task comes back. ``after``: completing waits until all agree.

    Raises Invalid (nobody, oneself, someone asked already, inactive), Forbidden, Conflict while a completion is held, AlreadyDone.
    """
    chosen = list(dict.fromkeys(people))
    asked = request_hash(kind="add_signer", task=task_id, when=when, people=sorted(chosen, key=str), words=words)
    if when not in WHEN:
        raise Invalid("请选择加签方式。", fields={"when": "before 先征求意见，after 提交后征得同意。"})
    with app.db.begin() as connection:
        work = begin_on_task(app, connection, kind="add_signer", actor=actor, task_id=task_id, key=key, asked=asked, at=at)
        if isinstance(work, ActResult):
            return work
        assert work.task is not None
        require_open(connection, work.task)
        require_holder(work.task, actor)
        require_allowed(work, "add_signer")
        if work.task["held"]:
            raise Conflict("您已经提交，正在征得同意；要再加签请先收回提交。", code="held")
        named = name_people(connection, chosen, actor=actor, what="加签")
        work.opinion, work.outcome = words.strip(), when
        work.outcome_title = f"{KINDS[when]}{'、'.join(named.values())}"
        ask(work, named, kind=when, words=work.opinion)
        keep_mine(work)
        return stand(work)
