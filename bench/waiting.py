"""What waiting costs: polls among a million waiting cases, ten thousand due timers, a fan-out to ten thousand. `.venv/bin/python bench/waiting.py`.

A scratch PostgreSQL with ordinary durability, a small town, and real worker processes. `--cases`, `--timers` and `--children` make it smaller;
`rows()` gives the table that `make bench` prints.
"""
from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sqlalchemy import func, select, text  # noqa: E402

from engine.assembly import create_application  # noqa: E402
from engine.kernel.settings import Settings  # noqa: E402
from engine.runtime.deliver_message import deliver_message  # noqa: E402
from engine.runtime.deliver_signal import deliver_signal  # noqa: E402
from engine.runtime.fire_due_starts import fire_due_starts  # noqa: E402
from engine.runtime.hand_out_timers import hand_out_timers  # noqa: E402
from engine.runtime.start_case import start_case  # noqa: E402
from engine.storage import migrate  # noqa: E402
from engine.storage.database import make_engine  # noqa: E402
from engine.storage.embedded import EmbeddedServer  # noqa: E402
from engine.storage.tables.runtime import act  # noqa: E402
from engine.storage.tables.waiting import fanout, fanout_item  # noqa: E402
from tests.engine.runtime.pack import check_task, declare, deploy, drawn, flow  # noqa: E402
from tests.town import Town, build_town  # noqa: E402
from tests.waiting_rows import copy_waiting, waiting_case  # noqa: E402

Row = tuple[str, str, str]
WORKERS = 2


def rows(*, cases: int = 1_000_000, timers: int = 10_000, children: int = 10_000) -> Iterator[Row]:
    """(what, figure, aim) of everything, each part on a fresh database."""
    for part, size in ((among_many, cases), (due_timers, timers), (fan_out, children)):
        if size:
            with platform() as town:
                yield from part(town, size)


@contextmanager
def platform(settings_of_server: Mapping[str, str] | None = None) -> Iterator[Town]:
    """A town on a server of its own; stopped and deleted afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="guicheng-bench-", dir="/tmp"))
    folder.chmod(0o755)
    server = EmbeddedServer(folder, settings=settings_of_server)
    try:
        settings = Settings(database_url=server.start(), data_dir=folder / "data", secret_key=b"bench" * 8)
        settings.data_dir.mkdir()
        engine = make_engine(settings)
        migrate.upgrade(engine)
        app = create_application(settings, db=engine)
        yield build_town(app, seals=False)
        engine.dispose()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def workers(town: Town, count: int = WORKERS) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Worker processes as an operator starts them, as long as the block lasts."""
    settings = town.app.settings
    environment = {**os.environ, "DATABASE_URL": settings.database_url, "GUICHENG_DATA": str(settings.data_dir), "MALLOC_ARENA_MAX": "2"}
    started = [subprocess.Popen([sys.executable, "-m", "engine", "worker"], cwd=ROOT, env=environment) for _ in range(count)]
    try:
        while _count(town, text("SELECT count(*) FROM procrastinate_workers")) < 2 * count:
            time.sleep(0.1)
        yield started
    finally:
        for one in started:
            one.terminate()
        for one in started:
            one.wait(timeout=60)


def among_many(town: Town, cases: int) -> list[Row]:
    """Polls while ``cases`` wait for a time, a message and a signal."""
    template = waiting_case(town)
    began = time.perf_counter()
    with town.app.db.begin() as connection:
        connection.execute(text("ALTER TABLE case_file DISABLE TRIGGER new_case_words"))  # the search box's index has no part in waiting and takes minutes to fill
        copy_waiting(connection, template, count=cases, due_at=town.app.clock.now() + timedelta(days=1), apart=timedelta(milliseconds=100))
    with town.app.db.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE case_file, instance, timer, subscription"))
        size = connection.scalar(text("SELECT pg_total_relation_size('timer') + pg_total_relation_size('subscription')"))
    print(f"{cases:,} waiting cases written in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    now, app = town.app.clock.now(), town.app
    numbers = iter(range(10, 10_000))

    def message() -> None:
        n = next(numbers) * (cases // 10_000 or 1)
        assert deliver_message(app, name="parcel", correlation=f"copy{n}", payload={}, key=f"m{n}", at=now).status == "delivered"

    polls: dict[str, tuple[Callable[[], Any], str]] = {
        "看有没有到期的定时器": (lambda: hand_out_timers(app, now), "不随件数增长"), "看有没有该发起的流程": (lambda: fire_due_starts(app, now), "不随件数增长"),
        "没有人等的消息": (lambda: deliver_message(app, name="parcel", correlation="nobody", payload={}, key=f"n{time.time_ns()}", at=now), ""),
        "没有人等的信号": (lambda: deliver_signal(app, name="nobody", key="k"), ""), "一条消息送到它的案件（整次办理）": (message, ""),
    }
    found = [(f"{cases:,} 件在等：{what}，毫秒", _timed(poll), aim) for what, (poll, aim) in polls.items()]
    return [*found, (f"{cases:,} 件在等：定时器和订阅占用，MB", f"{(size or 0) / 1e6:.0f}", "")]


def _timed(poll: Callable[[], Any], times: int = 50) -> str:
    poll()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        poll()
        taken.append((time.perf_counter() - began) * 1000)
    return f"{statistics.median(taken):.1f} / {sorted(taken)[int(times * 0.95)]:.1f}"


def due_timers(town: Town, timers: int) -> list[Row]:
    """``timers`` cases whose time has come, handed out as the clock does it, fired by two workers; each opens a task."""
    template, app = waiting_case(town), town.app
    with app.db.begin() as connection:
        copy_waiting(connection, template, count=timers, due_at=app.clock.now() - timedelta(hours=1), apart=timedelta(milliseconds=1))
    with app.db.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    fired = select(func.count()).select_from(act).where(act.c.kind == "timer")
    with workers(town) as running:
        before, began = _cpu(running), time.perf_counter()
        while (done := _count(town, fired)) < timers:
            hand_out_timers(app, app.clock.now())
            time.sleep(0.25)
        took, cpu = time.perf_counter() - began, _cpu(running) - before
    assert done == timers
    return [
        (f"{timers:,} 个到期定时器，{WORKERS} 个后台进程，每分钟", f"{timers / took * 60:,.0f}", "≥ 10,000"), ("每个到期定时器占后台进程 CPU，毫秒", f"{cpu / timers * 1000:.1f}", ""),
    ]


def fan_out(town: Town, children: int) -> list[Row]:
    """One case that sends ``children`` items out, each a case with a task of its own."""
    loop = '<bpmn:multiInstanceLoopCharacteristics gc:item="spot" gc:results="answers"><bpmn:loopCardinality>{}</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics>'
    body = '<bpmn:startEvent id="start"/>' + check_task(inside=loop.format(children)) + flow("start", "check")
    declare(town, "round")
    deploy(town, "round.bpmn", drawn("round", body))
    running = select(func.count()).select_from(fanout_item).where(fanout_item.c.status == "running")
    with workers(town) as started:
        before, began = _cpu(started), time.perf_counter()
        start_case(town.app, actor=town.actor("head"), process="borrow_umbrella.round", key="round", at=town.app.clock.now())
        asked = time.perf_counter() - began
        while _count(town, running) < children:
            time.sleep(0.2)
        took, cpu = time.perf_counter() - began, _cpu(started) - before
    assert _count(town, select(fanout.c.remaining)) == children
    return [
        (f"分办 {children:,} 项，{WORKERS} 个后台进程，秒", f"{took:.1f}", "≤ 30"), ("其中办理人等的，秒", f"{asked:.2f}", ""),
        ("每个子案件占后台进程 CPU，毫秒", f"{cpu / children * 1000:.1f}", ""),
    ]


def _count(town: Town, query: Any) -> int:
    with town.app.db.connect() as connection:
        return int(connection.scalar(query) or 0)


def _cpu(running: list[subprocess.Popen[bytes]]) -> float:
    """Processor seconds that the processes have used so far."""
    total = 0.0
    for one in running:
        fields = Path(f"/proc/{one.pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends it lets it stop its servers
    options = argparse.ArgumentParser(description=__doc__)
    for name, size in (("cases", 1_000_000), ("timers", 10_000), ("children", 10_000)):
        options.add_argument(f"--{name}", type=int, default=size, help="0 leaves this part out")
    for what, figure, aim in rows(**vars(options.parse_args())):
        print(f"{what}\t{figure}\t{aim}", flush=True)


if __name__ == "__main__":
    main()
