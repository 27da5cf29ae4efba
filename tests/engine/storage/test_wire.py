"""Several statements in one trip, BEGIN with the first, COMMIT with the last; and what happens when one of them fails."""
from __future__ import annotations

from typing import Any

import pytest
from psycopg import pq
from psycopg.errors import UniqueViolation
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from engine.storage.prepared import Direct, Prepared, keep_for_commit, together
from engine.storage.wire import Wire, wire_of

ADD = Prepared(text("INSERT INTO tried (n) VALUES (CAST(:n AS integer)) RETURNING n"))
COUNT = Prepared(text("SELECT count(*) FROM tried"))


@pytest.fixture
def db(database: Engine) -> Engine:
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE tried (n integer PRIMARY KEY)"))
    return database


def numbers(db: Engine) -> list[int]:
    with db.connect() as connection:
        return list(connection.scalars(text("SELECT n FROM tried ORDER BY n")))


def trips(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many statements each trip from now on carries."""
    sent: list[int] = []
    exchange = wire._exchange

    def noting(ready: Any) -> list[Any]:
        sent.append(len(ready))
        return exchange(ready)

    monkeypatch.setattr(wire, "_exchange", noting)
    return sent


def test_a_transaction_of_three_statements_takes_two_trips(db: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.connect() as connection:
        sent = trips(wire_of(connection.connection.dbapi_connection), monkeypatch)
        one, two = together(connection, (ADD, {"n": 1}), (COUNT, {}))
        assert (one.one_or_none(), two.rows()) == ((1,), [(1,)])
        keep_for_commit(connection, ADD, {"n": 2})
        connection.commit()
    assert (sent, numbers(db)) == ([3, 2], [1, 2])


def test_what_is_kept_goes_before_any_other_statement_and_a_rollback_forgets_it(db: Engine) -> None:
    with db.begin() as connection:
        keep_for_commit(connection, ADD, {"n": 1})
        assert connection.scalar(text("SELECT count(*) FROM tried")) == 1
        keep_for_commit(connection, ADD, {"n": 2})
        assert COUNT.rows(connection, {}) == [(2,)]
        keep_for_commit(connection, ADD, {"n": 3})
        keep_for_commit(connection, ADD, {"n": 4})
    with db.connect() as connection:
        keep_for_commit(connection, ADD, {"n": 5})
        connection.rollback()
        COUNT.rows(connection, {})
        connection.commit()
    assert numbers(db) == [1, 2, 3, 4]


def test_an_error_in_a_trip_leaves_nothing_and_the_connection_fit_for_use(db: Engine) -> None:
    with db.connect() as connection, pytest.raises(IntegrityError) as refused:
        together(connection, (ADD, {"n": 1}), (ADD, {"n": 1}), (ADD, {"n": 2}))
    assert isinstance(refused.value.orig, UniqueViolation) and refused.value.orig.diag.constraint_name == "tried_pkey"
    with db.connect() as connection:
        ADD.run(connection, {"n": 7})
        keep_for_commit(connection, ADD, {"n": 7})
        with pytest.raises(IntegrityError):
            connection.commit()
    with db.begin() as connection:
        ADD.run(connection, {"n": 3})
    assert numbers(db) == [3]


def test_statements_are_prepared_again_when_the_driver_has_dropped_them(db: Engine) -> None:
    with db.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        for _ in range(2):
            for _ in range(7):  # often enough for the driver to prepare it as well
                connection.exec_driver_sql("SELECT n FROM tried")
            assert COUNT.rows(connection, {}) == [(0,)]
            connection.rollback()
        driver.execute("SELECT 1")
        assert COUNT.rows(connection, {}) == [(0,)]


def test_a_lone_read_opens_no_transaction_and_an_interrupted_trip_ends_the_connection(db: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with Direct(db) as direct:
        assert COUNT.rows(direct, {}) == [(0,)]
        assert direct.wire.conn.transaction_status == pq.TransactionStatus.IDLE
    with db.connect() as connection:
        wire = wire_of(connection.connection.dbapi_connection)
        monkeypatch.setattr(wire, "_next", lambda: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            COUNT.rows(connection, {})
        assert wire.driver.closed
        connection.invalidate()
    assert numbers(db) == []
