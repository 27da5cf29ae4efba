"""How an operator's act begins: right, reason, locks, sight."""
from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from engine.access.actors import Actor
from engine.access.scope import require_case
from engine.kernel.errors import Conflict, Invalid
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_instance, request_hash
from engine.runtime.incidents import OPERATOR
from engine.runtime.work import ActResult, Work

OVER = {"completed": "已经办结", "cancelled": "已经终止"}


def begin_operating(
    app: Application, connection: Connection, *, kind: str, actor: Actor, instance_id: UUID, reason: str, key: str, at: datetime, what: str, live: bool = True,
    **asked: Any,
) -> Work | ActResult:
    """A Work on the locked instance, or the earlier result. Raises Forbidden, Invalid without a reason, NotFound, Conflict for a finished one if ``live``."""
    actor.require(OPERATOR)
    if not reason.strip():
        raise Invalid(f"{what}要写明理由。", fields={"reason": f"请写明为什么{what}，会记在办理经过和审计记录里。"})
    hashed = request_hash(kind=kind, instance=instance_id, reason=reason, **asked)
    work = begin_on_instance(app, connection, kind=kind, actor=actor, instance_id=instance_id, key=key, asked=hashed, at=at)
    if isinstance(work, ActResult):
        return work
    require_case(connection, actor, work.case["id"])
    if live and work.instance["status"] in OVER:
        raise Conflict(f"这件事{OVER[work.instance['status']]}，不能{what}。")
    work.opinion, work.outcome_title = reason.strip(), what
    return work
