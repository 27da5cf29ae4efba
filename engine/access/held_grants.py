"""What the roles that somebody holds allow, as one column of the statement that says who they are.

A role is held through a post (``role_holder``) or by name (``role_person``); a grant of the role ``*`` is everybody's.
"""
from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Text, and_, case, cast, func, literal, or_, select, union_all

from engine.storage.tables.organisation import person, post, role_holder, unit
from engine.storage.tables.organising import access_grant, own_role, role_person

EVERYBODY = "*"


class Grant(NamedTuple):
    """``kind``: function, register, field or closed; ``general``: of everybody, not of a role."""

    kind: str
    object: str
    level: str
    scope: str
    general: bool


def dated(table: Any, on: Any) -> ColumnElement[bool]:
    """The condition that a row of ``table`` is in force on ``on``, both ends included."""
    return and_(table.c.valid_from <= on, or_(table.c.valid_until.is_(None), table.c.valid_until >= on))


def held_grants(on: date | BindParameter[date]) -> Any:
    """A JSON list of [kind, object, level, scope, general] for the ``person`` of the enclosing statement; null when there is none."""
    roles = union_all(select(literal(EVERYBODY, Text).label("role")), _by_post(on), _by_name(on)).subquery("held")
    g = access_grant.c
    return (
        select(func.json_agg(func.json_build_array(g.kind, g.object, g.level, g.scope, g.role == EVERYBODY)))
        .select_from(access_grant.join(roles, roles.c.role == g.role))
        .where(dated(access_grant, on))
        .correlate(person)
        .scalar_subquery()
    )


def _by_post(on: Any) -> Any:
    held, mine, within, h = post.alias("held_post"), unit.alias("held_unit"), unit.alias("held_within"), role_holder.c
    wide = case((and_(mine.c.kind == "city_bureau", h.unit_kind == "district_bureau"), literal("city_bureau")), else_=h.unit_kind)
    return (
        select(cast(h.role, Text))
        .select_from(
            held.join(mine, mine.c.id == held.c.unit_id).join(role_holder, h.post == held.c.code).outerjoin(within, within.c.id == h.unit_id)
            .outerjoin(own_role, own_role.c.name == h.role)
        )
        .where(
            held.c.person_id == person.c.id, dated(held, on), mine.c.active, dated(role_holder, on),
            or_(mine.c.kind == wide, and_(_in_the_field(mine.c.kind), _in_the_field(h.unit_kind))), or_(h.bureau.is_(None), h.bureau == mine.c.bureau),
            or_(h.unit_id.is_(None), mine.c.path.startswith(within.c.path)), or_(own_role.c.id.is_(None), own_role.c.active),
        )
        .correlate(person)
    )


def _in_the_field(kind: Any) -> ColumnElement[bool]:
    return or_(kind == "station", kind == "squad")


def _by_name(on: Any) -> Any:
    r = role_person
    return select(r.c.role).join(own_role, own_role.c.name == r.c.role).where(r.c.person_id == person.c.id, dated(r, on), own_role.c.active).correlate(person)


def read_grants(rows: list[list[Any]] | None) -> frozenset[Grant]:
    """The grants behind that column."""
    return frozenset(Grant(*row) for row in rows or ())
