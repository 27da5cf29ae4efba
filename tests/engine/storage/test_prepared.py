"""Statements that go to the driver as they are: same transaction, same events, same errors; compiled and prepared once."""
from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from psycopg.errors import UniqueViolation
from sqlalchemy import Connection, Text, Uuid, bindparam, event, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from engine.storage.prepared import Prepared, numbered
from engine.storage.tables.organisation import person

ADD = Prepared(insert(person).values(id=bindparam("id", type_=Uuid), name=bindparam("name", type_=Text), pinyin="", updated_at=datetime(2026, 11, 20, tzinfo=UTC)))
FIND = Prepared(select(person.c.id, person.c.name).where(person.c.name.like(bindparam("like", type_=Text)), person.c.active.in_([True])).order_by(person.c.name))


def test_names_become_numbers_once_each() -> None:
    assert numbered("a = %(x)s AND b = %(y)s::UUID OR a > %(x)s AND c LIKE '5%%'") == ("a = $1 AND b = $2::UUID OR a > $1 AND c LIKE '5%'", ["x", "y"])


def test_rows_come_by_position_and_by_name(connection: Connection) -> None:
    one, two = uuid4(), uuid4()
    ADD.run(connection, {"id": one, "name": "prepared 甲"})
    ADD.run(connection, {"id": two, "name": "prepared 乙"})
    assert sorted(FIND.rows(connection, {"like": "prepared %"})) == sorted([(one, "prepared 甲"), (two, "prepared 乙")])
    assert FIND.mapping(connection, {"like": "prepared 甲"}) == {"id": one, "name": "prepared 甲"}
    assert [row["name"] for row in FIND.mappings(connection, {"like": "prepared _"})] == ["prepared 乙", "prepared 甲"]
    assert FIND.one_or_none(connection, {"like": "nobody"}) is None


def test_the_server_prepares_it_once(connection: Connection) -> None:
    query = Prepared(select(func.length(bindparam("word", type_=Text)), text("'once for all'")))
    assert [query.rows(connection, {"word": word})[0][0] for word in ("a", "bb", "ccc")] == [1, 2, 3]
    kept = connection.execute(text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%once for all%' AND statement NOT LIKE '%pg_prepared%'"))
    assert kept.scalar_one() == 1


def test_it_runs_in_the_transaction_and_its_errors_are_the_usual_ones(connection: Connection) -> None:
    id = uuid4()
    before = connection.begin_nested() if connection.in_transaction() else connection.begin()
    ADD.run(connection, {"id": id, "name": "prepared 丙"})
    before.rollback()
    assert FIND.rows(connection, {"like": "prepared 丙"}) == []
    ADD.run(connection, {"id": id, "name": "prepared 丙"})
    nested = connection.begin_nested()
    with pytest.raises(IntegrityError) as refused:
        ADD.run(connection, {"id": id, "name": "prepared 丁"})
    nested.rollback()
    assert isinstance(refused.value.orig, UniqueViolation) and refused.value.orig.diag.constraint_name == "pk_person"
    assert [row["name"] for row in FIND.mappings(connection, {"like": "prepared _"})] == ["prepared 丙"]


def test_whoever_watches_statements_sees_it(connection: Connection) -> None:
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    event.listen(connection, "before_cursor_execute", note)
    FIND.rows(connection, {"like": "nobody"})
    assert [statement.split()[0] for statement in seen] == ["SELECT"]
