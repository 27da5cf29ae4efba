"""An operator stops an automatic start, or lets it go on; with a reason, on record."""
from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from engine.access import audit
from engine.access.actors import Actor
from engine.kernel.errors import Conflict, Invalid, NotFound
from engine.runtime.application import Application
from engine.runtime.bpmn.timers import after
from engine.runtime.incidents import OPERATOR
from engine.storage.tables.waiting import start_event


def stop_start(app: Application, *, actor: Actor, process: str, event: str, reason: str, at: datetime) -> None:
    """Nothing begins by this event until it is resumed. Raises Forbidden, NotFound, Invalid without a reason, Conflict when it is stopped."""
    _steer(app, actor, process, event, reason, at, stop=True)


def resume_start(app: Application, *, actor: Actor, process: str, event: str, reason: str, at: datetime) -> None:
    """Go on from now: what would have begun meanwhile doesn't. Raises as ``stop_start`` does."""
    _steer(app, actor, process, event, reason, at, stop=False)


def _steer(app: Application, actor: Actor, process: str, event: str, reason: str, at: datetime, *, stop: bool) -> None:
    actor.require(OPERATOR)
    if not reason.strip():
        raise Invalid("请写明原因。", fields={"reason": "写明为什么，会记在审计记录里。"})
    same = (start_event.c.process == process, start_event.c.event == event)
    with app.db.begin() as connection:
        row = connection.execute(select(start_event).where(*same).with_for_update()).mappings().one_or_none()
        if row is None:
            raise NotFound("没有这个自动发起，可能已随新版本撤下。")
        if row["status"] != ("armed" if stop else "stopped"):
            raise Conflict("这个自动发起现在不是这个状态，请刷新页面。")
        values = {"status": "stopped"} if stop else _resumed(row, at)
        connection.execute(update(start_event).where(*same).values(changed_name=actor.name, reason=reason.strip()[:500], changed_at=at, problem="", **values))
        audit.append(
            connection, chain=audit.chain_of(actor), at=at, actor_id=actor.person_id, actor_name=actor.name, action="start.stop" if stop else "start.resume",
            object=f"{process}:{event}", detail={"reason": reason.strip()},
        )


def _resumed(row: Any, at: datetime) -> dict[str, Any]:
    """Armed again for the next round; one time that passed meanwhile is over."""
    due, left = row["due_at"], row["left_over"]
    while row["kind"] == "timer" and due is not None and due <= at:
        if not row["every"] or left == 1:
            return {"status": "over", "due_at": None, "look_at": None}
        due, left = after(row["every"], due), left if left < 0 else left - 1
    return {"status": "armed", "due_at": due, "look_at": due, "left_over": left}
