"""Several writes in one statement: data-modifying CTEs, so that an act stays within its budget of statements."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import UpdateBase

FEW = 12


class Batch:
    """Collects writes that don't depend on each other's results and don't touch one row twice."""

    def __init__(self) -> None:
        self._writes: list[UpdateBase] = []

    def add(self, write: UpdateBase) -> None:
        self._writes.append(write)

    def insert(self, table: Table, rows: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> None:
        """Insert one row or several; nothing for an empty list.

        A few rows are a write each: SQLAlchemy compiles a statement with a list of rows anew every time, which costs
        more than all the rest of an act.
        """
        many = [rows] if isinstance(rows, Mapping) else list(rows)
        if len(many) <= FEW:
            self._writes += [insert(table).values(row) for row in many]
        else:
            self._writes.append(insert(table).values(many))

    def flush(self, connection: Connection) -> None:
        """Send everything collected so far as one statement; foreign keys are checked at its end."""
        if not self._writes:
            return
        ctes = [write.cte(f"w{number}") for number, write in enumerate(self._writes)]
        connection.execute(select(literal(1)).add_cte(*ctes))
        self._writes = []
