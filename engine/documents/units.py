"""In whose name a document is made: the bureau above (or at) the unit that handles the case."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select

from engine.kernel.errors import Invalid, NotFound
from engine.storage.tables.organisation import unit

BUREAUS = frozenset({"city_bureau", "district_bureau"})


def lineage(connection: Connection, unit_id: UUID) -> list[Row[Any]]:
    """The unit and everything above it, nearest first."""
    own, above = unit.alias("own"), unit
    query = select(above).join(own, func.starts_with(own.c.path, above.c.path)).where(own.c.id == unit_id)
    rows = list(connection.execute(query.order_by(func.length(above.c.path).desc())))
    if not rows:
        raise NotFound("没有这个单位。")
    return rows


def authority(rows: list[Row[Any]]) -> Row[Any]:
    """The bureau (办案机关) in a lineage; the topmost unit where there is none."""
    return next((row for row in rows if row.kind in BUREAUS), rows[-1])


def number_word(rows: list[Row[Any]]) -> str:
    """The nearest 机关代字; raises Invalid when nobody set one."""
    found = next((row.number_word for row in rows if row.number_word), None)
    if not found:
        raise Invalid(f"{rows[0].name}没有设置机关代字，请先由管理员在单位管理中填写。", code="number_word_missing")
    return str(found)


def facts_of(row: Row[Any]) -> dict[str, str]:
    """A unit as a document's snapshot keeps it."""
    return {"id": str(row.id), "name": row.name, "short_name": row.short_name, "number_word": row.number_word, "bureau": row.bureau}
