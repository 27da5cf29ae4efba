"""What finding the places of 100,000 addresses costs: an import that asks for it, judged and written by a job as the worker does it.

`python bench/locating.py [--rows N] [--roads N]` makes a scratch database with the demo city, a gazetteer of so many roads with 75 house
numbers each, and a register with an address and a place; of the addresses 80% are there, 10% lie between two numbers, 5% have a
character of the road wrong, 5% name no road that there is. Each step runs in a process of its own; its memory is the most it held.
"""
from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from counting import NOW, city, declare
from transfers import Row, _apart, _ended

from engine.reference.addresses import DISTRICTS
from engine.registers.catalogue import get_register
from engine.registers.excel import Sheet, heading_of
from engine.runtime.import_register import check_import, confirm_import, start_import, write_import
from engine.storage.tables.registers import register_transfer

NAME = "borrow_umbrella.bench_spot"
FILES = (("register", "bench_spot.yaml", """
title: 待定位的点
case: none
scope: agency
edit: direct
fields:
  name: {title: 名称, list: true, search: true, required: true}
  address: {title: 地址, list: true, search: true}
  place: {title: 位置, type: point}
"""),)
FIRST, SECOND = "云溪松竹梅兰星海天河春秋晨暮青白金银长永安宁和泰", "江山川湖泉林原野岭峰阳光明月华英泽润德仁义礼智信"
NUMBERS = 75
PLACES = """
INSERT INTO {table} (id, unit_id, created_at, updated_at, title, kind, district, road, number, location)
SELECT gen_random_uuid(), (SELECT id FROM unit WHERE parent_id IS NULL ORDER BY path LIMIT 1), %(now)s, %(now)s, r.district || r.road || n || '号', 'number', r.district, r.road, n,
  point(121.2 + (r.id %% 97) * 0.004 + n * 0.00002, 31.0 + (r.id / 97) * 0.004)
FROM unnest(%(roads)s::text[], %(districts)s::text[], %(ids)s::int[]) AS r(road, district, id), generate_series(1, {last}, 2) n
"""
ROADS = """
INSERT INTO {table} (id, unit_id, created_at, updated_at, title, kind, district, road, location)
SELECT gen_random_uuid(), (SELECT id FROM unit WHERE parent_id IS NULL ORDER BY path LIMIT 1), %(now)s, %(now)s, r.district || r.road, 'road', r.district, r.road, point(121.2 + (r.id %% 97) * 0.004, 31.0 + (r.id / 97) * 0.004)
FROM unnest(%(roads)s::text[], %(districts)s::text[], %(ids)s::int[]) AS r(road, district, id)
"""


def rows(*, many: int = 100_000, roads: int = 4_000) -> list[Row]:
    """(what, figure, aim) of everything measured."""
    named = [(f"{FIRST[n // 24 % 24]}{SECOND[n % 24]}{'东西南北中'[n // 576 % 5]}{'一二三四'[n // 2880 % 4]}路", DISTRICTS[n * 7 % 16]) for n in range(roads)]
    with city() as (settings, app):
        actor = declare(app, FILES)
        _, table = get_register(app.library, "gazetteer.place")
        values = {"now": NOW, "roads": [road for road, _ in named], "districts": [district for _, district in named], "ids": list(range(roads))}
        with app.db.begin() as connection:
            for statement in (ROADS, PLACES):
                connection.exec_driver_sql(statement.format(table=f"{table.schema}.{table.name}", last=NUMBERS * 2), values)
        with app.db.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(f"ANALYZE {table.schema}.{table.name}")
        data = _workbook(get_register(app.library, NAME)[0], named, many)
        id = start_import(app, actor=actor, register=NAME, name="待定位.xlsx", data=data, at=NOW, options={"locate": "yes"})
        found = [("核对并定位", *_apart(settings, lambda own: check_import(own, transfer_id=str(id))))]
        with app.db.connect() as connection:
            row = connection.execute(register_transfer.select().where(register_transfer.c.id == id)).mappings().one()
        confirm_import(app, actor=actor, register=NAME, import_id=id, at=NOW)
        found.append(("写入", *_apart(settings, lambda own: write_import(own, transfer_id=str(id)))))
        _ended(app, id, many)
    told = [(f"{what} {many:,} 个地址，地名库 {roads * (NUMBERS + 1):,} 条", f"{wall:.1f} 秒（每秒 {many / wall:,.0f} 行），CPU {spent:.1f} 秒，进程最多 {memory} MB", "内存 ≤ 400 MB") for what, wall, spent, memory in found]
    return [*told, ("有把握的 / 没有把握的", f"{row['located']:,} / {row['doubtful']:,}", "")]


def _address(dice: random.Random, named: list[tuple[str, str]]) -> str:
    road, district = dice.choice(named)
    number, kind = dice.randrange(1, NUMBERS * 2, 2), dice.random()
    if kind < 0.10:
        number += 1
    elif kind < 0.15:
        road = dice.choice("某何苏") + road[1:]
    elif kind < 0.20:
        road = dice.choice(FIRST) + dice.choice("甲乙丙丁") + "弯弯路"
    return f"{district}{road}{number}号"


def _workbook(register: Any, named: list[tuple[str, str]], many: int) -> bytes:
    import tempfile

    dice = random.Random(7)
    with tempfile.TemporaryDirectory(prefix="guicheng-bench-") as folder:
        path = Path(folder) / "spots.xlsx"
        sheet, fields = Sheet(path, title=register.title, mark="测量"), list(register.fields.values())
        sheet.heading([heading_of(one) for one in fields], [16] * len(fields))
        for n in range(many):
            sheet.write(0, f"点{n}", "")
            sheet.write(1, _address(dice, named), "")
            sheet.next()
        sheet.close()
        return path.read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--roads", type=int, default=4_000)
    options = parser.parse_args()
    for what, figure, aim in rows(many=options.rows, roads=options.roads):
        print(f"{what}\t{figure}\t{aim}")


if __name__ == "__main__":
    main()
