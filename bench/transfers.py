"""What bringing in and taking out of 100,000 rows costs: seconds, CPU and memory of the process that does it.

`python bench/transfers.py [--rows N]` makes a scratch database with the demo city and a register of ten fields, writes an Excel file
of so many rows, and then, each in a process of its own as the job worker would: judges every row, writes them all, takes the
list out to Excel again. The history holds ``--history`` lines before it begins.
"""
from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any
from uuid import UUID

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from counting import NOW, city, declare

from engine.assembly import create_application
from engine.kernel.clock import FixedClock
from engine.registers.catalogue import get_register
from engine.registers.excel import Sheet, heading_of
from engine.registers.filters import Asked
from engine.runtime.export_register import export_list, make_export
from engine.runtime.import_register import check_import, confirm_import, start_import, write_import
from engine.storage.tables.registers import register_transfer

Row = tuple[str, str, str]
NAME = "borrow_umbrella.bench_stall"
FILES = (("register", "bench_stall.yaml", """
title: 摊点
case: none
scope: agency
edit: direct
fields:
  name: {title: 名称, list: true, search: true, required: true}
  code: {title: 编号, list: true, search: true}
  kind: {title: 类别, type: choice, dictionary: bench_kind, list: true}
  found_on: {title: 发现日期, type: date, list: true}
  area: {title: 面积, type: number, list: true}
  rent: {title: 租金, type: money, list: true}
  address: {title: 地址, list: true, search: true}
  manager: {title: 负责人, list: true, mask: name}
  open: {title: 营业, type: boolean, list: true}
  note: {title: 备注, list: true}
"""),)
KINDS = ("dictionary", "bench_kind.yaml", "title: 类别\nentries:\n" + "".join(f"  - {{code: k{n}, title: 类别{n}}}\n" for n in range(8)))
OLD = """
INSERT INTO record_history (id, register, record_id, at, by_name, changes)
SELECT gen_random_uuid(), 'bench.old', gen_random_uuid(), %(now)s, '旧数据', '{"note": ["甲", "乙"]}' FROM generate_series(1, %(many)s)
"""


def rows(*, many: int = 100_000, history: int = 0) -> list[Row]:
    """(what, figure, aim) of everything measured."""
    with city() as (settings, app):
        actor = declare(app, (KINDS, *FILES))
        if history:
            with app.db.begin() as connection:
                connection.exec_driver_sql(OLD, {"now": NOW, "many": history})
        data = _workbook(get_register(app.library, NAME)[0], many)
        id = start_import(app, actor=actor, register=NAME, name="摊点.xlsx", data=data, at=NOW)
        found = [("核对", *_apart(settings, lambda own: check_import(own, transfer_id=str(id))))]
        confirm_import(app, actor=actor, register=NAME, import_id=id, at=NOW)
        found.append(("写入", *_apart(settings, lambda own: write_import(own, transfer_id=str(id)))))
        _ended(app, id, many)
        out = export_list(app, actor=actor, register=NAME, asked=Asked(), at=NOW).transfer_id
        if out is None:
            raise SystemExit("少于一万条的不经后台进程，请多写几条")
        found.append(("导出", *_apart(settings, lambda own: make_export(own, transfer_id=str(out)))))
        _ended(app, out, many)
    both = found[0][1] + found[1][1]
    told = [(f"{what} {many:,} 行", f"{wall:.1f} 秒，CPU {spent:.1f} 秒，进程最多 {memory} MB", "内存 ≤ 400 MB") for what, wall, spent, memory in found]
    return [*told, (f"导入 {many:,} 行（核对加写入）", f"{both:.1f} 秒", "≤ 60 秒"), (f"导出 {many:,} 行", f"{found[2][1]:.1f} 秒", "≤ 20 秒")]


def _workbook(register: Any, many: int) -> bytes:
    with tempfile.TemporaryDirectory(prefix="guicheng-bench-") as folder:
        path = Path(folder) / "stalls.xlsx"
        sheet, fields = Sheet(path, title=register.title, mark="测量"), list(register.fields.values())
        sheet.heading([heading_of(one) for one in fields], [16] * len(fields))
        for n in range(many):
            day = date(2022, 1, 1) + timedelta(days=n * 7919 % 1700)
            for column, value in enumerate((f"摊点{n}", f"T{n:07}", f"类别{n % 8}", day, n % 90, f"{n % 5000}.50", f"云溪路{n % 997}号", "顾明川", bool(n % 2), f"备注{n}")):
                sheet.write(column, value, "date" if column == 3 else "")
            sheet.next()
        sheet.close()
        return path.read_bytes()


def _apart(settings: Any, work: Callable[[Any], None]) -> tuple[float, float, int]:
    """(seconds, CPU seconds, most MB) of ``work`` on an application in a process of its own."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_alone, args=(there, settings, work))
    process.start()
    found: tuple[float, float, int] = here.recv()
    process.join()
    return found


def _alone(tell: Pipe, settings: Any, work: Callable[[Any], None]) -> None:
    app: Any = create_application(settings, clock=FixedClock(NOW), sync=False)
    began, spent = time.perf_counter(), time.process_time()
    work(app)
    tell.send((time.perf_counter() - began, time.process_time() - spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10))


def _ended(app: Any, id: UUID, many: int) -> None:
    """Raise SystemExit unless all rows went through."""
    with app.db.connect() as connection:
        row = connection.execute(register_transfer.select().where(register_transfer.c.id == id)).mappings().one()
    if row["state"] != "done" or row["done"] != many:
        raise SystemExit(f"没有全部完成：{row['state']} {row['done']} {row['note']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--history", type=int, default=0)
    options = parser.parse_args()
    for what, figure, aim in rows(many=options.rows, history=options.history):
        print(f"{what}\t{figure}\t{aim}")


if __name__ == "__main__":
    main()
