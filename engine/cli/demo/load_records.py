"""Demo records that a pack brings itself: ``processes/<pack>/demo/<register>.csv``, see docs/content.md."""
from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import Connection, select

from engine.kernel.clock import legal_date
from engine.kernel.settings import ROOT
from engine.packs.folder import pack_names
from engine.reference.places import read_place
from engine.registers.catalogue import get_register
from engine.registers.declaration import Field, Register
from engine.registers.write_record import write_record
from engine.runtime.application import Application
from engine.runtime.number_record import number_records
from engine.storage.tables.organisation import unit

KEY, UNIT = "key", "unit"
FAR_AGO = timedelta(hours=1)


def load_records(app: Application, *, at: datetime) -> int:
    """Write the records that aren't there yet, file by file; how many were new. What people changed or removed since stays as it is."""
    made = 0
    with app.db.begin() as connection:
        units = {row.code: (row.id, row.district_id) for row in connection.execute(select(unit.c.code, unit.c.id, unit.c.district_id))}
        for name, path in _files():
            made += _load(app, connection, name, path, units, at)
    return made


def record_id(register: str, key: str) -> UUID:
    """The id of the demo record called ``key`` in ``register``."""
    return uuid5(NAMESPACE_URL, f"demo:{register}:{key}")


def _files() -> Iterator[tuple[str, Path]]:
    for pack in pack_names(ROOT):
        for path in sorted((ROOT / "processes" / pack / "demo").glob("*.csv")):
            yield f"{pack}.{path.stem}", path


def _load(app: Application, connection: Connection, name: str, path: Path, units: Mapping[str, tuple[UUID, UUID | None]], at: datetime) -> int:
    register, table = get_register(app.library, name)
    with path.open(encoding="utf-8", newline="") as file:
        rows = {record_id(name, row[KEY]): row for row in csv.DictReader(file)}
    known = set(connection.scalars(select(table.c.id).where(table.c.id.in_(rows))))
    missing = {id: row for id, row in rows.items() if id not in known}
    for code in sorted({row[UNIT] for row in missing.values()}):
        owner, district = units[code]
        theirs = [id for id, row in missing.items() if row[UNIT] == code]
        filled = [_values(register, missing[id], units, at) for id in theirs]
        numbered = number_records(app, connection, register=register, rows=filled, unit_id=owner, at=at)
        for id, values in zip(theirs, numbered, strict=True):
            write_record(
                connection, register=register, table=table, record_id=id, values=values, case_id=None, unit_id=owner, district_id=district, keys=app.keys,
                at=at - FAR_AGO, by_id=None, by_name="演示数据", reason="登记",
            )
    return len(missing)


def _values(register: Register, row: Mapping[str, str], units: Mapping[str, tuple[UUID, UUID | None]], at: datetime) -> dict[str, Any]:
    return {name: _value(register.fields[name], text, units, at) for name, text in row.items() if name not in (KEY, UNIT) and text}


def _value(field: Field, text: str, units: Mapping[str, tuple[UUID, UUID | None]], at: datetime) -> Any:
    """A cell: codes as they are, several with blanks between, a unit by its code, a record by its key, a date also as days from today (-30)."""
    if field.type == "unit":
        return units[text][0]
    if field.type == "record":
        return str(record_id(str(field.register), text))
    if field.type in ("choices", "tags"):
        return text.split()
    if field.type == "point":
        return read_place(text)
    if field.type == "boolean":
        return text == "true"
    if field.type == "date" and text.lstrip("+-").isdigit():
        return legal_date(at) + timedelta(days=int(text))
    return text
