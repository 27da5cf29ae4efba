"""`python -m engine clock`: the one process that makes things happen because time passes."""
from __future__ import annotations

import logging
import pkgutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click
from sqlalchemy import Connection, Engine, text

import engine as rooms
from engine.cli.host import Host
from engine.cli.worker import stop_on_signals

if TYPE_CHECKING:
    from engine.runtime.application import Application

log = logging.getLogger(__name__)
logging.getLogger("apscheduler").setLevel(logging.WARNING)

_LOCK = 0x67_63_63_6C  # "gccl"
HOURLY, MINUTELY = "hourly", "minutely"

HourlyTask = Callable[..., object]


@click.command(help="运行平台的时钟：到期的定时器和期限、中断任务的恢复、每分钟和每小时的例行工作。可以多开，只有一个在走。")
@click.option("--every", default=1.0, show_default=True, help="检查定时器的间隔（秒）")
@click.pass_obj
def command(host: Host, every: float) -> None:
    stop = stop_on_signals()
    with host.application() as app, the_only_clock(app.db, stop) as holder:
        if holder is not None:
            run_clock(app, holder=holder, every=every, stop=stop)


def run_clock(app: Application, *, holder: Connection, every: float, stop: threading.Event) -> None:
    """Tick until ``stop``, or until the connection that holds the lock is lost; another clock takes over then."""
    from apscheduler.schedulers.background import BackgroundScheduler

    from engine.runtime.fire_due_starts import fire_due_starts
    from engine.runtime.hand_out_timers import hand_out_timers, take_back_claims
    from engine.runtime.look_at_changes import look_at_changes
    from engine.runtime.run_clock_steps import run_clock_steps

    scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None})
    scheduler.add_job(_safely("定时器", lambda: hand_out_timers(app, app.clock.now())), "interval", seconds=every)
    scheduler.add_job(_safely("定时器认领", lambda: take_back_claims(app, app.clock.now())), "interval", seconds=60)
    scheduler.add_job(_safely("定时发起", lambda: fire_due_starts(app, app.clock.now())), "interval", seconds=every)
    scheduler.add_job(_safely("条件发起", lambda: look_at_changes(app, app.clock.now())), "interval", seconds=every)
    scheduler.add_job(_safely("期限", lambda: run_clock_steps(app, app.clock.now())), "interval", seconds=every)
    scheduler.add_job(_safely("任务恢复", app.jobs.rescue), "interval", seconds=15)
    for name, task in hourly_tasks():
        scheduler.add_job(_safely(name, lambda task=task: task(app, at=app.clock.now())), "cron", minute=5)  # type: ignore[misc]
    for name, task in hourly_tasks(MINUTELY):
        scheduler.add_job(_safely(name, lambda task=task: task(app, at=app.clock.now())), "interval", minutes=1)  # type: ignore[misc]
    scheduler.start()
    try:
        while not stop.wait(5):
            holder.execute(text("SELECT 1"))
            holder.commit()
    finally:
        scheduler.shutdown(wait=True)


@contextmanager
def the_only_clock(engine: Engine, stop: threading.Event) -> Iterator[Connection | None]:
    """The connection that holds the clock's lock, as soon as no other process holds it; None when asked to stop before."""
    with engine.connect() as connection:
        while not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}).scalar_one():
            connection.commit()
            if stop.wait(2):
                yield None
                return
        connection.commit()
        yield connection


def hourly_tasks(often: str = HOURLY) -> list[tuple[str, HourlyTask]]:
    """``run(app, *, at)`` of every module ``engine/<room>/hourly.py`` (or ``minutely.py``), by name."""
    found = []
    for info in pkgutil.iter_modules(rooms.__path__):
        name = f"{rooms.__name__}.{info.name}.{often}"
        if info.ispkg and find_spec(name) is not None:
            found.append((name, import_module(name).run))
    return found


def _safely(name: str, action: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        try:
            action()
        except Exception:
            log.exception("时钟：%s 失败，下一次继续", name)

    return run


def run_hourly(app: Application, *, at: datetime) -> None:
    """Every hourly task once, for tests and for an operator who doesn't want to wait."""
    for _, task in hourly_tasks():
        task(app, at=at)
