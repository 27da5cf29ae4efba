"""A batch for many acts in one transaction: rows of one table go in together, whatever act they belong to."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam
from sqlalchemy.dialects.postgresql import insert

from engine.runtime.batch import Batch, Filled, Shape
from engine.storage import prepared


class Bulk(Batch):
    """Collects rows per table in the order the tables first came, and other writes after them."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[Table, list[Mapping[str, Any]]] = {}

    def insert(self, table: Table, rows: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> None:
        self._rows.setdefault(table, []).extend([rows] if isinstance(rows, Mapping) else rows)

    def flush(self, connection: Connection, *, then: prepared.Asked | None = None) -> prepared.Reply | None:
        """One statement per table, then other writes one by one, then one statement per shape of change; then what is asked."""
        for table, rows in self._rows.items():
            for alike in _alike(rows):
                connection.execute(insert(table), alike)
        shaped: dict[Shape, list[dict[str, Any]]] = {}
        for write in self._writes:
            if isinstance(write, Filled):
                values = {f"v_{name}": value for name, value in write.values.items()} | {f"k_{name}": value for name, value in write.keys.items()}
                shaped.setdefault(write.shape, []).append(values)
            else:
                connection.execute(write)
        for shape, given in shaped.items():
            connection.execute(shape.write(lambda kind, name: bindparam(f"{kind}_{name}")), given)
        self._rows, self._writes = {}, []
        return None if then is None else prepared.together(connection, then)[0]


def _alike(rows: Sequence[Mapping[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rows grouped by the columns they name."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).append(dict(row))
    return list(groups.values())
