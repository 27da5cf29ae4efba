"""One clock walks, however many are wound up."""
from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Engine

from engine.cli.clock import hourly_tasks, run_hourly, the_only_clock


def test_a_second_clock_waits_until_the_first_is_gone(database: Engine) -> None:
    order: list[str] = []

    def second() -> None:
        with the_only_clock(database, threading.Event()) as holder:
            order.append("second" if holder is not None else "none")

    with the_only_clock(database, threading.Event()) as holder:
        assert holder is not None
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(timeout=0.5)
        order.append("first")
        holder.invalidate()
    waiting.join(timeout=10)
    assert order == ["first", "second"]


def test_a_waiting_clock_stops_when_asked(database: Engine) -> None:
    stop = threading.Event()
    with the_only_clock(database, threading.Event()):
        stop.set()
        with the_only_clock(database, stop) as holder:
            assert holder is None


def test_hourly_work_is_found_by_being_there() -> None:
    assert "engine.storage.hourly" in [name for name, _ in hourly_tasks()]


def test_hourly_work_tidies_the_queue(monkeypatch: Any) -> None:
    calls: list[str] = []
    monkeypatch.setattr("engine.cli.clock.hourly_tasks", lambda: [("engine.storage.hourly", _storage_hourly())])
    run_hourly(SimpleNamespace(jobs=SimpleNamespace(remove_old=lambda: calls.append("swept"))), at=datetime(2026, 11, 20, tzinfo=UTC))  # type: ignore[arg-type]
    assert calls == ["swept"]


def _storage_hourly() -> Any:
    from engine.storage.hourly import run

    return run
