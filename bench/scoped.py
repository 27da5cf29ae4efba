"""Lists under data scope at size: 20 rows of 5,000,000 records, as people of every reach see them; p95 ≤ 50 ms is asked.

``python bench/scoped.py --rows 1000000`` (5,000,000 without it) makes a database of its own with 600 units in three levels and drops it
afterwards. Times are of the query as the page asks it: the count up to its limit, the rows, the names. One small station holds forty of
the oldest records only, so that nothing is found by walking the newest ones.
"""
from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from rights import _units
from search import _database, _measure
from sqlalchemy import Connection, Engine, select, text

from engine.access.actors import Actor
from engine.registers.declaration import Register, parse_register
from engine.registers.tables import build_table, table_of
from engine.runtime.queries import cases, registers
from engine.storage.bounded import bounded
from engine.storage.database import for_reading
from engine.storage.tables.organisation import unit

SIZE = 20
Someone = Callable[[random.Random], Actor]
DECLARED = "title: 记录\nscope: {scope}\nfields:\n  name: {{title: 名称, list: true, search: true}}\n  amount: {{title: 金额, type: money, list: true}}\n"
FILL = """
INSERT INTO reg.{table} (id, unit_id, district_id, created_at, updated_at, name, amount)
SELECT gen_random_uuid(), u.id, u.district, now(), timestamptz '2020-01-01' + n * interval '40 seconds', '记录' || n, n % 9973
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
JOIN scope_unit u ON u.place = CASE WHEN n <= 40 THEN 0 ELSE 1 + (n * 7919 + n / 600) % (SELECT count(*) - 1 FROM scope_unit) END
"""
CASES = """
INSERT INTO case_file (id, kind, number, title, state, state_title, unit_id, district_id, handler_id, created_by, created_at, updated_at)
SELECT gen_random_uuid(), 'bench.case', '号' || n, '案件' || n, 'open', '在办', u.id, u.district, p.id, p.id, now(), timestamptz '2020-01-01' + n * interval '40 seconds'
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
JOIN scope_unit u ON u.place = CASE WHEN n <= 40 THEN 0 ELSE 1 + (n * 7919 + n / 600) % (SELECT count(*) - 1 FROM scope_unit) END
JOIN scope_person p ON p.place = n % 2000
"""


def rows(count: int = 5_000_000, *, asks: int = 100, said: Callable[[str], None] = print) -> list[tuple[str, float, float]]:
    """Fill and ask; [(what, median ms, p95 ms)]."""
    declared = [parse_register(DECLARED.format(scope=scope).encode(), name=f"bench.{scope}") for scope in ("unit", "agency")]
    with _database() as engine:
        began = time.perf_counter()
        with engine.begin() as connection:
            _people_and_units(connection)
            for register in declared:
                build_table(connection, register)
        with engine.begin() as connection:
            for register in declared:
                _fill(connection, FILL.format(table=table_of(register).name), "reg", table_of(register).name, count)
            _fill(connection, CASES, "public", "case_file", count)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        said(f"{count:,} 条，三张表，{time.perf_counter() - began:.0f} 秒")
        with for_reading(engine).connect() as connection:
            found = [_measure(what, ask, asks) for what, ask in questions(engine, connection, declared)]
    for what, middle, late in found:
        said(f"{what:<24} 中位 {middle:7.1f} 毫秒　p95 {late:7.1f} 毫秒　{'' if late <= 50 else '超过 50'}")
    return found


def _people_and_units(connection: Connection) -> None:
    _units(connection)
    connection.execute(text("INSERT INTO person (id, name, pinyin, updated_at) SELECT gen_random_uuid(), '人' || n, 'ren', now() FROM generate_series(0, 1999) n"))
    connection.execute(text("CREATE TABLE scope_person AS SELECT id, row_number() OVER (ORDER BY name) - 1 AS place FROM person"))
    connection.execute(text("CREATE TABLE scope_unit AS SELECT id, CASE WHEN kind = 'district_bureau' THEN id ELSE district_id END AS district, row_number() OVER (ORDER BY (kind = 'station') DESC, code) - 1 AS place FROM unit"))
    connection.execute(text("CREATE UNIQUE INDEX ON scope_unit (place); CREATE UNIQUE INDEX ON scope_person (place); ANALYZE scope_unit; ANALYZE scope_person"))


def _fill(connection: Connection, statement: str, schema: str, table: str, count: int) -> None:
    """Without its indexes, which are made again at the end; the triggers sleep, as in any load."""
    kept = connection.execute(text("SELECT i.indexname, i.indexdef FROM pg_indexes i LEFT JOIN pg_constraint c ON c.conname = i.indexname WHERE i.schemaname = :s AND i.tablename = :t AND c.conname IS NULL"), {"s": schema, "t": table}).all()
    for row in kept:
        connection.execute(text(f'DROP INDEX {schema}."{row.indexname}"'))
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    for first in range(1, count + 1, 250_000):
        connection.execute(text(statement), {"first": first, "last": min(first + 249_999, count)})
    for row in kept:
        connection.exec_driver_sql(row.indexdef)


def questions(engine: Engine, connection: Connection, declared: list[Register]) -> Iterator[tuple[str, Callable[[random.Random], Any]]]:
    """The first page of each list, by each kind of person, as its page asks for it: bounded."""
    people = actors(connection)

    def records(register: Register, one: Someone, chance: random.Random) -> Any:
        with bounded(engine, seconds=5) as asking:
            return registers.listed(asking, actor=one(chance), register=register, table=table_of(register), size=SIZE)

    def of_cases(one: Someone, chance: random.Random) -> Any:
        with bounded(engine, seconds=5) as asking:
            return cases.listed(asking, actor=one(chance), filters=cases.Filters(), size=SIZE)

    for register in declared:
        for who, one in people.items():
            yield f"{register.name} {who}", partial(records, register, one)
    for who, one in people.items():
        yield f"案件 {who}", partial(of_cases, one)


def actors(connection: Connection) -> dict[str, Someone]:
    """Somebody of each reach, another one at every question."""
    kinds: dict[str, list[Any]] = {}
    small = connection.scalar(text("SELECT id FROM scope_unit WHERE place = 0"))
    for row in connection.execute(select(unit.c.id, unit.c.kind, unit.c.path, unit.c.district_id, unit.c.bureau)):
        kinds.setdefault("small" if row.id == small else row.kind, []).append(row)
    persons = list(connection.scalars(text("SELECT id FROM scope_person")))

    def made(kind: str, post: str) -> Someone:
        def choose(chance: random.Random) -> Actor:
            return _actor(chance.choice(kinds[kind]), post, chance.choice(persons))

        return choose

    return {
        "市局领导": made("city_bureau", "bureau_head"), "区局领导": made("district_bureau", "bureau_head"), "区局科室": made("section", "section_staff"), "所负责人": made("station", "unit_head"),
        "所承办人": made("station", "officer"), "小所负责人": made("small", "unit_head"), "小所承办人": made("small", "officer"),
    }


def _actor(seat: Any, post: str, person: UUID) -> Actor:
    district = seat.id if seat.kind == "district_bureau" else seat.district_id
    return Actor(
        account_id=uuid4(), person_id=person, name="人", post_id=uuid4(), post_code=post, post_title="岗位", unit_id=seat.id, unit_name="单位", unit_kind=seat.kind, unit_path=seat.path,
        district_id=district, bureau=seat.bureau, posts=((seat.id, post),), on=date(2026, 11, 20),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--asks", type=int, default=100)
    told = parser.parse_args()
    rows(told.rows, asks=told.asks)
