"""Several writes in one statement: data-modifying CTEs, so that an act stays within its budget of statements.

A write that names its columns and nothing else has a shape. A statement made of such writes is compiled once per
sequence of shapes and afterwards only filled in: building and compiling it anew costs more than all the rest of an act.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table, bindparam, delete, literal, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import ClauseElement

from engine.storage import prepared

FEW = 12
KINDS = ("insert", "insert new", "update", "delete")


@dataclass(frozen=True)
class Shape:
    """``kind`` of ``KINDS`` on ``table``; ``columns`` are written, the row or rows are those where ``keys`` are equal."""

    kind: str
    table: Table
    columns: tuple[str, ...]
    keys: tuple[str, ...] = ()

    def write(self, place: Callable[[str, str], Any]) -> UpdateBase:
        """The statement with ``place("v" or "k", column)`` where the values stand."""
        values = {name: place("v", name) for name in self.columns}
        equal = [self.table.c[name] == place("k", name) for name in self.keys]
        if self.kind == "delete":
            return delete(self.table).where(*equal)
        if self.kind == "update":
            return update(self.table).where(*equal).values(values)
        made = insert(self.table).values(values)
        return made.on_conflict_do_nothing() if self.kind == "insert new" else made


@dataclass(frozen=True, slots=True)
class Filled:
    """A shape with its values."""

    shape: Shape
    values: Mapping[str, Any]
    keys: Mapping[str, Any]

    def core(self) -> UpdateBase:
        return self.shape.write(lambda kind, name: (self.values if kind == "v" else self.keys)[name])


class Batch:
    """Collects writes that don't depend on each other's results and don't touch one row twice."""

    def __init__(self) -> None:
        self._writes: list[Filled | UpdateBase] = []

    def add(self, write: UpdateBase) -> None:
        """Any other write; it costs a compilation, so what every act does has a shape instead."""
        self._writes.append(write)

    def insert(self, table: Table, rows: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> None:
        """Insert one row or several; nothing for an empty list."""
        many = [rows] if isinstance(rows, Mapping) else list(rows)
        if len(many) <= FEW:
            for row in many:
                self._shaped("insert", table, row, {})
        else:
            self._writes.append(insert(table).values(many))

    def insert_new(self, table: Table, row: Mapping[str, Any]) -> None:
        """Insert a row unless one like it is there."""
        self._shaped("insert new", table, row, {})

    def update(self, table: Table, where: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Change the rows whose columns equal ``where``."""
        self._shaped("update", table, values, where)

    def delete(self, table: Table, where: Mapping[str, Any]) -> None:
        """Delete the rows whose columns equal ``where``."""
        self._shaped("delete", table, {}, where)

    def _shaped(self, kind: str, table: Table, values: Mapping[str, Any], where: Mapping[str, Any]) -> None:
        filled = Filled(Shape(kind, table, tuple(values), tuple(where)), values, where)
        plain = not any(isinstance(value, ClauseElement) for value in (*values.values(), *where.values()))
        self._writes.append(filled if plain else filled.core())

    def flush(self, connection: Connection, *, then: prepared.Asked | None = None) -> prepared.Reply | None:
        """Send everything collected so far as one statement; foreign keys are checked at its end.

        ``then`` is sent after it in the same trip; its reply comes back.
        """
        writes, self._writes = self._writes, []
        shaped = [write for write in writes if isinstance(write, Filled)]
        if len(shaped) < len(writes):
            _execute(connection, writes)
            shaped = []
        parts = [_written(connection, shaped)] if shaped else []
        if then is not None:
            return prepared.send_before(connection, parts, then)
        if parts:
            prepared.send_together(connection, parts)
        return None


def _execute(connection: Connection, writes: Sequence[Filled | UpdateBase]) -> None:
    ctes = [(write.core() if isinstance(write, Filled) else write).cte(f"w{number}") for number, write in enumerate(writes)]
    connection.execute(select(literal(1)).add_cte(*ctes))


def _written(connection: Connection, writes: Sequence[Filled]) -> tuple[str, list[Any]]:
    """Writes with shapes as one statement: its text, and its values in the order of their places."""
    text, places = _compiled(tuple(write.shape for write in writes), prepared.one_for_all(connection.dialect))
    parts = [{"v": write.values, "k": write.keys} for write in writes]
    return text, [parts[number][kind][name] if convert is None else convert(parts[number][kind][name]) for number, kind, name, convert in places]


Place = tuple[int, str, str, Callable[[Any], Any] | None]


@lru_cache(maxsize=2000)
def _compiled(shapes: tuple[Shape, ...], dialect: Dialect) -> tuple[str, list[Place]]:
    """The text with numbered places, and for each the number of the write, "v" or "k", the column, and what turns the value into what the driver takes."""
    ctes = []
    for number, shape in enumerate(shapes):
        columns = shape.table.c

        def place(kind: str, name: str, number: int = number, columns: Any = columns) -> Any:
            return bindparam(f"{kind}{number}_{name}", type_=columns[name].type)

        ctes.append(shape.write(place).cte(f"w{number}"))
    compiled = select(literal_column("1")).add_cte(*ctes).compile(dialect=dialect)
    text, names = prepared.numbered(compiled.string)
    return text, [_place(name, compiled._bind_processors.get(name)) for name in names]


def _place(name: str, convert: Any) -> Place:
    number, _, column = name[1:].partition("_")
    return int(number), name[0], column, convert if callable(convert) else None
