"""What records are called where others point at them."""
from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, Text, Uuid, column, func, select
from sqlalchemy import table as named_table

from engine.access.actors import Actor
from engine.kernel.errors import Invalid
from engine.kernel.names import name_of, pack_of
from engine.packs.library import Library
from engine.registers.catalogue import get_register
from engine.registers.declaration import Field, Register
from engine.registers.granted import for_reader
from engine.registers.scope import visible, visible_one
from engine.runtime.application import Application

MOST_BY_NAME = 50_000


def title_field(register: Register) -> Field | None:
    """The text that stands for a record of ``register``: the first listed one that isn't secret; None when there is none."""
    return next((f for f in register.listed if f.type in ("text", "serial") and not f.secret), None)


def titles_of(connection: Connection, field: Field, ids: Collection[UUID]) -> dict[UUID, str]:
    """{id: title} of the records of the register that ``field`` points at; also of removed ones."""
    name = str(field.register)
    told = named_table(f"{pack_of(name)}__{name_of(name)}", column("id", Uuid), column(field.shows, Text), schema="reg")
    rows = connection.execute(select(told.c.id, told.c[field.shows]).where(told.c.id.in_(ids)))
    return {id: title or "未命名" for id, title in rows}


def record_title(app: Application, connection: Connection, *, actor: Actor | None, register: str, record_id: UUID) -> str | None:
    """The title of one live record; None when it isn't there or ``actor`` may not see it."""
    declared, held = get_register(app.library, register)
    shown = title_field(declared)
    if actor is None or shown is None:
        return None
    found = connection.execute(visible_one(declared, held, actor, record_id, held.c[shown.name])).one_or_none()
    return None if found is None else found[0] or "未命名"


def record_value(app: Application, connection: Connection, *, actor: Actor, register: str, record_id: UUID, field: str) -> Any:
    """What ``field`` of one live record holds, ids as text; None when it is empty, secret, not there or not for ``actor``."""
    declared, held = get_register(app.library, register)
    known = for_reader(declared, actor).fields.get(field)
    if known is None or known.secret:
        return None
    value = connection.scalar(visible_one(declared, held, actor, record_id, held.c[field]))
    return str(value) if isinstance(value, UUID) else value


def find_records(app: Application, connection: Connection, *, actor: Actor, register: str, text: str, limit: int) -> list[tuple[UUID, str]]:
    """(id, title) of live records that ``actor`` may see whose title has ``text`` in it, last changed first."""
    declared, held = get_register(app.library, register)
    shown = title_field(declared)
    if shown is None:
        return []
    statement = visible(declared, held, actor, held.c.id, held.c[shown.name])
    if text:
        statement = statement.where(held.c[shown.name].contains(text, autoescape=True))
    rows = connection.execute(statement.order_by(held.c.updated_at.desc(), held.c.id.desc()).limit(limit))
    return [(id, title or "未命名") for id, title in rows]


def titles_among(connection: Connection, *, actor: Actor, register: Register, table: Table, ids: Collection[UUID]) -> list[tuple[UUID, str]]:
    """(id, title) of those of ``ids`` that ``actor`` may see, by title."""
    shown = title_field(register)
    title = table_column(table, shown)
    rows = connection.execute(visible(register, table, actor, table.c.id, title).where(table.c.id.in_(ids)).order_by(title, table.c.id))
    return [(id, told or "未命名") for id, told in rows]


def table_column(table: Table, shown: Field | None) -> ColumnElement[str]:
    """What stands for a record in ``table``: its title's column, else the day it was last changed."""
    return table.c[shown.name] if shown else func.to_char(table.c.updated_at, "YYYY-MM-DD")


def known_titles(connection: Connection, *, library: Library, actor: Actor, field: Field) -> dict[str, list[UUID]]:
    """{title: ids} of what ``field`` may point at, for reading files. Raises Invalid above 50,000 records."""
    declared, held = get_register(library, str(field.register))
    rows = connection.execute(visible(declared, held, actor, held.c.id, held.c[field.shows]).limit(MOST_BY_NAME + 1)).all()
    if len(rows) > MOST_BY_NAME:
        raise Invalid(f"“{declared.title}”超过 {MOST_BY_NAME:,} 条，不能在 Excel 里按名称对应，请把“{field.title}”这一列去掉，导入后逐条补。")
    found: dict[str, list[UUID]] = {}
    for id, title in rows:
        found.setdefault(title or "", []).append(id)
    return found
