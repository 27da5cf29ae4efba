"""How each of these acts runs: one transaction, one at a time, once per key, in the history and in the audit trail."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, text

from engine.access.actors import Actor
from engine.access.audit import note
from engine.kernel.errors import Conflict, Forbidden, Invalid
from engine.kernel.ids import new_id
from engine.runtime.application import Application
from engine.storage.tables.organising import organisation_act

ADMIN, SECURITY = "admin", "security"
READERS = frozenset({ADMIN, SECURITY, "auditor"})


def require_reader(actor: Actor) -> None:
    """Raise Forbidden unless the reader is one of the three administrators."""
    if not READERS & actor.rights:
        raise Forbidden("组织和权限由系统管理员、安全管理员、安全审计员查看，请联系他们。")


@dataclass(frozen=True, kw_only=True)
class Done:
    """What an act did: ``text`` for people, whose history it belongs to, what it was before and after, and the id it made."""

    text: str
    unit_id: UUID | None = None
    person_id: UUID | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    result: UUID | None = None


def perform(
    app: Application, *, actor: Actor, right: str, verb: str, key: str, at: datetime, do: Callable[[Connection], Done], reason: str = "", why_required: bool = False,
) -> UUID | None:
    """Run ``do`` and keep it; the id it made, the same again when ``key`` was used before. Raises Forbidden, Invalid, Conflict."""
    actor.require(right)
    reason = reason.strip()
    if why_required and not reason:
        raise Invalid("请写明原因或依据，没有改动。", fields={"reason": "例如：文号、会议决定、工作需要。"})
    with app.db.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('guicheng.organisation'))"))
        earlier = connection.execute(select(organisation_act).where(organisation_act.c.key == key)).mappings().one_or_none()
        if earlier is not None:
            if earlier["verb"] != verb or earlier["actor_id"] != actor.person_id:
                raise Conflict("这个提交编号已经用在另一次办理上，请刷新页面后重新提交。", code="key_reused")
            made = earlier["detail"].get("result")
            return UUID(made) if made else None
        done = do(connection)
        detail = {**done.detail, **({"result": str(done.result)} if done.result else {})}
        connection.execute(insert(organisation_act).values(
            id=new_id(), key=key, at=at, actor_id=actor.person_id, actor_name=actor.name, verb=verb, unit_id=done.unit_id, person_id=done.person_id,
            text=done.text, reason=reason, detail=detail,
        ))
        note(connection, actor=actor, at=at, action=f"organisation.{verb}", object=done.text, detail={**detail, **({"reason": reason} if reason else {})})
        return done.result
