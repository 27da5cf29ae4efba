"""A batch for many acts in one transaction: rows of one table go in together, whatever act they belong to."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import UpdateBase

from engine.runtime.batch import Batch


class Bulk(Batch):
    """Collects rows per table in the order the tables first came, and other writes after them."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[Table, list[Mapping[str, Any]]] = {}

    def add(self, write: UpdateBase) -> None:
        self._writes.append(write)

    def insert(self, table: Table, rows: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> None:
        self._rows.setdefault(table, []).extend([rows] if isinstance(rows, Mapping) else rows)

    def flush(self, connection: Connection) -> None:
        """One statement per table, then the other writes one by one."""
        for table, rows in self._rows.items():
            for alike in _alike(rows):
                connection.execute(insert(table), alike)
        for write in self._writes:
            connection.execute(write)
        self._rows, self._writes = {}, []


def _alike(rows: Sequence[Mapping[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rows grouped by the columns they name."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).append(dict(row))
    return list(groups.values())
