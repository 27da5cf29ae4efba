"""Statements of the hot path: compiled once, then handed to the driver as they are.

For a statement that every request sends, what lies between it and the driver costs ten times the sending: building the
statement, looking it up, describing every column of the answer. A ``Prepared`` keeps the finished text with numbered
places, so that nobody needs to read it again, and the server keeps its plan. ``together`` sends several in one trip.

The connection's transaction, its events and its errors are those of any other statement.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import psycopg
from sqlalchemy import Connection, Dialect, Engine
from sqlalchemy.sql.elements import ClauseElement

from engine.storage.wire import Answer, wire_of

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

    def rows(self, connection: Connection | Direct, values: Mapping[str, Any]) -> list[Row]:
        """Every row of the answer."""
        return together(connection, (self, values))[0].rows()

    def one_or_none(self, connection: Connection | Direct, values: Mapping[str, Any]) -> Row | None:
        """The first row; None for an empty answer."""
        return together(connection, (self, values))[0].one_or_none()

    def mapping(self, connection: Connection | Direct, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """The first row by the names of its columns; None for an empty answer."""
        return together(connection, (self, values))[0].mapping()

    def mappings(self, connection: Connection | Direct, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every row by the names of its columns."""
        return together(connection, (self, values))[0].mappings()

    def run(self, connection: Connection | Direct, values: Mapping[str, Any]) -> None:
        """Send it; there is no answer to read."""
        together(connection, (self, values))

    def filled(self, dialect: Dialect, values: Mapping[str, Any]) -> tuple[_Made, list[Any]]:
        """The statement as ``dialect`` writes it and its values in the order of their places."""
        made = self._of(dialect, values)
        return made, [convert(values.get(name, default)) if convert else values.get(name, default) for name, default, convert in made.places]

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


class Reply:
    """What a statement of a trip answered."""

    __slots__ = ("_answer", "_made")

    def __init__(self, made: _Made, answer: Answer) -> None:
        self._made, self._answer = made, answer

    def rows(self) -> list[Row]:
        return self._answer.rows()

    def one_or_none(self) -> Row | None:
        rows = self._answer.rows()
        return rows[0] if rows else None

    def mapping(self) -> dict[str, Any] | None:
        row = self.one_or_none()
        return None if row is None else dict(zip(self._columns(), row, strict=True))

    def mappings(self) -> list[dict[str, Any]]:
        columns = self._columns()
        return [dict(zip(columns, row, strict=True)) for row in self._answer.rows()]

    def _columns(self) -> list[str]:
        if self._made.columns is None:
            self._made.columns = self._answer.columns()
        return self._made.columns


class Direct:
    """A connection of a pool for one statement that needs no transaction, without what SQLAlchemy keeps about a connection."""

    __slots__ = ("_fairy", "dialect", "wire")

    def __init__(self, engine: Engine) -> None:
        self._fairy = engine.raw_connection()
        self.dialect = engine.dialect
        self.wire = wire_of(self._fairy.dbapi_connection)

    def __enter__(self) -> Direct:
        return self

    def __exit__(self, *trouble: object) -> None:
        self._fairy.close()


Asked = tuple[Prepared, Mapping[str, Any]]


def together(connection: Connection | Direct, *asked: Asked) -> list[Reply]:
    """Send the statements in one trip, one after the other in the transaction of ``connection``; what each answered.

    The first error ends it. ``Direct`` runs them outside of any transaction.
    """
    made = [statement.filled(connection.dialect, values) for statement, values in asked]
    answers = send_together(connection, [(one.text, values) for one, values in made])
    return [Reply(one, answer) for (one, _), answer in zip(made, answers, strict=True)]


def send_together(connection: Connection | Direct, parts: Sequence[tuple[str, Sequence[Any]]]) -> list[Answer]:
    """The same for statements as text with places $1, $2, …."""
    if isinstance(connection, Direct):
        return connection.wire.outside(*((_encoded(text), values) for text, values in parts))
    if not connection.in_transaction():
        connection.begin()
    for text, values in parts:
        for note in connection.dispatch.before_cursor_execute:
            note(connection, None, text, values, None, False)
    wire = wire_of(connection.connection.dbapi_connection)
    try:
        return wire.trip(*[(_encoded(text), values) for text, values in parts])
    except psycopg.Error as error:
        text, values = parts[-1]
        connection._handle_dbapi_exception(error, text, values, None, None)


def send_before(connection: Connection, parts: Sequence[tuple[str, Sequence[Any]]], asked: Asked) -> Reply:
    """Send ``parts`` and then what is ``asked`` in one trip; its reply."""
    statement, values = asked
    made, filled = statement.filled(connection.dialect, values)
    return Reply(made, send_together(connection, [*parts, (made.text, filled)])[-1])


def send(connection: Connection, text: str, values: Sequence[Any]) -> Answer:
    """Run ``text`` with places $1, $2, … on the driver's connection, within the transaction of ``connection``."""
    return send_together(connection, [(text, values)])[0]


def keep_for_commit(connection: Connection, statement: Prepared, values: Mapping[str, Any]) -> None:
    """Let the COMMIT of ``connection`` take the statement along, or whatever is sent before it; nobody waits for its answer.

    A rollback forgets it. Where no COMMIT will come by itself, it is sent at once.
    """
    wire = wire_of(connection.connection.dbapi_connection)
    if not getattr(connection.dialect, "one_trip", False) or wire.driver.autocommit or wire.last is not None:
        statement.run(connection, values)
        return
    if not connection.in_transaction():
        connection.begin()
    made, filled = statement.filled(connection.dialect, values)
    for note in connection.dispatch.before_cursor_execute:
        note(connection, None, made.text, filled, None, False)
    wire.last = (_encoded(made.text), filled)


@lru_cache(maxsize=2_000)
def _encoded(text: str) -> bytes:
    """The same bytes for the same text: they are looked up among what is prepared, and an object's hash is kept with it."""
    return text.encode()
