"""委托代办: while somebody is away a deputy sees and does what is assigned to them; both names go on record."""
from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access import audit
from engine.access.actors import Actor
from engine.access.notices import NewNotice, send_notices
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, Invalid, NotFound
from engine.runtime.application import Application
from engine.runtime.people import name_person
from engine.storage.tables.organisation import person
from engine.storage.tables.runtime import deputy

LONGEST = timedelta(days=366)


@dataclass(frozen=True, kw_only=True)
class Away:
    """One appointment. ``processes`` empty: all. ``state`` coming, now, over or ended."""

    id: UUID
    person: str
    deputy: str
    from_on: date
    until_on: date
    processes: tuple[str, ...]
    reason: str
    state: str


def appoint_deputy(
    app: Application, *, actor: Actor, deputy_id: UUID, from_on: date, until_on: date, processes: Collection[str] = (), reason: str = "", key: str, at: datetime,
) -> UUID:
    """Let ``deputy_id`` act for ``actor`` from ``from_on`` to ``until_on``, both included; the appointment's id, the same for the same ``key``.

    Raises Invalid (oneself, inactive, dates, unknown process), Conflict when the dates overlap an appointment for the same processes.
    """
    chosen = sorted(set(processes))
    _check(app, chosen, from_on, until_on, legal_date(at))
    id = uuid5(NAMESPACE_URL, f"away:{actor.person_id}:{key}")
    with app.db.begin() as connection:
        connection.execute(select(person.c.id).where(person.c.id == actor.person_id).with_for_update())
        if connection.scalar(select(deputy.c.id).where(deputy.c.id == id)):
            return id
        name = name_person(connection, deputy_id, actor=actor, what="委托", field="deputy_id")
        _require_no_other(connection, actor, chosen, from_on, until_on)
        connection.execute(insert(deputy).values(
            id=id, person_id=actor.person_id, deputy_id=deputy_id, from_on=from_on, until_on=until_on, processes=chosen, reason=reason.strip(), created_at=at,
        ))
        told = f"{actor.name}委托您代办：{from_on:%m-%d} 至 {until_on:%m-%d}，他的待办会出现在您的工作台。"
        send_notices(connection, notices=[NewNotice(person_id=deputy_id, kind="task", text=told, link="/desk")], at=at)
        _audit(connection, actor, "away.appoint", id, at, {"deputy": name, "from": str(from_on), "until": str(until_on), "processes": chosen})
    return id


def _check(app: Application, processes: Collection[str], from_on: date, until_on: date, today: date) -> None:
    if until_on < from_on:
        raise Invalid("结束日期早于开始日期。", fields={"until_on": "不能早于开始日期。"})
    if until_on < today:
        raise Invalid("结束日期已经过去。", fields={"until_on": "请填今天或以后的日期。"})
    if until_on - from_on > LONGEST:
        raise Invalid("委托一次最长一年。", fields={"until_on": "请缩短。"})
    unknown = [name for name in processes if app.library.find_current("process", name) is None]
    if unknown:
        raise Invalid(f"没有这些流程：{'、'.join(unknown)}。", fields={"processes": "请从列出的里选。"})


def _require_no_other(connection: Connection, actor: Actor, processes: Collection[str], from_on: date, until_on: date) -> None:
    standing = connection.execute(
        select(deputy.c.processes, deputy.c.from_on, deputy.c.until_on)
        .where(deputy.c.person_id == actor.person_id, deputy.c.ended_at.is_(None), deputy.c.from_on <= until_on, deputy.c.until_on >= from_on)
    ).all()
    for row in standing:
        if not processes or not row.processes or set(processes) & set(row.processes):
            raise Conflict(f"{row.from_on:%m-%d} 至 {row.until_on:%m-%d} 已经委托了别人，请先收回那一项。", code="deputy_overlap")


def end_deputy(app: Application, *, actor: Actor, appointment_id: UUID, at: datetime) -> None:
    """收回委托, at once. Ending it twice is one act. Raises NotFound when it isn't the actor's own."""
    with app.db.begin() as connection:
        row = connection.execute(select(deputy).where(deputy.c.id == appointment_id, deputy.c.person_id == actor.person_id).with_for_update()).mappings().one_or_none()
        if row is None:
            raise NotFound("没有这项委托，或者不是您的。")
        if row["ended_at"] is not None:
            return
        connection.execute(update(deputy).where(deputy.c.id == appointment_id).values(ended_at=at))
        send_notices(connection, notices=[NewNotice(person_id=row["deputy_id"], kind="system", text=f"{actor.name}收回了代办委托。", link="/desk")], at=at)
        _audit(connection, actor, "away.end", appointment_id, at, {})


def appointments(connection: Connection, *, actor: Actor, today: date) -> tuple[list[Away], list[Away]]:
    """(whom I appointed, who appointed me), the newest first; of the latter only what is not over."""
    mine, other = person.alias("mine"), person.alias("other")
    statement = (
        select(deputy, mine.c.name.label("person"), other.c.name.label("deputy_name"))
        .join(mine, mine.c.id == deputy.c.person_id).join(other, other.c.id == deputy.c.deputy_id).order_by(deputy.c.from_on.desc(), deputy.c.id).limit(50)
    )
    own = connection.execute(statement.where(deputy.c.person_id == actor.person_id)).mappings()
    given = connection.execute(statement.where(deputy.c.deputy_id == actor.person_id, deputy.c.until_on >= today, deputy.c.ended_at.is_(None))).mappings()
    return [_away(row, today) for row in own], [_away(row, today) for row in given]


def _away(row: Any, today: date) -> Away:
    state = "ended" if row["ended_at"] else "over" if row["until_on"] < today else "coming" if row["from_on"] > today else "now"
    return Away(id=row["id"], person=row["person"], deputy=row["deputy_name"], from_on=row["from_on"], until_on=row["until_on"],
                processes=tuple(row["processes"]), reason=row["reason"], state=state)


def _audit(connection: Connection, actor: Actor, action: str, id: UUID, at: datetime, detail: dict[str, Any]) -> None:
    audit.append(connection, chain=audit.chain_of(actor), at=at, actor_id=actor.person_id, actor_name=actor.name, action=action, object=str(id), detail=detail)
