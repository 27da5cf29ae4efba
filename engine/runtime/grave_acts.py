"""The gravest administrative acts are asked for by one person and approved by another; both, and both reasons, stand in the trail (ASVS V6.4).

New keys for what is stored, and rights that reach everything. Destroying cases has its own two persons (``engine.runtime.retention``).
"""
from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update

from engine.access.actors import RIGHTS, Actor, load_actor
from engine.access.audit import note
from engine.access.exclusive import require_apart
from engine.access.organisation import get_person
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, Forbidden, GuichengError, Invalid, NotFound
from engine.kernel.ids import new_id
from engine.runtime.application import Application
from engine.runtime.key_rounds.rounds import start_round
from engine.runtime.organising.accounts import account_of, give_rights
from engine.storage.tables.proof import grave_act

APPROVERS = frozenset({"security", "auditor"})
GRAVE_RIGHTS = frozenset({"admin", "security", "auditor", "see_all_cases", "reveal"})
STATES = {"asked": ("wait", "等另一人核准"), "approved": ("now", "已核准，还没有办完"), "done": ("done", "已办"), "refused": ("hold", "没有核准"), "withdrawn": ("hold", "已撤回"), "failed": ("late", "没有办成")}


def needs_second(app: Application, *, gained: Collection[str] = GRAVE_RIGHTS) -> bool:
    """Does an act have to wait for a second person? ``gained`` are the rights that somebody would get by it."""
    return app.settings.two_people and bool(GRAVE_RIGHTS & set(gained))


def ask(app: Application, *, actor: Actor, kind: str, title: str, detail: Mapping[str, Any], reason: str, at: datetime) -> UUID:
    """Keep what is wanted. Raises Forbidden, Invalid without a reason, Conflict when the same is asked for already."""
    actor.require("security")
    reason = reason.strip()
    if not 2 <= len(reason) <= 500:
        raise Invalid("重大操作要写明原因，由另一人核准。", fields={"reason": "请写明原因，2 到 500 个字。"})
    with app.db.begin() as connection:
        same = select(grave_act.c.id).where(grave_act.c.kind == kind, grave_act.c.title == title, grave_act.c.state == "asked")
        if connection.scalar(same) is not None:
            raise Conflict("同样的操作已经申请，正等另一人核准。")
        id = new_id()
        connection.execute(insert(grave_act).values(
            id=id, kind=kind, title=title, detail=dict(detail), reason=reason, state="asked", asked_by=actor.person_id, asked_name=actor.name, account_id=actor.account_id, post_id=actor.post_id, asked_at=at,
        ))
        note(connection, actor=actor, at=at, action="grave.ask", object=f"{kind}:{id}", detail={"title": title, "reason": reason, **detail})
    return id


def ask_for_rights(app: Application, *, actor: Actor, person_id: UUID, rights: Collection[str], reason: str, at: datetime) -> bool:
    """Ask, when somebody else would gain rights that reach everything; False when it may be done at once (or not at all: that is said where it is done)."""
    if person_id == actor.person_id or "security" not in actor.rights or not set(rights) <= set(RIGHTS):
        return False
    with app.db.connect() as connection:
        row, known = account_of(connection, person_id=person_id), get_person(connection, person_id=person_id)
    gained = set(rights) - set(row.rights if row is not None else ())
    if row is None or not needs_second(app, gained=gained):
        return False
    require_apart(rights)
    words = "、".join(RIGHTS[one].split("：")[0] for one in sorted(gained))
    ask(app, actor=actor, kind="rights", title=f"给{known.name}（{row.login}）{words}", detail={"person": str(person_id), "rights": sorted(rights)}, reason=reason, at=at)
    return True


def decide(app: Application, *, actor: Actor, id: UUID, approve: bool, words: str, at: datetime) -> None:
    """Approve and have it done, or refuse with a reason. Raises Forbidden for whoever asked, NotFound when it is decided already."""
    if not APPROVERS & actor.rights:
        raise Forbidden("重大操作由另一位安全管理员或安全审计员核准。")
    if not approve and not words.strip():
        raise Invalid("不核准要写明原因。", fields={"words": "请写明原因。"})
    with app.db.begin() as connection:
        row = _locked(connection, id, "asked")
        if row.asked_by == actor.person_id:
            raise Forbidden("自己申请的操作不能自己核准，请另一人核准。")
        values = {"state": "approved" if approve else "refused", "note": words.strip()[:500], "decided_by": actor.person_id, "decided_name": actor.name, "decided_at": at}
        connection.execute(update(grave_act).where(grave_act.c.id == id).values(values))
        note(connection, actor=actor, at=at, action="grave.approve" if approve else "grave.refuse", object=f"{row.kind}:{id}", detail={"title": row.title, "words": words.strip()[:500], "asked_by": row.asked_name})
    if approve:
        carry_out(app, id=id, at=at)


def withdraw(app: Application, *, actor: Actor, id: UUID, at: datetime) -> None:
    """Take back what one asked for oneself."""
    with app.db.begin() as connection:
        row = _locked(connection, id, "asked")
        if row.asked_by != actor.person_id:
            raise Forbidden("只能撤回自己申请的。")
        connection.execute(update(grave_act).where(grave_act.c.id == id).values(state="withdrawn", decided_at=at))
        note(connection, actor=actor, at=at, action="grave.withdraw", object=f"{row.kind}:{id}", detail={"title": row.title})


def carry_out(app: Application, *, id: UUID, at: datetime) -> None:
    """Do what was approved, in the name of who asked and with the rights they have now; again where a breakdown left it approved."""
    with app.db.begin() as connection:
        row = _locked(connection, id, "approved")
        asker = load_actor(connection, row.account_id, row.post_id, legal_date(at))
    try:
        DOING[row.kind](app, asker, row.detail, row, at)
    except GuichengError as problem:
        _ended(app, id, asker, "failed", str(problem.message), at)
        raise
    _ended(app, id, asker, "done", row.note, at)


def _ended(app: Application, id: UUID, asker: Actor, state: str, words: str, at: datetime) -> None:
    with app.db.begin() as connection:
        connection.execute(update(grave_act).where(grave_act.c.id == id).values(state=state, note=words[:500]))
        note(connection, actor=asker, at=at, action="grave.done", object=str(id), detail={"state": state})


def _locked(connection: Connection, id: UUID, state: str) -> Row[Any]:
    row = connection.execute(select(grave_act).where(grave_act.c.id == id, grave_act.c.state == state).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("没有这个申请，或者已经有人处理。")
    return row


def _key_round(app: Application, asker: Actor, detail: Mapping[str, Any], row: Row[Any], at: datetime) -> None:
    start_round(app, actor=asker, kind=str(detail["kind"]), renew=True, at=at, id=row.id)


def _rights(app: Application, asker: Actor, detail: Mapping[str, Any], row: Row[Any], at: datetime) -> None:
    give_rights(app, actor=asker, person_id=UUID(detail["person"]), rights=list(detail["rights"]), reason=f"{row.reason}（{row.decided_name}核准）", key=f"grave-{row.id}", at=at)


DOING: dict[str, Callable[[Application, Actor, Mapping[str, Any], Row[Any], datetime], None]] = {"key_round": _key_round, "rights": _rights}


def listed(connection: Connection, *, limit: int = 20) -> list[Row[Any]]:
    """The last ones, the newest first."""
    return list(connection.execute(select(grave_act).order_by(grave_act.c.asked_at.desc(), grave_act.c.id.desc()).limit(limit)))
