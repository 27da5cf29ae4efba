"""What a narrowed list adds up to, by one of its fields: counts, and the sums of its number columns."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, func, select

from engine.access.actors import Actor
from engine.kernel.errors import Invalid
from engine.registers.conditions import OWNER
from engine.registers.declaration import Field, Register
from engine.registers.filters import Asked, narrow
from engine.registers.scope import visible

GROUPED, SUMMED = ("choice", "boolean", "unit"), ("number", "money")
MOST, MOST_SUMS = 200, 4


@dataclass(frozen=True, kw_only=True)
class Tallied:
    """One value (None is empty) of the field, with how many records have it and what they sum up to."""

    value: Any
    count: int
    sums: Sequence[Decimal | None]


def groupings(register: Register) -> list[Field]:
    """Fields that a list may be added up by: codes, yes or no, units; the owning unit last."""
    return [*(one for one in register.fields.values() if one.type in GROUPED and not one.secret), OWNER]


def summed(register: Register) -> list[Field]:
    """Listed number columns, at most four."""
    return [one for one in register.fields.values() if one.type in SUMMED and one.list and not one.secret][:MOST_SUMS]


def tally(connection: Connection, *, actor: Actor, register: Register, table: Table, asked: Asked, by: str) -> list[Tallied]:
    """The groups, the largest first, at most ``MOST``; raises Invalid for a field that nothing is added up by. One statement."""
    if by not in {one.name for one in groupings(register)}:
        raise Invalid("不能按这一栏统计，请从列出的里选。", code="bad_filter")
    column, sums = table.c[by], [func.sum(table.c[one.name]) for one in summed(register)]
    inside = narrow(visible(register, table, actor, table.c.id), register, table, asked)
    rows = connection.execute(select(column, func.count(), *sums).where(table.c.id.in_(inside)).group_by(column).order_by(func.count().desc(), column).limit(MOST))
    return [Tallied(value=row[0], count=row[1], sums=tuple(row[2:])) for row in rows]
