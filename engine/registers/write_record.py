"""Write a record: insert or change, with a history row that says what it was before."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.kernel.errors import Invalid
from engine.kernel.gm import KeyRing
from engine.kernel.ids import new_id
from engine.reference.places import read_outline, read_place
from engine.registers.declaration import Field, Register
from engine.storage.tables.cases import attachment
from engine.storage.tables.registers import record_history


def write_record(
    connection: Connection, *, register: Register, table: Table, record_id: UUID, values: Mapping[str, Any], case_id: UUID | None, unit_id: UUID | None,
    district_id: UUID | None, keys: KeyRing, at: datetime, by_id: UUID | None, by_name: str, act_id: UUID | None = None, reason: str = "",
) -> dict[str, list[Any]]:
    """Set ``values`` on the record, making it when it is new; {field: [before, after]} of what changed.

    Raises Invalid for a field the register doesn't have. Lock the case before you call this.
    """
    unknown = sorted(set(values) - set(register.fields))
    if unknown:
        raise Invalid(f"台账“{register.title}”没有字段：{'、'.join(unknown)}。")
    before = connection.execute(select(table).where(table.c.id == record_id).with_for_update()).mappings().one_or_none()
    columns = {name: to_column(register.fields[name], value, keys) for name, value in values.items()}
    changes = changes_of(register, before, columns)
    if before is not None and not changes:
        return {}
    changed_at = at if before is None else max(at, before["updated_at"] + timedelta(microseconds=1))  # a revision of its own, also when the clock stands
    row = {"id": record_id, "case_id": case_id, "unit_id": unit_id, "district_id": district_id, "created_at": at, "updated_at": changed_at, **columns}
    write = insert(table).values(row)
    record = write.on_conflict_do_update(index_elements=["id"], set_={"updated_at": changed_at, **{name: write.excluded[name] for name in columns}}).cte("record")
    connection.execute(insert(record_history).values(
        id=new_id(), register=register.name, record_id=record_id, act_id=act_id, at=at, by_id=by_id, by_name=by_name, reason=reason, changes=changes,
    ).add_cte(record))
    _keep_files(connection, register, record_id, columns)
    return changes


def _keep_files(connection: Connection, register: Register, record_id: UUID, columns: Mapping[str, Any]) -> None:
    """Files named in the record belong to it from now on: who sees the record sees them."""
    ids = [UUID(entry["id"]) for name, held in columns.items() if register.fields[name].type == "files" for entry in held or ()]
    if ids:
        theirs = update(attachment).where(attachment.c.id.in_(ids), attachment.c.record_id.is_(None))
        connection.execute(theirs.values(register=register.name, record_id=record_id))


def to_column(field: Field, value: Any, keys: KeyRing) -> Any:
    """``value`` as answers hold it → as the column takes it."""
    if value is None or value == "" or value == []:
        return None
    if field.encrypt:
        return keys.encrypt(str(value).encode(), field.name.encode())
    if field.type == "point":
        return read_place(value)
    if field.type == "outline":
        return read_outline(value)
    if field.type in ("number", "money"):
        return Decimal(str(value))
    if field.type == "date":
        return value if isinstance(value, date) else date.fromisoformat(value)
    if field.type == "datetime":
        return value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if field.type in ("person", "unit", "party"):
        return UUID(str(value["id"] if isinstance(value, dict) else value))
    if field.type in ("text", "choice") and not isinstance(value, str):
        return _words(field, value) if isinstance(value, dict) else str(value)
    return value


def _words(field: Field, value: dict[str, Any]) -> str:
    """The code of what was picked; in a text column what people read of it: of an address its text."""
    order = ("code", "text", "title") if field.type == "choice" else ("text", "code", "title")
    return next((str(value[name]) for name in order if value.get(name)), str(value))


def changes_of(register: Register, before: Any, columns: Mapping[str, Any]) -> dict[str, list[Any]]:
    """{field: [before, after]} of what ``columns`` change, as the history keeps it; of encrypted fields only that they did."""
    changes = {}
    for name, after in columns.items():
        old = before[name] if before is not None else None
        if old != after:
            secret = register.fields[name].encrypt
            changes[name] = ["***", "***"] if secret else [_plain(old), _plain(after)]
    return changes


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, bool, int, list, dict, type(None))) else str(value)
