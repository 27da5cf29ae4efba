"""What grants by role add to a register's own rule, and what they take away: per action, and per field.

A grant of an action widens it as far as its scope. ``closed`` switches off what the declaration allows by itself, so that only
grants count. A field is read as its declaration says, unless everybody (role ``*``) has it hidden or masked; a role that holds a
grant for the field then has that one, of several the widest.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, or_, select

from engine.access.actors import Actor
from engine.registers.declaration import Field, Register
from engine.storage.tables.organisation import unit

ACTIONS = {"read": "查看", "edit": "修改", "import": "导入", "export": "导出", "draw": "抽样"}
SCOPES = {"own": "本单位", "below": "本单位和下属单位", "agency": "本局", "bureau": "本条线", "all": "全部"}
LEVELS = {"hide": "看不到", "mask": "遮掩", "read": "看得到"}
_ORDER = ("hide", "mask", "read")


def granted(actor: Actor, register: str, action: str) -> frozenset[str]:
    """The scopes in which roles allow ``action``; empty when none does."""
    return frozenset(one.scope for one in actor.grants if one.kind == "register" and one.object == register and one.level == action)


def is_closed(actor: Actor, register: str, action: str) -> bool:
    """True when only grants count for ``action``."""
    return any(one.kind == "closed" and one.object == register and one.level == action for one in actor.grants)


def may(actor: Actor, register: str, action: str, *, default: bool) -> bool:
    """``default`` (what the declaration says) or a grant; a grant alone where the register is closed."""
    return bool(granted(actor, register, action)) or (default and not is_closed(actor, register, action))


def units_within(actor: Actor, scopes: frozenset[str]) -> Select[Any] | None:
    """The ids of the units that ``scopes`` reach; None means all."""
    if "all" in scopes:
        return None
    reach = [unit.c.id == actor.unit_id]
    if "below" in scopes:
        reach.append(unit.c.path.startswith(actor.unit_path, autoescape=True))
    if "agency" in scopes:
        reach.append(unit.c.district_id == actor.district_id if actor.district_id else (unit.c.district_id.is_(None) & (unit.c.bureau == actor.bureau)))
    if "bureau" in scopes:
        reach.append(unit.c.bureau == actor.bureau)
    return select(unit.c.id).where(or_(*reach))


def reaches(connection: Connection, actor: Actor, register: str, action: str, unit_id: UUID | None) -> bool:
    """True when a grant allows ``action`` on a record of ``unit_id``."""
    scopes = granted(actor, register, action)
    if not scopes:
        return False
    within = units_within(actor, scopes)
    return within is None or (unit_id is not None and connection.scalar(select(within.where(unit.c.id == unit_id).exists())) is True)


def for_reader(register: Register, actor: Actor) -> Register:
    """``register`` as ``actor`` knows it: without the fields hidden from them, others masked."""
    told = {name: level_of(actor, f"{register.name}.{name}") for name in register.fields} if any(one.kind == "field" for one in actor.grants) else {}
    if not any(told.values()):
        return register
    fields: Mapping[str, Field] = {
        name: replace(field, mask=field.mask or "all", search=False) if told[name] == "mask" else field for name, field in register.fields.items() if told[name] != "hide"
    }
    return replace(register, fields=fields)


def level_of(actor: Actor, field: str) -> str | None:
    """hide, mask or read as grants say for ``<pack>.<register>.<field>``; None when nothing is said."""
    mine = [one for one in actor.grants if one.kind == "field" and one.object == field]
    said = [one.level for one in mine if not one.general] or [one.level for one in mine]
    return max(said, key=_ORDER.index) if said else None
