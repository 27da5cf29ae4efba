"""Search and maps at size: generated records of one register with text and a point; p95 of the box, the list, the buffer.

``python bench/search.py --rows 1000000`` (``make bench`` runs 5,000,000) makes a database of its own, drops it afterwards, and
prints one line per kind of question: median, p95 and the slowest of ``--asks`` questions, each with another word or place. Words come
from the generated texts, frequent and rare ones alike; one question in ten finds nothing. Times are of the query as the page asks it,
rights included, over one connection.
"""
from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import Connection, Engine, create_engine, text

from engine.access.actors import Actor
from engine.registers.conditions import read_condition
from engine.registers.declaration import parse_register
from engine.registers.duplicates import find_alike
from engine.registers.filters import Asked, read_asked
from engine.registers.scope import visible
from engine.registers.tables import build_table, table_of
from engine.runtime.queries import register_map, registers, search
from engine.storage import migrate
from engine.storage.embedded import EmbeddedServer

REGISTER = """
title: 点位
scope: all
fields:
  name: {title: 名称, list: true, search: true}
  address: {title: 地址, list: true, search: true}
  size: {title: 面积, type: number, list: true}
  place: {title: 位置, type: point}
"""
ROADS = [a + b + c for a in "云汀梧桐听雨望江秋水长虹锦绣" for b in "溪山泉林海桥" for c in ("路", "街", "里", "巷")]
THINGS = ("天台搭建", "围墙", "彩钢棚", "阳光房", "露台封闭", "占绿围院", "地下室挖建", "破墙开店", "屋顶加层", "集装箱房")
RARE = "貔貅饕餮魍魉鼋鼍龃龉"
FILL = """
INSERT INTO reg.bench__site (id, unit_id, district_id, created_at, updated_at, name, address, size, place)
SELECT gen_random_uuid(), (CAST(:units AS uuid[]))[1 + n % 200], (CAST(:units AS uuid[]))[1 + n % 16], now(), timestamptz '2020-01-01' + n * interval '40 seconds',
  (CAST(:things AS text[]))[1 + (n * 7 % 10)::int] || CASE WHEN n % 50000 = 17 THEN substr(CAST(:rare AS text), 1 + (n / 50000 % 9)::int, 2) ELSE '' END,
  (CAST(:roads AS text[]))[1 + (n * 31 % CAST(:many AS int))::int] || (n % 997) || '弄' || (n % 61) || '号', n % 500, point(120.9 + random(), 30.8 + random())
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
"""


def rows(count: int = 5_000_000, *, asks: int = 200, said: Callable[[str], None] = print) -> list[tuple[str, float, float]]:
    """Fill a scratch database with ``count`` records and ask; [(what, median ms, p95 ms)]."""
    register = parse_register(REGISTER.encode(), name="bench.site")
    table = table_of(register)
    with _database() as engine:
        with engine.begin() as connection:
            build_table(connection, register)
        began = time.perf_counter()
        _fill(engine, count)
        said(f"{count:,} 条，写入和建索引 {time.perf_counter() - began:.0f} 秒")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as listing, engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SET plan_cache_mode = force_custom_plan"))  # as engine.storage.bounded does for the box, the map and duplicates
            found = [_measure(what, ask, asks) for what, ask in questions(connection, listing, register, table)]
    for what, middle, late in found:
        said(f"{what:<16} 中位 {middle:7.1f} 毫秒　p95 {late:7.1f} 毫秒")
    return found


@contextmanager
def _database() -> Iterator[Engine]:
    """A migrated database on a PostgreSQL of its own, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="guicheng-bench-", dir="/tmp"))
    folder.chmod(0o755)
    server = EmbeddedServer(folder)
    try:
        engine = create_engine(server.start().replace("postgresql://", "postgresql+psycopg://"))
        migrate.upgrade(engine)
        yield engine
        engine.dispose()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _fill(engine: Any, count: int) -> None:
    with engine.begin() as connection:
        kept = connection.execute(text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'reg' AND tablename = 'bench__site' AND indexname NOT LIKE '%pkey'")).all()
        for row in kept:
            connection.execute(text(f'DROP INDEX reg."{row.indexname}"'))
        units = [uuid4() for _ in range(200)]
        for first in range(1, count + 1, 250_000):
            values = {"units": units, "things": list(THINGS), "roads": ROADS, "many": len(ROADS), "rare": RARE, "first": first, "last": min(first + 249_999, count)}
            connection.execute(text(FILL), values)
        for row in kept:
            connection.exec_driver_sql(row.indexdef)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE reg.bench__site"))


def questions(connection: Connection, listing: Connection, register: Any, table: Any) -> Sequence[tuple[str, Callable[[random.Random], Any]]]:
    """What is asked, each with a word or place of its own."""
    actor: Actor = _everybody()
    both = {register.name: (register, table)}

    def box(word: str) -> Any:
        return search.records(connection, actor=actor, query=word, registers=both)

    def listed(asked: Asked) -> Any:
        return registers.listed(listing, actor=actor, register=register, table=table, asked=asked)

    def near(chance: random.Random, far: int) -> Any:
        leaf = read_condition({"field": "place", "near": f"{120.9 + chance.random():.6f},{30.8 + chance.random():.6f},{far}"}, register)
        return connection.execute(_ids(register, table, actor, Asked(where=leaf))).all()

    def place(chance: random.Random) -> dict[str, float]:
        return {"lon": 120.9 + chance.random(), "lat": 30.8 + chance.random()}

    field = register.fields["place"]
    return [
        ("搜一个字", lambda c: box(c.choice("云貔溪鼋棚号屋龉"))), ("搜两个字", lambda c: box(c.choice(("围墙", "貔貅", "汀溪", "魍魉", "路9", "没有")))),
        ("搜三字以上", lambda c: box(c.choice((*THINGS, *ROADS, f"{c.choice(ROADS)}{c.randint(0, 996)}弄", "没有这样的")))),
        ("两个词", lambda c: box(f"{c.choice(ROADS)} {c.choice(THINGS)}")), ("列表第一页", lambda c: listed(read_asked(register, [("f.size.from", str(c.randint(0, 499)))]))),
        ("列表里找", lambda c: listed(read_asked(register, [("q", c.choice((*ROADS, "貔貅", "围墙", "鼋")))]))),
        ("列表里找两个词", lambda c: listed(read_asked(register, [("q", f"{c.choice(ROADS)} {c.choice(THINGS)}")]))),
        ("500 米以内", lambda c: near(c, 500)), ("地图一屏", lambda c: register_map.in_view(connection, actor=actor, register=register, table=table, asked=Asked(), field=field, box=_view(c))),
        ("查重复", lambda c: find_alike(connection, register=register, table=table, seen=visible(register, table, actor, table.c.id), values={"place": place(c), "address": c.choice(ROADS), "name": c.choice(THINGS)})),
    ]


def _ids(register: Any, table: Any, actor: Actor, asked: Asked) -> Any:
    from engine.registers.filters import narrow

    return narrow(visible(register, table, actor, table.c.id), register, table, asked)


def _view(chance: random.Random) -> str:
    west, south, wide = 120.9 + 0.8 * chance.random(), 30.8 + 0.8 * chance.random(), chance.choice((0.002, 0.01, 0.05, 0.2))
    return f"{west:.6f},{south:.6f},{west + wide:.6f},{south + wide:.6f}"


def _everybody() -> Actor:
    fields = dict.fromkeys(Actor.__dataclass_fields__)
    return Actor(**{**fields, "rights": frozenset({"see_all_cases"}), "grants": frozenset(), "posts": (), "person_id": uuid4(), "unit_id": uuid4()})  # type: ignore[arg-type]


def _measure(what: str, ask: Callable[[random.Random], Any], asks: int) -> tuple[str, float, float]:
    chance, taken = random.Random(20261120), []
    for _ in range(asks):
        began = time.perf_counter()
        ask(chance)
        taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    return what, taken[len(taken) // 2], taken[min(len(taken) - 1, round(0.95 * len(taken)))]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--asks", type=int, default=200)
    told = parser.parse_args()
    rows(told.rows, asks=told.asks)
