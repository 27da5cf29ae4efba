"""执法证 and 督察证 with the days they are good for; which run out soon."""
from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, or_, select, update

from engine.access.actors import Actor, holds_on
from engine.access.certificates import give_certificate, suspend_certificate
from engine.access.organisation import get_person
from engine.kernel.certificate_kinds import KINDS
from engine.kernel.errors import Invalid, NotFound
from engine.runtime.application import Application
from engine.runtime.organising.perform import ADMIN, Done, perform
from engine.storage.tables.certificates import certificate
from engine.storage.tables.organisation import person, post, unit

SOON = timedelta(days=60)
__all__ = ["KINDS", "add_certificate", "certificates_of", "expiring", "state_of", "stop_certificate"]


def add_certificate(
    app: Application, *, actor: Actor, person_id: UUID, kind: str, number: str, valid_from: date, valid_until: date | None, key: str, at: datetime
) -> UUID | None:
    """A certificate from a day; the present 执法证 also stands on the person. Raises Invalid (no number, number of somebody else)."""

    def do(connection: Connection) -> Done:
        who, number_ = get_person(connection, person_id=person_id), number.strip()
        if kind not in KINDS or not number_:
            raise Invalid("请选证件种类，填写证号。", fields={"number": "请填写证号。"})
        other = connection.scalar(select(person.c.name).join(certificate, certificate.c.person_id == person.c.id).where(certificate.c.number == number_, certificate.c.kind == kind, person.c.id != person_id))
        if other:
            raise Invalid(f"证号 {number_} 已登记在{other}名下。", fields={"number": "请核对证号。"})
        id = give_certificate(connection, person_id=person_id, number=number_, kind=kind, valid_from=valid_from, valid_until=valid_until, at=at)
        if kind == "enforcement":
            connection.execute(update(person).where(person.c.id == person_id).values(certificate_number=number_, certificate_until=valid_until, updated_at=at))
        return Done(text=f"登记{who.name}的{KINDS[kind]} {number_}", person_id=person_id, result=id, detail={"from": str(valid_from), "until": str(valid_until or "")})

    return perform(app, actor=actor, right=ADMIN, verb="add_certificate", key=key, at=at, do=do)


def stop_certificate(app: Application, *, actor: Actor, certificate_id: UUID, on: date, reason: str, key: str, at: datetime) -> None:
    """From ``on`` on it doesn't count (暂扣、吊销)."""

    def do(connection: Connection) -> Done:
        row = connection.execute(select(certificate.c.person_id, certificate.c.number, person.c.name, certificate.c.kind).join(person, person.c.id == certificate.c.person_id).where(certificate.c.id == certificate_id)).one_or_none()
        if row is None:
            raise NotFound("没有这个证件。")
        suspend_certificate(connection, certificate_id=certificate_id, on=on, reason=reason.strip(), at=at)
        return Done(text=f"{row.name}的{KINDS.get(row.kind, '证件')} {row.number} 从 {on} 起停用", person_id=row.person_id)

    perform(app, actor=actor, right=ADMIN, verb="stop_certificate", key=key, at=at, do=do, reason=reason, why_required=True)


def certificates_of(connection: Connection, *, person_id: UUID) -> list[Row[Any]]:
    """All of a person, the newest first."""
    return list(connection.execute(select(certificate).where(certificate.c.person_id == person_id).order_by(certificate.c.valid_from.desc(), certificate.c.id)))


def expiring(connection: Connection, *, on: date, limit: int = 200) -> list[Row[Any]]:
    """Certificates of active people that ran out or do within 60 days and have no successor: person_id, name, unit, kind, number, valid_until."""
    later = certificate.alias("later")
    has_later = select(later.c.id).where(
        later.c.person_id == certificate.c.person_id, later.c.kind == certificate.c.kind, or_(later.c.valid_until.is_(None), later.c.valid_until > on + SOON),
        or_(later.c.suspended_from.is_(None), later.c.suspended_from > on),
    ).exists()
    return list(connection.execute(
        select(person.c.id.label("person_id"), person.c.name, unit.c.short_name.label("unit"), certificate.c.kind, certificate.c.number, certificate.c.valid_until)
        .select_from(certificate.join(person).join(post, (post.c.person_id == person.c.id) & post.c.main & holds_on(on)).join(unit, unit.c.id == post.c.unit_id))
        .where(person.c.active, certificate.c.valid_until <= on + SOON, ~has_later).order_by(certificate.c.valid_until, person.c.id).limit(limit)
    ))


def state_of(row: Any, *, on: date) -> tuple[str, str]:
    """(light, word) of a certificate on a day."""
    if row.suspended_from is not None and row.suspended_from <= on:
        return "hold", f"{row.suspended_from} 起停用"
    if row.valid_from > on:
        return "none", "还没生效"
    if row.valid_until is not None and row.valid_until < on:
        return "late", "已到期"
    if row.valid_until is not None and row.valid_until <= on + SOON:
        return "soon", f"还有 {(row.valid_until - on).days} 天到期"
    return "done", "有效"
