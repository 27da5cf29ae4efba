"""暂停办理 and 恢复办理: while a case stands still its timers do too, and every act is refused with the reason."""
from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from engine.access.actors import Actor
from engine.access.scope import require_case
from engine.kernel.errors import Conflict, Invalid
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_instance, request_hash
from engine.runtime.hold_items import follow_parent
from engine.runtime.incidents import OPERATOR
from engine.runtime.job_names import MATCH_INBOX
from engine.runtime.let_timers_run import let_timers_run
from engine.runtime.once import once
from engine.runtime.settle import settle, stand
from engine.runtime.signers import tell_holders
from engine.runtime.work import ActResult
from engine.storage.database import for_reading
from engine.storage.tables.runtime import act, instance, timer


@once
def suspend_instance(app: Application, *, actor: Actor, instance_id: UUID, reason: str, key: str, at: datetime) -> ActResult:
    """Let a running instance stand still. Legal clocks go on; suspending those is a matter of its own.

    Raises Forbidden without the right ``operator``, Invalid without a reason, Conflict when it doesn't run.
    """
    actor.require(OPERATOR)
    if not reason.strip():
        raise Invalid("暂停办理要写明原因。", fields={"reason": "请写明为什么暂停，办理人会看到。"})
    asked = request_hash(kind="suspend", instance=instance_id, reason=reason)
    with app.db.begin() as connection:
        work = begin_on_instance(app, connection, kind="suspend", actor=actor, instance_id=instance_id, key=key, asked=asked, at=at)
        if isinstance(work, ActResult):
            return work
        require_case(connection, actor, work.case["id"])
        if work.instance["status"] != "running":
            raise Conflict("这件事不在办理中，不能暂停。")
        work.instance["status"] = "suspended"
        work.opinion, work.outcome_title = reason.strip(), "暂停办理"
        work.batch.add(update(timer).where(timer.c.instance_id == instance_id).values(suspended=True))
        follow_parent(app, connection, instance_id=instance_id, hold=True, act_id=work.act_id)
        tell_holders(work, f"{actor.name}暂停办理：{work.case['title']}　{work.opinion[:60]}")
        return stand(work)


@once
def resume_instance(app: Application, *, actor: Actor, instance_id: UUID, reason: str = "", key: str, at: datetime) -> ActResult:
    """Go on: timers have the time left that they had, those bound to a legal clock follow it again, messages that came meanwhile arrive.

    Raises Forbidden without the right ``operator``, Conflict when it isn't suspended.
    """
    actor.require(OPERATOR)
    asked = request_hash(kind="resume", instance=instance_id, reason=reason)
    with app.db.begin() as connection:
        work = begin_on_instance(app, connection, kind="resume", actor=actor, instance_id=instance_id, key=key, asked=asked, at=at)
        if isinstance(work, ActResult):
            return work
        require_case(connection, actor, work.case["id"])
        if work.instance["status"] != "suspended":
            raise Conflict("这件事没有暂停。")
        work.instance["status"] = "running"
        work.opinion, work.outcome_title = reason.strip(), "恢复办理"
        follow_parent(app, connection, instance_id=instance_id, hold=False, act_id=work.act_id)
        let_timers_run(work)
        tell_holders(work, f"{actor.name}恢复办理：{work.case['title']}")
        app.jobs.defer(connection, MATCH_INBOX, instance_id=str(instance_id))
        return settle(work)


def suspend_case(app: Application, *, actor: Actor, case_id: UUID, reason: str, key: str, at: datetime) -> list[ActResult]:
    """``suspend_instance`` for everything that runs on the case. Raises Conflict when nothing does."""
    found = _instances(app, actor, case_id, "running", key)
    if not found:
        raise Conflict("这个案件没有在办的流程，不用暂停。")
    return [suspend_instance(app, actor=actor, instance_id=id, reason=reason, key=f"{key}:{id}", at=at) for id in found]


def resume_case(app: Application, *, actor: Actor, case_id: UUID, reason: str = "", key: str, at: datetime) -> list[ActResult]:
    """``resume_instance`` for everything suspended on the case. Raises Conflict when nothing is."""
    found = _instances(app, actor, case_id, "suspended", key)
    if not found:
        raise Conflict("这个案件没有暂停的流程。")
    return [resume_instance(app, actor=actor, instance_id=id, reason=reason, key=f"{key}:{id}", at=at) for id in found]


def _instances(app: Application, actor: Actor, case_id: UUID, status: str, key: str) -> list[UUID]:
    """Those in ``status``, and those that this very request has changed already when it comes again."""
    actor.require(OPERATOR)
    with for_reading(app.db).connect() as connection:
        require_case(connection, actor, case_id)
        ids = connection.scalars(select(instance.c.id).where(instance.c.case_id == case_id, instance.c.status == status))
        again = connection.scalars(select(act.c.instance_id).where(act.c.case_id == case_id, act.c.key.startswith(f"{key}:", autoescape=True)))
        return sorted({*ids, *again}, key=str)
