"""What clocks cost: one due date, the case page, the overdue board, and a calendar change over a million open clocks.

`python bench/clocks.py [--clocks N]` makes a scratch database with the demo city, fills it, and prints one line a figure.
Every clock is open, ends after the changed day and so has to be reckoned anew; about one in four has been suspended and
resumed. The board is asked as pages ask it, for the whole city and for one district in turn, while differences wait to be
folded.
"""
from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sqlalchemy import select, text  # noqa: E402

from engine.deadlines.board import board, forecast  # noqa: E402
from engine.deadlines.counts import find_miscounts, fold_counts  # noqa: E402
from engine.deadlines.due import compute  # noqa: E402
from engine.deadlines.queries import clocks_of  # noqa: E402
from engine.deadlines.rules import ClockRule, Event  # noqa: E402
from engine.kernel.clock import SHANGHAI, FixedClock  # noqa: E402
from engine.kernel.settings import Settings  # noqa: E402
from engine.reference.calendars import published_calendar  # noqa: E402
from engine.storage.database import make_engine  # noqa: E402
from engine.storage.embedded import EmbeddedServer  # noqa: E402
from engine.storage.tables.organisation import unit  # noqa: E402

Row = tuple[str, str, str]
TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 9, tzinfo=SHANGHAI)
LABELS = 20
CHANGED = date(2026, 11, 23)

_CASES = """
INSERT INTO case_file (id, kind, number, title, subject, state, state_title, unit_id, district_id, search, created_at, updated_at)
SELECT gen_random_uuid(), 'case_filing.case', 'B' || n, '案件 ' || n, '', 'investigating', '调查中', u.id, u.district_id, '', %(now)s, %(now)s
FROM generate_series(1, %(cases)s) n JOIN (SELECT id, district_id, row_number() OVER (ORDER BY path) - 1 AS at FROM unit WHERE kind IN ('station', 'squad', 'section')) u
  ON u.at = n %% (SELECT count(*) FROM unit WHERE kind IN ('station', 'squad', 'section'))
"""
_CLOCKS = """
INSERT INTO case_clock (id, case_id, clock, title, day_kind, amount, law, start_on, due_on, state, unit_id, district_id, updated_at, rule)
SELECT gen_random_uuid(), c.id, 'case_filing.clue_handling/' || l, '线索办理期限（' || l || '）', 'working_day', 15, '《示例》', date '2026-11-09' + (l %% 10), date '2026-11-30' + (l %% 10), 'running',
  c.unit_id, c.district_id, %(now)s, '{"count_first_day": false, "roll_rest_day": true, "extension": {"times": 1, "amount": 15, "unit": "working_day"}}'
FROM case_file c, generate_series(1, %(labels)s) l WHERE c.number LIKE 'B%%'
"""
_EVENTS = """
INSERT INTO clock_event (id, clock_id, kind, on_day, at) SELECT gen_random_uuid(), id, 'start', start_on, %(now)s FROM case_clock;
INSERT INTO clock_event (id, clock_id, kind, on_day, at) SELECT gen_random_uuid(), id, k, date '2026-11-19', timestamptz '2026-11-19 10:00+08' + CASE k WHEN 'suspend' THEN interval '0' ELSE interval '1 hour' END
FROM case_clock, unnest(ARRAY['suspend', 'resume']) k WHERE get_byte(uuid_send(id), 15) < 64 AND start_on <= date '2026-11-18'
"""


def rows(*, clocks: int = 1_000_000) -> list[Row]:
    """(what, figure, aim) of everything measured."""
    found = [due_date()]
    with _filled(clocks) as app:
        found += [page_clocks(app), *boards(app), recount(app)]
    return found


def due_date() -> Row:
    """One clock with 20 events, the best of many rounds of a hundred."""
    calendar, start = published_calendar(), date(2024, 3, 4)
    events = [
        Event(kind=kind, on=start + timedelta(days=10 * n + more)) for n in range(10) for kind, more in (("suspend", 0), ("resume", 4))
    ]
    rule = ClockRule(amount=90, unit="working_day")

    def once() -> None:
        for _ in range(100):
            compute(rule, start, events, calendar=calendar)

    best = min(_seconds(once) for _ in range(30)) / 100
    return "一项有 20 个事件的期限的届满日", f"{best * 1e3:.3f} 毫秒", "≤ 0.2 毫秒"


def page_clocks(app: Any) -> Row:
    """All clocks of one case as the page reads them."""
    with app.db.connect() as connection:
        case_id = connection.scalar(text("SELECT case_id FROM case_clock LIMIT 1"))
        times = [_seconds(lambda: clocks_of(connection, case_id, TODAY, NOW)) for _ in range(40)]
    return f"案件页的 {LABELS} 项期限", f"中位数 {statistics.median(times) * 1e3:.1f} 毫秒", "案件页合计 ≤ 150 毫秒"


def boards(app: Any) -> list[Row]:
    """The board of the whole city and of one district, and the forecast, from the counts."""
    with app.db.begin() as connection:
        wrong = find_miscounts(connection)
        if wrong:
            raise SystemExit(f"计数不符：{wrong[0]}")
        fold_counts(connection)
    with app.db.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE clock_count")
        connection.exec_driver_sql("VACUUM ANALYZE clock_delta")
        district = connection.scalar(select(unit.c.path).where(unit.c.kind == "district_bureau").limit(1))
        ask = [lambda: board(connection, root="", at=None, on=TODAY), lambda: board(connection, root="", at=district, on=TODAY)]
        times = sorted(_seconds(ask[n % 2]) for n in range(100))
        ahead = sorted(_seconds(lambda: forecast(connection, root="", at=None, on=TODAY, days=30)) for _ in range(40))
        counted = connection.scalar(text("SELECT sum(n) FROM clock_count"))
    return [
        (f"{counted:,} 项期限的逾期看板，95%", f"{times[94] * 1e3:.0f} 毫秒（中位数 {times[50] * 1e3:.0f}）", "≤ 300 毫秒"),
        ("同上，今后 30 天的预测，95%", f"{ahead[37] * 1e3:.0f} 毫秒", ""),
    ]


def recount(app: Any) -> Row:
    """A day off is declared for tomorrow's week: every open clock is reckoned anew, moved, and gets its entry in the history."""
    from engine.reference.year_paper import read_paste
    from engine.runtime.apply_calendar import apply_change, preview_change
    from engine.runtime.draft_calendar import change_of, draft_change

    id = draft_change(app, actor=app.admin, district_id=None, title="临时放假", source="示例", days=read_paste(f"{CHANGED} 休 临时"), at=NOW)
    preview_change(app, actor=app.admin, change_id=id, at=NOW)
    seen = _seconds(lambda: app.jobs.run_due(app))
    apply_change(app, actor=app.admin, change_id=id, at=NOW)
    began = time.perf_counter()
    app.run_only_change(id)
    took = time.perf_counter() - began
    with app.db.connect() as connection:
        row = change_of(connection, change_id=id)
        moved = connection.scalar(text("SELECT count(*) FROM clock_event WHERE kind = 'calendar'"))
        written = connection.scalar(text("SELECT count(*) FROM act WHERE kind = 'calendar'"))
    if row["state"] != "applied" or not row["shifted"] == moved == written:
        raise SystemExit(f"没有调整完：{row['state']}，{row['shifted']}，{moved}，{written}")
    return f"{row['total']:,} 项未结期限在日历变动后全部重算、移动、留痕", f"{took / 60:.1f} 分（预览 {seen / 60:.1f} 分），{moved:,} 项变动", "≤ 10 分"


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


@contextmanager
def _filled(clocks: int) -> Iterator[Any]:
    """An application on a scratch database with the demo city and so many open clocks."""
    folder = Path(tempfile.mkdtemp(prefix="guicheng-bench-", dir="/tmp"))
    folder.chmod(0o755)
    server = EmbeddedServer(folder)
    try:
        address = server.start()
        environment = {**os.environ, "DATABASE_URL": address, "GUICHENG_DATA": str(folder)}
        for command in (["migrate"], ["demo", "--no-cases"]):
            subprocess.run([sys.executable, "-m", "engine", *command], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        yield _application(Settings(database_url=address, data_dir=folder), clocks)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _application(settings: Settings, clocks: int) -> Any:
    from dataclasses import replace

    from engine.access.actors import find_actor_by_login
    from engine.assembly import create_application
    from engine.runtime.apply_calendar import make_change
    from engine.runtime.draft_calendar import change_of

    app: Any = create_application(settings, clock=FixedClock(NOW), db=make_engine(settings), sync=False)
    with app.db.begin() as connection:
        connection.exec_driver_sql(_CASES, {"now": NOW, "cases": clocks // LABELS})
        connection.exec_driver_sql(_CLOCKS, {"now": NOW, "labels": LABELS})
        for statement in _EVENTS.split(";\n"):
            connection.exec_driver_sql(statement, {"now": NOW})
        actor = find_actor_by_login(connection, login="guanli", on=TODAY)
    with app.db.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    assert actor is not None
    app.admin = replace(actor, rights=actor.rights | {"admin"})

    def run_only_change(id: UUID) -> None:
        with app.db.connect() as connection:
            run = change_of(connection, change_id=id)["run"]
        make_change(app, change_id=str(id), run=run)

    app.run_only_change = run_only_change
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clocks", type=int, default=1_000_000)
    for what, figure, aim in rows(clocks=parser.parse_args().clocks):
        print(f"{what}\t{figure}\t{aim}")


if __name__ == "__main__":
    main()
