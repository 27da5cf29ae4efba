"""Who may be given a step: a pack's role, resolved through dated role holders to (unit, post) pairs with people in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    column,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from engine.access.actors import holds_on
from engine.kernel.errors import Invalid, NotFound
from engine.kernel.ids import new_id
from engine.storage.prepared import Prepared
from engine.storage.tables.organisation import person, post, role_holder, unit

SCOPES = ("own", "agency", "city")
# 所 and 中队 are one level: a pack that serves both bureaus writes either.
FIELD_KINDS = ("station", "squad")
LONG_AGO = date(2000, 1, 1)


class RoleLike(Protocol):
    """What a manifest says about a role."""

    @property
    def name(self) -> str: ...
    @property
    def post(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def bureau(self) -> str | None: ...
    @property
    def also(self) -> Sequence[RoleLike]: ...


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A person in a post of a unit, as pickers and 下一步 show them."""

    person_id: UUID
    name: str
    unit_id: UUID
    unit_name: str
    post: str
    post_title: str


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Who may take a step: ``pairs`` (unit id, post code), and the ``people`` in them as (person id, name), by name."""

    pairs: list[tuple[UUID, str]]
    people: list[tuple[UUID, str]]


def candidates(connection: Connection, *, role: str, case_unit_id: UUID, on: date, unit_id: UUID | None = None) -> list[tuple[UUID, str]]:
    """The pairs of ``pool``."""
    return pool(connection, role=role, case_unit_id=case_unit_id, on=on, unit_id=unit_id).pairs


def pool(connection: Connection, *, role: str, case_unit_id: UUID, on: date, unit_id: UUID | None = None) -> Pool:
    """(unit id, post code) pairs that hold ``role`` for a case of ``case_unit_id`` on ``on``, with their people; empty when nobody does.

    own: the case's unit itself. agency: units of the wanted kind in its district bureau, or that bureau itself; for a
    unit at city level, those at city level. city: units of the wanted kind at city level of the same bureau. With
    ``unit_id`` the role is looked up in that unit when it is of the wanted kind, else from there. Only pairs with an
    active person on that day are returned. One statement.
    """
    statement = _pool_query(unit_id is not None)
    rows = statement.rows(connection, {"role": role, "on": on, "unit": unit_id or case_unit_id})
    people = {row[2]: row[3] for row in rows}
    return Pool(pairs=list(dict.fromkeys((row[0], row[1]) for row in rows)), people=sorted(people.items(), key=lambda one: (one[1], one[0])))


@cache
def _pool_query(named: bool) -> Prepared:
    """The statement of ``pool``, built once: its shape depends on ``named`` alone."""
    on: Any = bindparam("on", type_=Date)
    base, here, within = unit.alias("base"), unit.alias("here"), unit.alias("within")
    h = role_holder.c
    return Prepared(
        select(here.c.id, h.post, person.c.id, person.c.name)
        .distinct()
        .select_from(
            role_holder.join(base, base.c.id == bindparam("unit", type_=Uuid))
            .outerjoin(within, within.c.id == h.unit_id)
            .join(here, and_(here.c.active, here.c.bureau == base.c.bureau, _place(base.c, here.c, named=named)))
            .join(post, and_(post.c.unit_id == here.c.id, post.c.code == h.post, holds_on(on)))
            .join(person, and_(person.c.id == post.c.person_id, person.c.active))
        )
        .where(
            h.role == bindparam("role"),
            h.valid_from <= on,
            or_(h.valid_until.is_(None), h.valid_until >= on),
            or_(h.bureau.is_(None), h.bureau == base.c.bureau),
            or_(h.unit_id.is_(None), here.c.path.startswith(within.c.path)),
        )
        .order_by(here.c.id, h.post, person.c.name, person.c.id)
    )


def _place(base: Any, here: Any, *, named: bool) -> ColumnElement[bool]:
    """Which units ``here`` a role holder points at, seen from the unit ``base``."""
    h = role_holder.c
    agency_kind = case((and_(base.district_id.is_(None), h.unit_kind == "district_bureau"), literal("city_bureau")), else_=h.unit_kind)
    city_kind = case((h.unit_kind == "district_bureau", literal("city_bureau")), else_=h.unit_kind)
    in_scope = case(
        (h.scope == "own", and_(here.id == base.id, _same_kind(here.kind, h.unit_kind))),
        (h.scope == "agency", and_(here.district_id.is_not_distinct_from(base.district_id), _same_kind(here.kind, agency_kind))),
        else_=and_(here.district_id.is_(None), _same_kind(here.kind, city_kind)),
    )
    return case((_same_kind(base.kind, h.unit_kind), here.id == base.id), else_=in_scope) if named else in_scope


def _same_kind(one: Any, other: Any) -> ColumnElement[bool]:
    return or_(one == other, and_(one.in_(FIELD_KINDS), other.in_(FIELD_KINDS)))


def holders(connection: Connection, *, pairs: Sequence[tuple[UUID, str]], on: date) -> list[Holder]:
    """The people behind (unit id, post code) pairs on ``on``, by unit and name."""
    if not pairs:
        return []
    rows = connection.execute(
        select(person.c.id, person.c.name, unit.c.id, unit.c.short_name, post.c.code, post.c.title)
        .select_from(post.join(person, person.c.id == post.c.person_id).join(unit, unit.c.id == post.c.unit_id))
        .where(tuple_(post.c.unit_id, post.c.code).in_(pairs), person.c.active, holds_on(on))
        .order_by(unit.c.path, post.c.code, person.c.pinyin, person.c.id)
    )
    return [Holder(person_id=r[0], name=r[1], unit_id=r[2], unit_name=r[3], post=r[4], post_title=r[5]) for r in rows]


def holds_role(connection: Connection, *, role: str, posts: Sequence[tuple[UUID, str]], on: date) -> bool:
    """True when one of an actor's ``posts`` is of the post and kind of unit that ``role`` names: may they start it at all."""
    if not posts:
        return False
    return _HOLDS.one_or_none(connection, {**_held_by(posts, on), "role": role}) is not None


def roles_held(connection: Connection, *, posts: Sequence[tuple[UUID, str]], on: date) -> frozenset[str]:
    """All roles that an actor's ``posts`` may act in, e.g. for the list of what they may start."""
    if not posts:
        return frozenset()
    return frozenset(role for role, in _HELD.rows(connection, _held_by(posts, on)))


def _held_by(posts: Sequence[tuple[UUID, str]], on: date) -> dict[str, Any]:
    return {"units": [unit_id for unit_id, _ in posts], "posts": [post for _, post in posts], "on": on}


def _roles_held() -> Any:
    """The roles of pairs (``units``, ``posts``) on ``on``; built once."""
    on: Any = bindparam("on", type_=Date)
    held = func.unnest(bindparam("units", type_=ARRAY(Uuid)), bindparam("posts", type_=ARRAY(Text))).table_valued(column("unit_id", Uuid), column("post", Text), name="held").render_derived()
    h, mine, within = role_holder.c, unit.alias("mine"), unit.alias("within")
    wide = case((and_(mine.c.kind == "city_bureau", h.unit_kind == "district_bureau"), literal("city_bureau")), else_=h.unit_kind)
    return (
        select(h.role)
        .distinct()
        .select_from(role_holder.join(held, held.c.post == h.post).join(mine, mine.c.id == held.c.unit_id).outerjoin(within, within.c.id == h.unit_id))
        .where(
            _same_kind(mine.c.kind, wide),
            h.valid_from <= on,
            or_(h.valid_until.is_(None), h.valid_until >= on),
            or_(h.bureau.is_(None), h.bureau == mine.c.bureau),
            or_(h.unit_id.is_(None), mine.c.path.startswith(within.c.path)),
        )
    )


_HELD = Prepared(_roles_held())
_HOLDS = Prepared(_roles_held().where(role_holder.c.role == bindparam("role", type_=Text)))


def seed_role_holders(connection: Connection, *, roles: Iterable[RoleLike]) -> int:
    """Give each role of the packs its first holders; roles that ever had one are left to the administrators. How many new."""
    known = set(connection.execute(select(role_holder.c.role)).scalars())
    rows = [
        {
            "id": new_id(),
            "role": role.name,
            "post": held.post,
            "unit_kind": held.unit,
            "scope": held.scope,
            "bureau": held.bureau,
            "valid_from": LONG_AGO,
            "source": "业务包",
        }
        for role in roles
        if role.name not in known and role.post
        for held in (role, *role.also)
    ]
    if rows:
        connection.execute(insert(role_holder), rows)
    return len(rows)


def add_role_holder(
    connection: Connection,
    *,
    role: str,
    post_code: str,
    unit_kind: str,
    scope: str,
    valid_from: date,
    source: str,
    bureau: str | None = None,
    unit_id: UUID | None = None,
    valid_until: date | None = None,
) -> UUID:
    """Let another post hold a role from a date, below ``unit_id`` if given. ``source`` names the decision behind it."""
    if scope not in SCOPES:
        raise Invalid("角色范围应为本单位、本局或市级。", fields={"scope": "请选择范围。"})
    if not source.strip():
        raise Invalid("请写明依据。", fields={"source": "请写明由谁决定、依据什么。"})
    id = new_id()
    connection.execute(
        insert(role_holder).values(
            id=id,
            role=role,
            post=post_code,
            unit_kind=unit_kind,
            scope=scope,
            bureau=bureau,
            unit_id=unit_id,
            valid_from=valid_from,
            valid_until=valid_until,
            source=source,
        )
    )
    return id


def end_role_holder(connection: Connection, *, id: UUID, last_day: date) -> None:
    """Stop a role holder after ``last_day``; raises NotFound."""
    if not connection.execute(update(role_holder).where(role_holder.c.id == id).values(valid_until=last_day)).rowcount:
        raise NotFound("没有这条角色对应。")
