"""抄送: let colleagues know of a case; they may see it from then on and find it under 抄送我的."""
from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from engine.access.actors import Actor
from engine.access.integrity import grant_mac
from engine.kernel.errors import Forbidden, Invalid
from engine.runtime.allowed import allowed_acts, allowed_in_process
from engine.runtime.application import Application
from engine.runtime.begin import request_hash
from engine.runtime.beside import Beside, begin_beside, tell, write_beside
from engine.runtime.once import once
from engine.runtime.people import name_people
from engine.runtime.work import ActResult
from engine.storage.tables.cases import case_copy, case_grant
from engine.storage.tables.runtime import instance, task

MOST = 50


@once
def cc_case(app: Application, *, actor: Actor, case_id: UUID, people: Collection[UUID], words: str = "", key: str, at: datetime) -> ActResult:
    """Send a copy to ``people``. Whoever holds a step of the case, handles it or opened it may, where the diagram allows it.

    Raises Invalid for nobody, oneself, too many or someone inactive; Forbidden; NotFound.
    """
    chosen = sorted(set(people), key=str)
    asked = request_hash(kind="cc", case=case_id, people=chosen, words=words)
    with app.db.begin() as connection:
        work = begin_beside(app, connection, kind="cc", actor=actor, case_id=case_id, key=key, asked=asked, at=at)
        if isinstance(work, ActResult):
            return work
        if not may_copy(app, connection, actor=actor, case=work.case):
            raise Forbidden("这个案件不在您手里，或者流程不允许抄送。", code="not_allowed_here")
        if len(chosen) > MOST:
            raise Invalid(f"一次最多抄送 {MOST} 人。", fields={"people": "请分几次抄送。"})
        named = name_people(connection, chosen, actor=actor, what="抄送")
        _grant(work, named, words.strip())
        return write_beside(work, title="抄送", outcome_title=f"抄送{'、'.join(named.values())}", words=words.strip())


def may_copy(app: Application, connection: Connection, *, actor: Actor, case: Mapping[str, Any]) -> bool:
    """Whether ``actor`` may send copies of ``case`` now."""
    held = _rows(connection, select(task.c.node, task.c.process, instance.c.bundle_id).join(instance, instance.c.id == task.c.instance_id)
                 .where(task.c.case_id == case["id"], task.c.status == "open", task.c.assignee_id == actor.person_id))
    if held:
        return any("cc" in allowed_acts(app, row, row) for row in held)
    if actor.person_id not in (case["handler_id"], case["created_by"]):
        return False
    running = _rows(connection, select(instance.c.process, instance.c.bundle_id).where(instance.c.case_id == case["id"]))
    return any("cc" in allowed_in_process(app, row) for row in running)


def _rows(connection: Connection, statement: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(statement).mappings()]


def _grant(work: Beside, named: Mapping[UUID, str], words: str) -> None:
    """A second copy to the same person replaces the first: one row in their list, the newest words."""
    case_id = work.case["id"]
    mac = work.app.keys.mac
    grants = [{"case_id": case_id, "person_id": id, "reason": "copied", "at": work.at, "mac": grant_mac(mac, case_id, id, "copied", None)} for id in named]
    work.batch.add(insert(case_grant).values(grants).on_conflict_do_nothing())
    copies = insert(case_copy).values([
        {"case_id": case_id, "person_id": id, "by_id": work.actor.person_id, "by_name": work.actor.name, "words": words, "at": work.at} for id in named
    ])
    fresh = {name: copies.excluded[name] for name in ("by_id", "by_name", "words", "at")}
    work.batch.add(copies.on_conflict_do_update(index_elements=["case_id", "person_id"], set_=fresh))
    for id in named:
        tell(work, id, f"{work.actor.name}抄送：{work.case['title']}{f'　{words[:60]}' if words else ''}", kind="copied", link=f"/cases/{case_id}")
