"""The driver's connection used directly, for the few statements that every request sends.

psycopg's cursor costs more for a short statement than PostgreSQL does. A ``Wire`` keeps what that cursor makes anew each
time: the statement prepared on the server, the readers of the answer's columns. And it sends several statements in one
trip (libpq's pipeline): they run one after the other, each sees what the one before it wrote and each has a snapshot of its
own, only nobody waits between them. BEGIN travels with the first statement of a transaction, and COMMIT takes the
statement along that was kept for it.

Values go as text and the server infers their types, so a statement needs casts where it couldn't; bytes go as they are.
"""
from __future__ import annotations

import select
from collections.abc import Sequence
from contextlib import suppress
from types import MethodType
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer
from sqlalchemy import Engine, event

Row = tuple[Any, ...]
Part = tuple[bytes, Sequence[Any]]
_NAME = "guicheng_wire"
_OK = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
_IDLE = pq.TransactionStatus.IDLE
_SYNC, _ABORTED = pq.ExecStatus.PIPELINE_SYNC, pq.ExecStatus.PIPELINE_ABORTED
_TEXT, _BINARY = PyFormat.TEXT, PyFormat.BINARY
_BYTES = frozenset({bytes, psycopg.Binary})
_PLAIN = (None, psycopg.IsolationLevel.READ_COMMITTED)
BEGIN, COMMIT = (b"BEGIN", ()), (b"COMMIT", ())
_FRAME = frozenset({b"BEGIN", b"COMMIT"})
"""Never prepared: PostgreSQL would count them (pg_stat_statements) once and no more."""


class Answer:
    """What one statement answered."""

    __slots__ = ("_result", "_wire")

    def __init__(self, wire: Wire, result: Any) -> None:
        self._wire, self._result = wire, result

    def rows(self) -> list[Row]:
        """Every row, by position."""
        if not self._result.ntuples:
            return []
        reader = self._wire.reader
        reader.set_pgresult(self._result)
        return reader.load_rows(0, self._result.ntuples, tuple)

    def columns(self) -> list[str]:
        return [self._result.fname(number).decode() for number in range(self._result.nfields)]


class Wire:
    """One connection of the driver. ``last`` is a statement that COMMIT takes along."""

    def __init__(self, driver: Any) -> None:
        self.driver, self.conn = driver, driver.pgconn
        self.reader: Any = Transformer(driver)
        self.last: Part | None = None
        self._writer: Any = Transformer(driver)
        self._names: dict[bytes, bytes] = {}
        self._count = 0
        self._ready = select.poll()
        self._ready.register(self.conn.socket, select.POLLIN)
        self._forget_with(driver._prepared)

    def _forget_with(self, manager: Any) -> None:
        """The driver drops everything that is prepared (DEALLOCATE ALL) after a rollback and after changes of tables: so is ours."""
        clear = manager.clear

        def both() -> bool:
            dropped: bool = clear()
            if dropped:
                self._names.clear()
            return dropped

        manager.clear = both

    def trip(self, *parts: Part) -> list[Answer]:
        """Send the statements in one trip, in the transaction that is open or to be opened; the answers in their order.

        Raises psycopg's error of the first that failed; those after it were not run.
        """
        if self.last is not None:
            last, self.last = self.last, None
            return self.trip(last, *parts)[1:]
        if self.driver.autocommit or self.conn.transaction_status != _IDLE:
            return [Answer(self, result) for result in self._send(parts)]
        if self._plain_start():
            return [Answer(self, result) for result in self._send((BEGIN, *parts))[1:]]
        psycopg.RawCursor(self.driver).execute("SELECT 1")  # the driver's own BEGIN, with what was set for it
        return self.trip(*parts)

    def outside(self, *parts: Part) -> list[Answer]:
        """Send the statements outside of any transaction, whatever the driver would begin."""
        return [Answer(self, result) for result in self._send(parts)]

    def commit(self) -> None:
        """COMMIT, together with the statement kept for it."""
        last, self.last = self.last, None
        assert last is not None
        self._send((last, COMMIT))

    def _plain_start(self) -> bool:
        driver = self.driver
        return driver.isolation_level in _PLAIN and driver.read_only is None and driver.deferrable is None

    def _send(self, parts: Sequence[Part]) -> list[Any]:
        manager = self.driver._prepared
        if manager._to_flush:
            self.driver.wait(manager.maintain_gen(self.driver))
        ready = [(text if text in _FRAME else self._names.get(text) or self._prepare(text), *self._written(values)) for text, values in parts]
        try:
            return self._exchange(ready)
        except psycopg.Error:
            raise
        except BaseException:  # interrupted between question and answer: nobody can use this connection any more
            self.conn.finish()
            raise

    def _written(self, values: Sequence[Any]) -> tuple[Any, Any]:
        if not values:
            return None, None
        made = self._writer.dump_sequence(values, [_BINARY if type(value) in _BYTES else _TEXT for value in values])
        return made, self._writer.formats

    def _prepare(self, text: bytes) -> bytes:
        self._count += 1
        name = b"gc_%d" % self._count
        result = self.conn.prepare(name, text)
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise self._error(result)
        self._names[text] = name
        return name

    def _exchange(self, ready: Sequence[tuple[bytes, Any, Any]]) -> list[Any]:
        conn, together = self.conn, len(ready) > 1
        if together:
            conn.enter_pipeline_mode()
        for name, values, formats in ready:
            if name in _FRAME:
                conn.send_query_params(name, None)
            else:
                conn.send_query_prepared(name, values, formats)
        if together:
            conn.pipeline_sync()
        self._flush()
        results = self._results_until_sync() if together else self._results()
        if together:
            conn.exit_pipeline_mode()
        for result in results:
            if result.status not in _OK:
                raise self._error(result)
        return results

    def _flush(self) -> None:
        while self.conn.flush():
            self._ready.modify(self.conn.socket, select.POLLIN | select.POLLOUT)
            happened = self._ready.poll()
            self._ready.modify(self.conn.socket, select.POLLIN)
            if any(event & ~select.POLLOUT for _, event in happened):
                self.conn.consume_input()

    def _next(self) -> Any:
        conn = self.conn
        while conn.is_busy():
            self._ready.poll()
            conn.consume_input()
        return conn.get_result()

    def _results(self) -> list[Any]:
        found: list[Any] = []
        while (result := self._next()) is not None:
            found.append(result)
        return found

    def _results_until_sync(self) -> list[Any]:
        found: list[Any] = []
        while True:
            result = self._next()
            if result is None:
                continue
            if result.status == _SYNC:
                return found
            found.append(result)

    def _error(self, result: Any) -> psycopg.Error:
        if result.status == _ABORTED:
            return psycopg.errors.InFailedSqlTransaction("a statement before this one failed")
        return psycopg.errors.error_from_result(result, self.driver.info.encoding)


def wire_of(driver: Any) -> Wire:
    """The wire of a driver's connection, the same one as long as the connection lives."""
    found: Wire | None = getattr(driver, _NAME, None)
    if found is None:
        found = Wire(driver)
        setattr(driver, _NAME, found)
    return found


def commit_in_one_trip(engine: Engine) -> None:
    """Let COMMITs of ``engine`` take the statement along that was kept for them; whatever else is sent lets it go first, a rollback forgets it."""
    dialect: Any = engine.dialect
    commit, rollback = dialect.do_commit, dialect.do_rollback

    def do_commit(self: Any, connection: Any) -> None:
        wire = getattr(connection.dbapi_connection, _NAME, None)
        if wire is not None and wire.last is not None:
            try:
                wire.commit()
            except BaseException:  # a COMMIT that fails ends the transaction; one that was never reached must not leave it in the pool
                with suppress(psycopg.Error):
                    rollback(connection)
                raise
        commit(connection)

    def do_rollback(self: Any, connection: Any) -> None:
        wire = getattr(connection.dbapi_connection, _NAME, None)
        if wire is not None:
            wire.last = None
        rollback(connection)

    dialect.do_commit, dialect.do_rollback, dialect.one_trip = MethodType(do_commit, dialect), MethodType(do_rollback, dialect), True
    event.listen(engine, "before_cursor_execute", _kept_first)


def _kept_first(connection: Any, cursor: Any, *rest: Any) -> None:
    if cursor is not None:
        send_kept(cursor.connection)


def send_kept(driver: Any) -> None:
    """Send what was kept for the COMMIT now: for whoever reads through the driver what the same transaction wrote."""
    wire = getattr(driver, _NAME, None)
    if wire is not None and wire.last is not None:
        wire.trip()
