"""Several writes in one statement: data-modifying CTEs, so that an act stays within its budget of statements."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import UpdateBase


class Batch:
    """Collects writes that don't depend on each other's results and don't touch one row twice."""

    def __init__(self) -> None:
        self._writes: list[UpdateBase] = []

    def add(self, write: UpdateBase) -> None:
        self._writes.append(write)

    def insert(self, table: Table, rows: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> None:
        """Insert one row or several; nothing for an empty list."""
        many = [rows] if isinstance(rows, Mapping) else list(rows)
        if many:
            self._writes.append(insert(table).values(many if len(many) > 1 else many[0]))

    def flush(self, connection: Connection) -> None:
        """Send everything collected so far as one statement; foreign keys are checked at its end."""
        if not self._writes:
            return
        ctes = [write.cte(f"w{number}") for number, write in enumerate(self._writes)]
        connection.execute(select(literal(1)).add_cte(*ctes))
        self._writes = []
