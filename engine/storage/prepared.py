"""Statements of the hot path: compiled once, then handed to the driver as they are.

For a statement that every request sends, what lies between it and the driver costs ten times the sending: building the
statement, looking it up, describing every column of the answer. A ``Prepared`` keeps the finished text with numbered
places, so that the driver needn't read it either, and the server keeps its plan.

The connection's transaction, its events and its errors are those of any other statement.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import psycopg
from sqlalchemy import Connection, Dialect
from sqlalchemy.sql.elements import ClauseElement

Row = tuple[Any, ...]
_PLACE = re.compile(r"%\((\w+)\)s|%%")


_DIALECTS: dict[tuple[type[Dialect], Any], Dialect] = {}


def one_for_all(dialect: Dialect) -> Dialect:
    """One dialect in the place of all that compile alike, so that what is compiled is kept once and not for every pool."""
    return _DIALECTS.setdefault((type(dialect), getattr(dialect, "_json_serializer", None)), dialect)


def numbered(text: str) -> tuple[str, list[str]]:
    """``text`` with ``%(name)s`` turned into ``$1``, ``$2``, … and the names in that order; one name has one number."""
    names: dict[str, int] = {}

    def place(found: re.Match[str]) -> str:
        name = found.group(1)
        return "%" if name is None else f"${names.setdefault(name, len(names) + 1)}"

    return _PLACE.sub(place, text), list(names)


class Prepared:
    """One statement with named places. A value that isn't given keeps the one that it was built with.

    Lists behind ``IN`` keep the length and the values that they had when the statement was built.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self.statement = statement
        self._made: dict[Dialect, _Made] = {}

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[Row]:
        """Every row of the answer."""
        return self._send(connection, values).fetchall()

    def one_or_none(self, connection: Connection, values: Mapping[str, Any]) -> Row | None:
        """The first row; None for an empty answer."""
        return self._send(connection, values).fetchone()

    def mapping(self, connection: Connection, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """The first row by the names of its columns; None for an empty answer."""
        cursor = self._send(connection, values)
        row = cursor.fetchone()
        return None if row is None else dict(zip(self._columns(connection, cursor), row, strict=True))

    def mappings(self, connection: Connection, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every row by the names of its columns."""
        cursor = self._send(connection, values)
        columns = self._columns(connection, cursor)
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

    def run(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Send it; there is no answer to read."""
        self._send(connection, values)

    def _send(self, connection: Connection, values: Mapping[str, Any]) -> psycopg.RawCursor[Row]:
        made = self._of(connection.dialect, values)
        return send(connection, made.text, [convert(values.get(name, default)) if convert else values.get(name, default) for name, default, convert in made.places])

    def _columns(self, connection: Connection, cursor: psycopg.RawCursor[Row]) -> list[str]:
        made = self._made[one_for_all(connection.dialect)]
        if made.columns is None:
            made.columns = [column.name for column in cursor.description or ()]
        return made.columns

    def _of(self, dialect: Dialect, values: Mapping[str, Any]) -> _Made:
        one = one_for_all(dialect)
        found = self._made.get(one)
        if found is None:
            found = self._made[one] = _Made(self.statement, one, values)
        return found


class _Made:
    """``text`` for the driver; ``places`` are (name, value it was built with, converter) in the order of the numbers; ``columns`` of the answer, once one came."""

    def __init__(self, statement: ClauseElement, dialect: Dialect, values: Mapping[str, Any]) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        expanded = compiled.construct_expanded_state({name: value for name, value in values.items() if name in compiled.binds})
        self.text, names = numbered(expanded.statement)
        converters: dict[str, Callable[[Any], Any]] = {**compiled._bind_processors, **expanded.processors}
        given = set(values)
        self.places = [(name, None if name in given else expanded.parameters[name], _callable(converters.get(name))) for name in names]
        self.columns: list[str] | None = None


def _callable(converter: Any) -> Callable[[Any], Any] | None:
    return converter if callable(converter) else None


@lru_cache(maxsize=2_000)
def _encoded(text: str) -> bytes:
    """The same bytes for the same text: the driver looks them up among what it has prepared, and an object's hash is kept with it."""
    return text.encode()


def send(connection: Connection, text: str, values: Sequence[Any]) -> psycopg.RawCursor[Row]:
    """Run ``text`` with places $1, $2, … on the driver's connection, within the transaction of ``connection``."""
    if not connection.in_transaction():
        connection.begin()
    driver: Any = connection.connection.dbapi_connection
    cursor: psycopg.RawCursor[Row] = psycopg.RawCursor(driver)
    for note in connection.dispatch.before_cursor_execute:
        note(connection, cursor, text, values, None, False)
    try:
        return cursor.execute(_encoded(text), values, prepare=True)
    except psycopg.Error as error:
        connection._handle_dbapi_exception(error, text, values, cursor, None)  # type: ignore[arg-type]
