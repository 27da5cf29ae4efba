"""Many new records at once, each with its history row, through COPY."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, RowMapping

from engine.kernel.gm import KeyRing
from engine.kernel.ids import new_id
from engine.registers.declaration import Field, Register
from engine.registers.write_record import changes_of, to_column
from engine.storage.database import dump_json
from engine.storage.geometry import point_text

BASE = ("id", "unit_id", "district_id", "created_at", "updated_at")
HISTORY = ("id", "register", "record_id", "at", "by_id", "by_name", "reason", "changes", "import_id")


def copy_records(
    connection: Connection, *, register: Register, keys: KeyRing, rows: Sequence[Mapping[str, Any]], origin: RowMapping, at: datetime,
) -> int:
    """Insert ``rows`` (values by field) for the import ``origin``; how many. The caller's transaction decides whether they stay."""
    fields = [register.fields[name] for name in register.fields if any(name in row for row in rows)]
    records, history = [], []
    for row in rows:
        id = new_id()
        columns = {one.name: to_column(one, row.get(one.name), keys) for one in fields}
        records.append((id, origin["unit_id"], origin["district_id"], at, at, *(_adapted(one, columns[one.name]) for one in fields)))
        changes = changes_of(register, None, columns)
        history.append((new_id(), register.name, id, at, origin["person_id"], origin["person_name"], origin["file_name"], Jsonb(changes, dumps=dump_json), origin["id"]))
    _copy(connection, sql.Identifier("reg", register.table), [*BASE, *(one.name for one in fields)], records)
    _copy(connection, sql.Identifier("record_history"), HISTORY, history)
    return len(records)


def _adapted(field: Field, value: Any) -> Any:
    if field.type == "point":
        return point_text(value)
    return Jsonb(value, dumps=dump_json) if isinstance(value, (list, dict)) else value


def _copy(connection: Connection, table: sql.Composable, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(table, sql.SQL(", ").join(sql.Identifier(name) for name in columns))
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
