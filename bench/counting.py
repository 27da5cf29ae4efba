"""What statistics cost over millions of records: the whole page of one, a ranking of units, a year month by month.

`python bench/counting.py [--records N]` makes a scratch database with the demo city, declares a register of its own with a
statistic, fills it (five years, all stations and squads) and prints one line a figure. Cold is the first asking after the
server was started anew; the machine's own file cache is left as it is.
"""
from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from engine.access.actors import find_actor_by_login  # noqa: E402
from engine.assembly import create_application  # noqa: E402
from engine.kernel.clock import SHANGHAI, FixedClock  # noqa: E402
from engine.kernel.settings import Settings  # noqa: E402
from engine.reporting.statistics.asked import read_question  # noqa: E402
from engine.reporting.statistics.catalogue import get_statistic  # noqa: E402
from engine.runtime.deploy_file import deploy_file  # noqa: E402
from engine.runtime.queries.statistic_page import look  # noqa: E402
from engine.storage.database import make_engine  # noqa: E402
from engine.storage.embedded import EmbeddedServer  # noqa: E402

Row = tuple[str, str, str]
TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 9, tzinfo=SHANGHAI)
FILES = (
    ("dictionary", "bench_state.yaml", "title: 状态\nentries:\n" + "".join(f"  - {{code: s{n}, title: 状态{n}}}\n" for n in range(12))),
    ("register", "bench_point.yaml", """
title: 点位
case: none
scope: agency
fields:
  code: {title: 编号, list: true, search: true}
  state: {title: 状态, type: choice, dictionary: bench_state, list: true}
  found_on: {title: 发现日期, type: date, list: true}
  area: {title: 面积, type: number, list: true}
"""),
    ("statistic", "bench_points.yaml", """
title: 点位
of: bench_point
on: found_on
by: [unit, state]
measures:
  total: {title: 点位数}
  removed: {title: 拆除数, where: {field: state, is: [s3, s4, s5]}}
  area: {title: 面积, sum: area}
  rate: {title: 拆除率, share: [removed, total], target: {good: 30, fair: 20}}
"""),
)
FILL = """
INSERT INTO {table} (id, unit_id, district_id, created_at, updated_at, code, state, found_on, area)
SELECT gen_random_uuid(), u.id, u.district_id, %(now)s, %(now)s, 'D' || n, 's' || (n * 7 %% 12), date '2022-01-01' + (n::bigint * 7919 %% 1784)::int, n %% 400
FROM generate_series(1, %(records)s) n JOIN (SELECT id, district_id, row_number() OVER (ORDER BY path) - 1 AS at FROM unit WHERE kind IN ('station', 'squad')) u
  ON u.at = n %% (SELECT count(*) FROM unit WHERE kind IN ('station', 'squad'))
"""
QUESTIONS = (
    ("一年、按单位，全市，连同环比同比、走势、地图的整页", "p=2025&by=unit"), ("一个月、按状态的整页", "p=2026-10&by=state"), ("五年逐月", "from=2022-01-01&to=2026-11-19&by=time&grain=month"),
)


def rows(*, records: int = 5_000_000) -> list[Row]:
    """(what, figure, aim) of everything measured."""
    with _filled(records) as (app, actor, restart):
        found: list[Row] = []
        for title, address in QUESTIONS:
            restart()
            times = [_seconds(partial(_ask, app, actor, address)) for _ in range(6)]
            found.append((f"{records:,} 条记录，{title}", f"{sorted(times[1:])[2]:.2f} 秒（冷 {times[0]:.2f} 秒）", "≤ 2 秒（冷 ≤ 10 秒）"))
    return found


def _ask(app: Any, actor: Any, address: str) -> None:
    statistic, table = get_statistic(app.library, "borrow_umbrella.bench_points")
    question = read_question(statistic, [tuple(pair.split("=", 1)) for pair in address.split("&")], on=TODAY)  # type: ignore[misc]
    with app.db.connect() as connection:
        looked = look(connection, question=question, table=table, actor=actor)
    if looked.empty:
        raise SystemExit(f"没有数：{address}")


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


@contextmanager
def city() -> Iterator[tuple[Settings, Any]]:
    """(settings, application) on a PostgreSQL of its own with the demo city; everything is gone afterwards."""
    with _served() as (settings, app, _):
        yield settings, app


@contextmanager
def _served() -> Iterator[tuple[Settings, Any, EmbeddedServer]]:
    folder = Path(tempfile.mkdtemp(prefix="guicheng-bench-", dir="/tmp"))
    folder.chmod(0o755)
    server = EmbeddedServer(folder)
    try:
        address = server.start()
        environment = {**os.environ, "DATABASE_URL": address, "GUICHENG_DATA": str(folder)}
        for command in (["migrate"], ["demo", "--no-cases"]):
            subprocess.run([sys.executable, "-m", "engine", *command], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        settings = Settings(database_url=address, data_dir=folder)
        yield settings, create_application(settings, clock=FixedClock(NOW), db=make_engine(settings), sync=False), server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _filled(records: int) -> Iterator[tuple[Any, Any, Callable[[], None]]]:
    """(application, somebody who sees the city, what starts the server anew) with so many records."""
    with _served() as (_, app, server):
        actor = declare(app, FILES)
        with app.db.begin() as connection:
            table = get_statistic(app.library, "borrow_umbrella.bench_points")[1]
            connection.exec_driver_sql(FILL.format(table=f'"{table.schema}"."{table.name}"'), {"now": NOW, "records": records})
        with app.db.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")

        def restart() -> None:
            app.db.dispose()
            server.stop()
            server.start()

        yield app, actor, restart


def declare(app: Any, files: Sequence[tuple[str, str, str]]) -> Any:
    """Put ``files`` (kind, name, content) into force; the analyst, who sees the whole city."""
    with app.db.connect() as connection:
        analyst = find_actor_by_login(connection, login="sheji", on=TODAY)
    assert analyst is not None
    for kind, filename, content in files:
        deploy_file(app, actor=analyst, kind=kind, pack="borrow_umbrella", filename=filename, content=content.encode(), note="测量", at=NOW)
    return replace(analyst, rights=analyst.rights | {"see_all_cases"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=5_000_000)
    for what, figure, aim in rows(records=parser.parse_args().records):
        print(f"{what}\t{figure}\t{aim}")


if __name__ == "__main__":
    main()
