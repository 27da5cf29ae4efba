"""Certificates of officers (执法证, 督察证), dated: given, suspended, and asked for a day. A person may hold several one after the other."""
from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.kernel.certificate_kinds import KINDS
from engine.kernel.errors import Invalid, NotFound
from engine.kernel.ids import new_id
from engine.storage.tables.certificates import certificate
from engine.storage.tables.organisation import person

LONG_AGO = date(2000, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Holder:
    """One person and the number of the certificate that is valid on the day asked for; None without one, with ``why`` in Chinese."""

    person_id: UUID
    name: str
    number: str | None
    why: str = ""


def give_certificate(
    connection: Connection, *, person_id: UUID, number: str, valid_from: date, at: datetime, valid_until: date | None = None, kind: str = "enforcement",
) -> UUID:
    """Add a certificate from ``valid_from`` to ``valid_until`` (both included). Raises Invalid when it ends before it begins."""
    if valid_until is not None and valid_until < valid_from:
        raise Invalid("证件的有效期写反了。", fields={"valid_until": "截止日期不能早于起始日期。"})
    id = new_id()
    connection.execute(insert(certificate).values(
        id=id, person_id=person_id, number=number, kind=kind, valid_from=valid_from, valid_until=valid_until, updated_at=at,
    ))
    return id


def suspend_certificate(connection: Connection, *, certificate_id: UUID, on: date, reason: str, at: datetime) -> None:
    """From ``on`` on the certificate doesn't count (暂扣、吊销、调离). Raises NotFound."""
    changed = connection.execute(update(certificate).where(certificate.c.id == certificate_id).values(suspended_from=on, reason=reason, updated_at=at))
    if changed.rowcount == 0:
        raise NotFound("没有这个证件。")


def holders(connection: Connection, *, people: Collection[UUID], on: date, kind: str = "enforcement") -> list[Holder]:
    """One entry for each of ``people`` in their order, one statement: with a valid certificate of ``kind``, or with the reason why there is none."""
    c = certificate.c
    rows = connection.execute(
        select(person.c.id, person.c.name, c.number, c.valid_from, c.valid_until, c.suspended_from)
        .outerjoin(certificate, and_(c.person_id == person.c.id, c.kind == kind)).where(person.c.id.in_(people))
        .order_by(or_(c.suspended_from.is_(None), c.suspended_from > on).desc(), c.valid_until.desc().nulls_first())
    ).all()
    return [_holder([row for row in rows if row.id == wanted], wanted, on, f"{KINDS[kind]}件") for wanted in people]


def _holder(rows: list[object], wanted: UUID, on: date, word: str) -> Holder:
    name = getattr(rows[0], "name", "") if rows else "（查无此人）"
    why = f"没有登记{word}"
    for row in rows:
        number, start, end, stopped = (getattr(row, field) for field in ("number", "valid_from", "valid_until", "suspended_from"))
        if number is None:
            continue
        if start <= on and (end is None or end >= on) and (stopped is None or stopped > on):
            return Holder(person_id=wanted, name=name, number=number)
        why = f"{word} {number} " + (f"从{stopped}起停用" if stopped is not None and stopped <= on else f"已于{end}到期" if end is not None and end < on else f"从{start}起才有效")
    return Holder(person_id=wanted, name=name, number=None, why=why)
