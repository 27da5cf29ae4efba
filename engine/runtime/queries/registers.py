"""Records of a register as lists and details show them, narrowed, ordered and paged by key."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Numeric, Select, Table, Text, Uuid, cast, func, literal, select, tuple_

from engine.access.actors import Actor
from engine.kernel.errors import Invalid, NotFound
from engine.registers.declaration import Field, Register
from engine.registers.filters import Asked, check_key, narrow, order_column
from engine.registers.scope import lies_in_order, sees_all, visible, visible_one
from engine.registers.tables import SQLA
from engine.runtime.queries.pages import EXACT_LIMIT, Page, cut, decode
from engine.runtime.queries.record_words import Words, told_changes
from engine.storage.tables.cases import case_file
from engine.storage.tables.organisation import unit
from engine.storage.tables.registers import record_history

NUMBERS = ("number", "money")


@dataclass(frozen=True, kw_only=True)
class Record:
    """``cells`` are texts by field name, ``values`` what the columns hold; ``case`` is the case's number or title."""

    id: UUID
    case_id: UUID | None
    case: str
    unit_id: UUID | None
    unit: str
    updated_at: datetime
    cells: Mapping[str, str]
    values: Mapping[str, Any]
    key: str = ""

    @property
    def rev(self) -> str:
        """What a change must bring back: it is refused when somebody else changed the record since."""
        return self.updated_at.isoformat()


@dataclass(frozen=True, kw_only=True)
class Change:
    """One line of a record's history. ``changes`` are ``{"title", "old", "new"}``; ``word`` says what happened when no field changed."""

    at: datetime
    by_name: str
    reason: str
    word: str
    changes: Sequence[Mapping[str, str]]


def shown_fields(register: Register, asked: Asked) -> list[Field]:
    """The columns of a list: the chosen ones, else the register's."""
    return [register.fields[name] for name in asked.columns] or register.listed


def listed(
    connection: Connection, *, actor: Actor, register: Register, table: Table, asked: Asked | None = None, size: int = 30, after: str | None = None, before: int = 0,
) -> Page[Record]:
    """One page of records. A count, the rows, and one statement per kind of name, whatever the register's length.

    Who sees few of many gets them found by their unit, not looked for among everybody's.
    """
    wanted = asked or Asked()
    total = count(connection, actor=actor, register=register, table=table, asked=wanted)
    walks = sees_all(register, table, actor) or not wanted.sort and lies_in_order(register, table, actor)
    records = _read(connection, actor, register, table, wanted, size + 1, after, few=total <= EXACT_LIMIT and (wanted.narrowed or not walks))
    return cut(records, size=size, before=before, total=total, key=lambda row: (row.key, row.id))


def count(connection: Connection, *, actor: Actor, register: Register, table: Table, asked: Asked, limit: int = EXACT_LIMIT) -> int:
    """How many records a list holds, exact up to ``limit``; one more stands for "more"."""
    chosen = narrow(visible(register, table, actor, table.c.id), register, table, asked)
    return connection.scalar(select(func.count()).select_from(chosen.limit(limit + 1).subquery())) or 0


def every(
    connection: Connection, *, actor: Actor, register: Register, table: Table, asked: Asked, size: int = 2000,
) -> Iterator[list[Record]]:
    """All records of a list in its order, in portions of ``size`` out of one statement: for files. Needs a transaction."""
    statement = _rows(actor, register, table, asked, limit=None, after=None)
    fields = shown_fields(register, asked)
    with connection.execute(statement, execution_options={"stream_results": True, "yield_per": size}) as result:
        for portion in result.mappings().partitions(size):
            yield _records(connection, portion, fields)


def one(connection: Connection, *, actor: Actor, register: Register, table: Table, record_id: UUID) -> tuple[Record, list[Change]]:
    """(record with every field, its history newest first); raises NotFound."""
    seen = visible_one(register, table, actor, record_id, table.c.id).subquery()
    rows = connection.execute(_whole(table).add_columns(literal("").label("x_key")).join(seen, seen.c.id == table.c.id)).mappings().all()
    if not rows:
        raise NotFound("没有这条记录，或者您无权查看。")
    return _records(connection, rows, list(register.fields.values()))[0], _history(connection, register, record_id)


def by_ids(connection: Connection, *, register: Register, table: Table, ids: Sequence[UUID]) -> list[Record]:
    """The records of ``ids``, which the caller has found to be visible, with every field."""
    rows = connection.execute(_whole(table).add_columns(literal("").label("x_key")).where(table.c.id.in_(ids))).mappings().all() if ids else []
    return _records(connection, rows, list(register.fields.values()))


def _history(connection: Connection, register: Register, record_id: UUID) -> list[Change]:
    h = record_history.c
    rows = connection.execute(
        select(h.at, h.by_name, h.reason, h.changes, h.import_id).where(h.register == register.name, h.record_id == record_id).order_by(h.at.desc(), h.id.desc()).limit(100)
    ).all()
    return [
        Change(
            at=row.at, by_name=row.by_name, reason=row.reason, word=_word(row), changes=told_changes(connection, register, row.changes),
        )
        for row in rows
    ]


def _word(row: Any) -> str:
    if row.import_id is not None:
        return "从 Excel 导入"
    return "删除" if "deleted_at" in row.changes else ""


def _read(connection: Connection, actor: Actor, register: Register, table: Table, asked: Asked, size: int, after: str | None, *, few: bool = False) -> list[Record]:
    rows = connection.execute(_rows(actor, register, table, asked, limit=size, after=after, few=few)).mappings().all()
    return _records(connection, rows, shown_fields(register, asked), register.placed)


def _rows(actor: Actor, register: Register, table: Table, asked: Asked, *, limit: int | None, after: str | None, few: bool = False) -> Select[Any]:
    """Ids in order first, which the index of the order gives, then the rows of these.

    When there are ``few`` all of them are found first and ordered afterwards: walking down the order until a page is full would go
    through the whole register for conditions that each hold often and hardly ever together.
    """
    field = register.fields[asked.sort] if asked.sort else None
    order: ColumnElement[Any] = order_column(field, table) if field else table.c.updated_at
    id: ColumnElement[Any] = table.c.id
    chosen = narrow(visible(register, table, actor, table.c.id, order.label("x_order")), register, table, asked)
    if after:
        chosen = chosen.where(_beyond(field, order, table, after, descending=asked.descending))
    direction = (lambda column: column.desc()) if asked.descending else (lambda column: column.asc())
    if few:
        all_ids = chosen.offset(0).subquery()
        chosen, order, id = select(all_ids.c.id, all_ids.c.x_order), all_ids.c.x_order, all_ids.c.id
    if limit is not None:
        chosen = chosen.order_by(direction(order), direction(id)).limit(limit)
    ids = chosen.subquery()
    statement = _whole(table).add_columns(cast(ids.c.x_order, Text).label("x_key")).join(ids, ids.c.id == table.c.id)
    return statement.order_by(direction(ids.c.x_order), direction(ids.c.id))


def _beyond(field: Field | None, order: Any, table: Table, after: str, *, descending: bool) -> Any:
    """The rows that follow the one whose key stands in the cursor ``after``."""
    key, id = decode(after, length=2)
    try:
        ends = (_key(field, key or ""), literal(UUID(str(id)), Uuid))
    except ValueError:
        raise Invalid("翻页的地址不完整，请回到第一页重新翻。", code="bad_cursor") from None
    here, there = tuple_(order, table.c.id), tuple_(*ends)
    return here < there if descending else here > there


def _key(field: Field | None, key: str) -> Any:
    if field is None:
        return literal(datetime.fromisoformat(key))
    return cast(literal(check_key(field, key), Text), Numeric() if field.type in NUMBERS else SQLA[field.sql_type])


def _whole(table: Table) -> Select[Any]:
    return select(table, case_file.c.number.label("x_number"), case_file.c.title.label("x_title"), unit.c.short_name.label("x_unit")).select_from(
        table.outerjoin(case_file, case_file.c.id == table.c.case_id).outerjoin(unit, unit.c.id == table.c.unit_id)
    )


def _records(connection: Connection, rows: Sequence[Any], fields: Sequence[Field], placed: Sequence[Field] = ()) -> list[Record]:
    """``placed`` are fields whose values come along without words: where the records lie."""
    words = Words(connection, fields, rows)
    return [
        Record(
            id=row["id"], case_id=row["case_id"], case=row["x_number"] or row["x_title"] or "", unit_id=row["unit_id"], unit=row["x_unit"] or "",
            updated_at=row["updated_at"], cells={f.name: words.text(f, row[f.name]) for f in fields},
            values={f.name: None if f.secret else row[f.name] for f in (*fields, *placed)}, key=row["x_key"],
        )
        for row in rows
    ]
