"""Units, posts and people: what the tree looks like and who sits where. Writing is in ``staffing``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, or_, select

from engine.access.actors import holds_on
from engine.access.assignment import Holder
from engine.kernel.errors import NotFound
from engine.storage.tables.organisation import account, person, post, unit

BUREAUS = {"urban_management": "城管执法", "market_regulation": "市场监管"}
UNIT_KINDS = {
    "city_bureau": "市局",
    "corps": "总队",
    "district_bureau": "区局",
    "section": "科室",
    "legal_section": "法制机构",
    "city_demolition_office": "市拆违办",
    "demolition_office": "区拆违办",
    "street_office": "街镇拆违办",
    "squad": "中队",
    "station": "所",
    "street": "街镇",
    "branch": "派出机构",
}


@dataclass(frozen=True, kw_only=True)
class UnitNode:
    """A unit with those directly below it."""

    id: UUID
    code: str
    name: str
    short_name: str
    kind: str
    bureau: str
    path: str
    active: bool
    children: tuple[UnitNode, ...] = ()


def find_unit(connection: Connection, *, unit_id: UUID | None = None, code: str | None = None) -> Row[Any] | None:
    """The ``unit`` row by id or code, or None."""
    wanted = unit.c.id == unit_id if unit_id is not None else unit.c.code == code
    return connection.execute(select(unit).where(wanted)).one_or_none()


def get_unit(connection: Connection, *, unit_id: UUID | None = None, code: str | None = None) -> Row[Any]:
    """The ``unit`` row by id or code; raises NotFound."""
    found = find_unit(connection, unit_id=unit_id, code=code)
    if found is None:
        raise NotFound("没有这个单位。")
    return found


def units_below(connection: Connection, *, path: str = "", kinds: Iterable[str] = (), active_only: bool = True) -> list[Row[Any]]:
    """Units at and below ``path`` in the order of the tree; of ``kinds`` only, when given."""
    statement = select(unit).where(unit.c.path.like(_prefix(path))).order_by(unit.c.path)
    if active_only:
        statement = statement.where(unit.c.active)
    chosen = list(kinds)
    return list(connection.execute(statement.where(unit.c.kind.in_(chosen)) if chosen else statement))


def unit_tree(connection: Connection, *, path: str = "", active_only: bool = True) -> tuple[UnitNode, ...]:
    """The tree at and below ``path``, in one statement; its top units when the path is empty."""
    below: dict[UUID | None, list[UnitNode]] = {}
    parents: dict[UUID, UUID | None] = {}
    rows = units_below(connection, path=path, active_only=active_only)
    known = {row.id for row in rows}
    for row in reversed(rows):
        node = UnitNode(
            id=row.id,
            code=row.code,
            name=row.name,
            short_name=row.short_name,
            kind=row.kind,
            bureau=row.bureau,
            path=row.path,
            active=row.active,
        )
        parents[row.id] = row.parent_id if row.parent_id in known else None
        node = replace(node, children=tuple(below.pop(row.id, ())))
        below.setdefault(parents[row.id], []).insert(0, node)
    return tuple(below.get(None, ()))


def _prefix(path: str) -> str:
    return path.replace("\\", "\\\\").replace("_", r"\_").replace("%", r"\%") + "%"


def people_in_unit(connection: Connection, *, unit_id: UUID, on: date) -> list[Holder]:
    """Everybody who holds a post in the unit on ``on``, by post and name."""
    return _holders(connection, and_(post.c.unit_id == unit_id, holds_on(on)))


def find_people(connection: Connection, *, text: str, on: date, path: str = "", limit: int = 20) -> list[Holder]:
    """People for a picker: by part of the name or the start of pinyin or its initials, at and below ``path``."""
    text = text.strip()
    condition = and_(holds_on(on), unit.c.path.like(_prefix(path)))
    if text:
        folded = text.lower()
        matching = or_(
            person.c.name.contains(text, autoescape=True),
            person.c.pinyin.startswith(folded, autoescape=True),
            person.c.pinyin.contains(" " + folded, autoescape=True),
        )
        condition = and_(condition, matching)
    return _holders(connection, condition, limit=limit)


def _holders(connection: Connection, condition: Any, *, limit: int | None = None) -> list[Holder]:
    rows = connection.execute(
        select(person.c.id, person.c.name, unit.c.id, unit.c.short_name, post.c.code, post.c.title)
        .select_from(post.join(person, person.c.id == post.c.person_id).join(unit, unit.c.id == post.c.unit_id))
        .where(condition, person.c.active, unit.c.active)
        .order_by(unit.c.path, post.c.code, person.c.pinyin, person.c.id)
        .limit(limit)
    )
    return [Holder(person_id=r[0], name=r[1], unit_id=r[2], unit_name=r[3], post=r[4], post_title=r[5]) for r in rows]


def posts_of(connection: Connection, *, person_id: UUID, on: date | None = None) -> list[Row[Any]]:
    """Posts of a person, those on ``on`` or the whole history: id, code, title, main, valid_from, valid_until, unit_id, unit_name."""
    p = post.c
    statement = (
        select(p.id, p.code, p.title, p.main, p.valid_from, p.valid_until, unit.c.id.label("unit_id"), unit.c.name.label("unit_name"))
        .join(unit, unit.c.id == p.unit_id)
        .where(p.person_id == person_id)
        .order_by(p.main.desc(), p.valid_from.desc(), p.id)
    )
    return list(connection.execute(statement if on is None else statement.where(holds_on(on))))


def get_person(connection: Connection, *, person_id: UUID) -> Row[*tuple[Any, ...]]:
    """id, name, pinyin, certificate_number, certificate_until, active, login; raises NotFound."""
    row = connection.execute(
        select(
            person.c.id,
            person.c.name,
            person.c.pinyin,
            person.c.certificate_number,
            person.c.certificate_until,
            person.c.active,
            account.c.login,
        )
        .outerjoin(account, account.c.person_id == person.c.id)
        .where(person.c.id == person_id)
    ).one_or_none()
    if row is None:
        raise NotFound("没有这个人员。")
    return row


def names_of(connection: Connection, *, person_ids: Iterable[UUID]) -> dict[UUID, str]:
    """id → name of all given people, in one statement."""
    wanted = list({*person_ids})
    return (
        {}
        if not wanted
        else {row[0]: row[1] for row in connection.execute(select(person.c.id, person.c.name).where(person.c.id.in_(wanted)))}
    )


def holds_certificate(connection: Connection, *, person_id: UUID, on: date) -> bool:
    """True when the person's law-enforcement certificate (执法证) is valid on ``on``."""
    valid = and_(person.c.id == person_id, person.c.certificate_number.is_not(None), person.c.certificate_until >= on)
    return connection.execute(select(person.c.id).where(valid)).one_or_none() is not None
