"""Which records of a register an actor may see, decided in the query."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, false, or_, select

from engine.access.actors import Actor
from engine.access.scope import scope_root, sees_case, visible_cases
from engine.registers.declaration import Register
from engine.registers.granted import granted, is_closed, units_within
from engine.storage.tables.organisation import unit


def visible(register: Register, table: Table, actor: Actor, *columns: Any) -> Select[Any]:
    """``columns`` of the live records that ``actor`` may see, by the register's ``scope``.

    ``case``: of cases one may see. ``unit``: of one's own unit, for a head or an office also of the units below. ``agency``: of
    one's own bureau (a district's; at city level the whole branch). ``area``: as ``unit``, but at city level the whole branch.
    ``bureau``: of the branch, 城管执法 or 市场监管. ``all``: of everybody. A role's grant widens it as far as its scope; where the
    register is closed for reading, only grants count.
    """
    return _widened(register, table, actor, own_rule(register, table, actor), *columns)


def visible_one(register: Register, table: Table, actor: Actor, record_id: UUID, *columns: Any) -> Select[Any]:
    """As ``visible`` for one record: what it costs doesn't grow with what the actor may see."""
    own = own_rule(register, table, actor)
    if own is not None and register.scope == "case":
        own = sees_case(actor, table.c.case_id, of=table)
    return _widened(register, table, actor, own, *columns).where(table.c.id == record_id)


def _widened(register: Register, table: Table, actor: Actor, own: ColumnElement[bool] | None, *columns: Any) -> Select[Any]:
    """``columns`` of the live records that the register's own rule ``own`` (None: any) or a grant lets ``actor`` see."""
    live = select(*columns).where(table.c.deleted_at.is_(None))
    own = false() if is_closed(actor, register.name, "read") else own
    scopes = granted(actor, register.name, "read")
    if own is None:
        return live
    if not scopes:
        return live.where(own)
    within = units_within(actor, scopes)
    return live if within is None else live.where(or_(own, table.c.unit_id.in_(within)))


def sees_all(register: Register, table: Table, actor: Actor) -> bool:
    """Does nothing narrow what ``actor`` sees of the register?"""
    return not is_closed(actor, register.name, "read") and own_rule(register, table, actor) is None


def lies_in_order(register: Register, table: Table, actor: Actor) -> bool:
    """Does one index hold what ``actor`` sees in the order of the last change: everything, or one unit's, or one district's?"""
    if sees_all(register, table, actor):
        return True
    if is_closed(actor, register.name, "read") or granted(actor, register.name, "read"):
        return False
    return register.scope == "agency" and actor.district_id is not None or _only_own_unit(register, actor)


def own_rule(register: Register, table: Table, actor: Actor) -> ColumnElement[bool] | None:
    """What the declaration's ``scope`` lets ``actor`` see, None for everything."""
    if actor.sees_everything or register.scope == "all":
        return None
    if register.scope == "case":
        return table.c.case_id.in_(visible_cases(actor))
    if register.scope == "agency" and actor.district_id is not None:
        return table.c.district_id == actor.district_id
    return table.c.unit_id == actor.unit_id if _only_own_unit(register, actor) else table.c.unit_id.in_(_units(register, actor))


def _only_own_unit(register: Register, actor: Actor) -> bool:
    at_city = register.scope == "area" and actor.district_id is None
    return register.scope in ("unit", "area") and not at_city and scope_root(actor) is None


def _units(register: Register, actor: Actor) -> Select[Any]:
    if register.scope in ("agency", "bureau") or (register.scope == "area" and actor.district_id is None):
        return select(unit.c.id).where(unit.c.bureau == actor.bureau)
    mine = unit.c.id == actor.unit_id
    root = scope_root(actor)
    return select(unit.c.id).where(mine if root is None else or_(mine, unit.c.path.startswith(root, autoescape=True)))
