"""Records of a register as lists and details show them: titles for codes, names for ids, secrets masked."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, String, Table, Uuid, cast, func, literal, or_, select, tuple_

from engine.access.actors import Actor
from engine.access.scope import restrict
from engine.kernel.clock import SHANGHAI
from engine.kernel.errors import NotFound
from engine.reference.dictionaries import load_dictionary
from engine.registers.declaration import Field, Register
from engine.runtime.queries.pages import EXACT_LIMIT, Page, cut, decode
from engine.storage.tables.cases import case_file, party
from engine.storage.tables.organisation import person, unit
from engine.storage.tables.registers import record_history

NAMED: Mapping[str, Any] = {"person": person, "unit": unit, "party": party}
MASK = "••••"


@dataclass(frozen=True, kw_only=True)
class Record:
    """``cells`` are texts by field name; ``case`` is the case's number or title."""

    id: UUID
    case_id: UUID | None
    case: str
    unit: str
    updated_at: datetime
    cells: Mapping[str, str]


def listed(
    connection: Connection, *, actor: Actor, register: Register, table: Table, query: str = "", size: int = 30, after: str | None = None, before: int = 0,
) -> Page[Record]:
    """One page of records, last changed first. A count, the rows, and one statement per kind of name."""
    chosen = _search(_visible(table, actor, table.c.id, table.c.updated_at), register, table, query)
    total = connection.scalar(select(func.count()).select_from(chosen.limit(EXACT_LIMIT + 1).subquery())) or 0
    if after:
        at, id = decode(after, length=2)
        chosen = chosen.where(tuple_(table.c.updated_at, table.c.id) < tuple_(literal(datetime.fromisoformat(str(at))), literal(UUID(str(id)), Uuid)))
    ids = chosen.order_by(table.c.updated_at.desc(), table.c.id.desc()).limit(size + 1).subquery()
    rows = connection.execute(_whole(table).join(ids, ids.c.id == table.c.id).order_by(table.c.updated_at.desc(), table.c.id.desc())).mappings().all()
    records = _records(connection, rows, register.listed)
    return cut(records, size=size, before=before, total=total, key=lambda row: (row.updated_at.isoformat(), row.id))


def one(connection: Connection, *, actor: Actor, register: Register, table: Table, record_id: UUID) -> tuple[Record, list[dict[str, Any]]]:
    """(record with every field, its history newest first); raises NotFound."""
    seen = _visible(table, actor, table.c.id).where(table.c.id == record_id).subquery()
    rows = connection.execute(_whole(table).join(seen, seen.c.id == table.c.id)).mappings().all()
    if not rows:
        raise NotFound("没有这条记录，或者您无权查看。")
    h = record_history.c
    history = connection.execute(
        select(h.at, h.by_name, h.reason, h.changes).where(h.register == register.name, h.record_id == record_id).order_by(h.at.desc()).limit(100)
    ).mappings()
    return _records(connection, rows, list(register.fields.values()))[0], [dict(row) for row in history]


def _visible(table: Table, actor: Actor, *columns: Any) -> Select[Any]:
    """Records of cases that the reader may see, and those of no case in the reader's own unit."""
    live = select(*columns).where(table.c.deleted_at.is_(None))
    if actor.sees_everything:
        return live
    of_cases = restrict(live, actor, case_id=table.c.case_id).subquery()
    own = live.where(table.c.case_id.is_(None), table.c.unit_id == actor.unit_id).subquery()
    ids = select(of_cases.c.id).union(select(own.c.id)).subquery()
    return live.join(ids, ids.c.id == table.c.id)


def _search(statement: Select[Any], register: Register, table: Table, query: str) -> Select[Any]:
    fields = [f for f in register.fields.values() if f.search and not f.encrypt]
    for word in query.split()[:5]:
        if fields:
            statement = statement.where(or_(*(cast(table.c[f.name], String).contains(word, autoescape=True) for f in fields)))
    return statement


def _whole(table: Table) -> Select[Any]:
    return select(table, case_file.c.number.label("x_number"), case_file.c.title.label("x_title"), unit.c.short_name.label("x_unit")).select_from(
        table.outerjoin(case_file, case_file.c.id == table.c.case_id).outerjoin(unit, unit.c.id == table.c.unit_id)
    )


def _records(connection: Connection, rows: Sequence[Any], fields: Sequence[Field]) -> list[Record]:
    names = _names(connection, rows, fields)
    return [
        Record(
            id=row["id"], case_id=row["case_id"], case=row["x_number"] or row["x_title"] or "", unit=row["x_unit"] or "", updated_at=row["updated_at"],
            cells={f.name: _text(connection, f, row[f.name], names) for f in fields},
        )
        for row in rows
    ]


def _names(connection: Connection, rows: Sequence[Any], fields: Sequence[Field]) -> dict[UUID, str]:
    found: dict[UUID, str] = {}
    for kind, table in NAMED.items():
        ids = {row[f.name] for row in rows for f in fields if f.type == kind and not f.encrypt and row[f.name] is not None}
        if ids:
            found.update((id, name) for id, name in connection.execute(select(table.c.id, table.c.name).where(table.c.id.in_(ids))))
    return found


def _text(connection: Connection, field: Field, value: Any, names: Mapping[UUID, str]) -> str:
    """A column's value as people read it."""
    if value is None:
        return ""
    if field.encrypt:
        return MASK
    if field.type in NAMED:
        return names.get(value, "已不在册")
    if field.type in ("choice", "choices") and field.dictionary:
        codes = value if isinstance(value, list) else [value]
        return "、".join(_title(connection, field.dictionary, str(code)) for code in codes)
    return _plain(field, value)


def _plain(field: Field, value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Decimal):
        return f"{value:,.2f}" if field.type == "money" else f"{value.normalize():f}"
    if isinstance(value, datetime):
        return f"{value.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return "、".join(str(part) for part in value)
    return str(value)


def _title(connection: Connection, dictionary: str, code: str) -> str:
    entry = load_dictionary(connection, dictionary=dictionary).find(code)
    return entry.title if entry else code
