"""Serial numbers of register records: given when a record is made, out of the number book, without gaps or doubles."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from engine.documents.numbers import give_numbers
from engine.registers.declaration import Register
from engine.runtime.application import Application


def number_records(
    app: Application, connection: Connection, *, register: Register, rows: Sequence[Mapping[str, Any]], unit_id: UUID, at: datetime,
) -> list[dict[str, Any]]:
    """``rows`` (values by field) with every serial that is still empty given, in their order. Locks the rule's counter of the unit."""
    numbered = [dict(row) for row in rows]
    for field in register.fields.values():
        if field.type != "serial":
            continue
        empty = [row for row in numbered if not row.get(field.name)]
        if empty:
            rule = app.catalogue.number(str(field.number))
            texts = give_numbers(connection, rule=rule, unit_id=unit_id, at=at, count=len(empty))
            for row, text in zip(empty, texts, strict=True):
                row[field.name] = text
    return numbered
