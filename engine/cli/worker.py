"""`python -m engine worker`: documents, effects and everything else that is queued."""
from __future__ import annotations

import logging
import signal
import threading
from typing import Any

import click

from engine.cli.host import Host

for chatty in ("weasyprint", "fontTools", "PIL"):
    logging.getLogger(chatty).setLevel(logging.WARNING)


@click.command(help="运行后台任务：生成文书、对外调用等。可以同时运行多个。")
@click.option("--concurrency", default=2, show_default=True, help="同时运行几个任务")
@click.pass_obj
def command(host: Host, concurrency: int) -> None:
    stop = stop_on_signals()
    with host.application() as app:
        app.jobs.run_worker(app, concurrency=concurrency, stop=stop)


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and Ctrl-C set."""
    stop = threading.Event()

    def ask(_signal: int, _frame: Any) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop
