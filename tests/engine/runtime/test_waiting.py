"""Who waits is found by index, and costs nothing until due; due timers are shared among workers, each fired once."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select, text, update

from engine.kernel.settings import ROOT
from engine.runtime.deliver_message import deliver_message
from engine.runtime.deliver_signal import deliver_signal
from engine.runtime.fire_due_starts import fire_due_starts
from engine.runtime.hand_out_timers import fire_timers, hand_out_timers, take_back_claims, together
from engine.runtime.invariants import find_violations
from engine.runtime.look_at_changes import look_at_changes
from engine.runtime.start_case import start_case
from engine.storage.tables.runtime import act, instance, task, timer
from engine.storage.tables.waiting import fanout_item, start_event
from tests.engine.runtime.test_fanout import checking, put
from tests.town import Town
from tests.waiting_rows import copied, copy_waiting, waiting_case

MANY = 3000


@contextmanager
def statements(town: Town) -> Iterator[list[tuple[str, Any]]]:
    """Every SELECT, UPDATE and DELETE sent meanwhile, with its parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(town.app.db, "before_cursor_execute", note)
    yield seen
    event.remove(town.app.db, "before_cursor_execute", note)


def fill(town: Town) -> Any:
    template = waiting_case(town)
    now = town.app.clock.now()
    with town.app.db.begin() as connection:
        copy_waiting(connection, template, count=MANY, due_at=now + timedelta(days=1), apart=timedelta(seconds=10))
        row = {"definition_id": template["definition_id"], "kind": "timer", "title": "x", "status": "armed", "due_at": now + timedelta(days=9), "look_at": now + timedelta(days=9)}
        connection.execute(start_event.insert(), [{**row, "process": f"p{n}", "event": "e"} for n in range(MANY)])
        for kind in ("signal", "conditional"):
            connection.execute(start_event.insert(), [{**row, "kind": kind, "process": f"{kind}{n}", "event": "e", "name": f"n{n}"} for n in range(MANY)])
        connection.execute(text("ANALYZE case_file, instance, timer, subscription, start_event, message_inbox"))
    return template


def test_every_poll_finds_by_index_and_loads_no_state(town: Town) -> None:
    fill(town)
    app, now = town.app, town.app.clock.now()
    polls: dict[str, Callable[[], Any]] = {
        "timers": lambda: hand_out_timers(app, now), "claims": lambda: take_back_claims(app, now), "starts": lambda: fire_due_starts(app, now),
        "changes": lambda: look_at_changes(app, now), "message": lambda: deliver_message(app, name="parcel", correlation="nobody", payload={}, key="k", at=now),
        "signal": lambda: deliver_signal(app, name="nobody", key="k"),
    }
    for name, poll in polls.items():
        with statements(town) as seen:
            assert getattr(poll(), "status", "waiting") == "waiting" or poll
        asked = [one for one in seen if one[0].lstrip().startswith(("SELECT", "UPDATE", "DELETE", "WITH", "\n"))]
        assert asked, name
        with app.db.connect() as connection:
            for statement, parameters in asked:
                plan = "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))
                for table in ("timer", "subscription", "instance", "start_event", "case_file"):
                    assert f"Seq Scan on {table}" not in plan, f"{name}: {statement}\n{plan}"
                assert "state" not in statement.split("FROM")[0].replace("statement", ""), statement


def test_one_message_among_many_reaches_its_case_in_a_handful_of_statements(town: Town) -> None:
    fill(town)
    at = town.app.clock.now()
    deliver_message(town.app, name="parcel", correlation="copy1", payload={}, key="k1", at=at)
    with statements(town) as seen:
        assert deliver_message(town.app, name="parcel", correlation="copy1234", payload={}, key="k2", at=at).instance_id == copied(1234)
    assert len(seen) < 25


def test_due_timers_are_claimed_in_order_and_a_case_keeps_to_one_job(town: Town) -> None:
    fill(town)
    town.app.clock.advance(timedelta(days=1, minutes=5))
    now = town.app.clock.now()
    with town.app.db.begin() as connection:
        connection.execute(update(timer).where(timer.c.instance_id == copied(3)).values(suspended=True))
    assert hand_out_timers(town.app, now) == 30 and hand_out_timers(town.app, now) == 0
    town.app.jobs.run_due(town.app)
    with town.app.db.connect() as connection:
        fired = connection.execute(select(act.c.instance_id).where(act.c.kind == "timer").order_by(act.c.at, act.c.id)).scalars().all()
        assert set(fired) == {copied(n) for n in range(1, 32)} - {copied(3)} and len(fired) == 30
        assert connection.scalar(select(func.count()).select_from(timer).where(timer.c.claimed_at.is_not(None))) == 0
        assert connection.scalar(select(func.count()).select_from(task).where(task.c.status == "open")) == 30


def test_timers_of_one_case_never_go_to_two_jobs() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    jobs = together([(n % 7, f"i{n % 7}", f"e{n}", start + timedelta(seconds=n)) for n in range(200)])
    assert all(len({one[0] for one in job} & {one[0] for other in jobs if other is not job for one in other}) == 0 for job in jobs)
    assert all([one[2] for one in job] == sorted(one[2] for one in job) for job in jobs)


def test_a_claim_that_is_of_no_use_is_given_back_and_a_forgotten_one_taken_back(town: Town) -> None:
    template = fill(town)
    town.app.clock.advance(timedelta(days=1, seconds=5))
    now = town.app.clock.now()
    assert hand_out_timers(town.app, now) == 1
    later = {"instance_id": str(copied(1)), "due": (now + timedelta(days=1)).isoformat()}
    with town.app.db.begin() as connection:
        engine_id = connection.scalar(select(timer.c.engine_id).where(timer.c.instance_id == template["id"]))
        connection.execute(update(timer).where(timer.c.instance_id == copied(1)).values(due_at=now + timedelta(days=1)))
    assert fire_timers(town.app, timers=[[later["instance_id"], engine_id, later["due"]]]) == 0
    with town.app.db.connect() as connection:
        assert connection.scalar(select(timer.c.claimed_at).where(timer.c.instance_id == copied(1))) is None
    town.app.clock.advance(timedelta(seconds=10))
    assert hand_out_timers(town.app, town.app.clock.now()) == 1
    assert take_back_claims(town.app, town.app.clock.now()) == 0
    assert take_back_claims(town.app, town.app.clock.now() + timedelta(minutes=11)) == 1


def test_two_workers_share_the_timers_and_what_a_killed_one_held_is_done_by_the_other(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two real worker processes, one killed in the middle of its jobs; nothing is lost, nothing is done twice."""
    template = waiting_case(town)
    with town.app.db.begin() as connection:
        copy_waiting(connection, template, count=240, due_at=town.app.clock.now(), apart=timedelta(0))
    assert hand_out_timers(town.app, town.app.clock.now() + timedelta(seconds=1)) == 240
    put(town, checking("for i in 1..450 return i"))
    start_case(town.app, actor=town.actor("head"), process="borrow_umbrella.round", key="round", at=town.app.clock.now())
    environment = {**os.environ, "DATABASE_URL": town.app.settings.database_url, "GUICHENG_DATA": str(town.app.settings.data_dir), "PYTHONPATH": str(ROOT)}
    workers = [subprocess.Popen([sys.executable, "-m", "engine", "worker", "--concurrency", "1"], cwd=ROOT, env=environment) for _ in range(2)]
    try:
        _until(town, lambda: _fired(town) >= 40)
        workers[0].send_signal(signal.SIGKILL)
        workers[0].wait()
        monkeypatch.setattr("engine.storage.jobs.STALLED_AFTER_SECONDS", 0)
        _until(town, lambda: _doing(town) <= 1 and _fired(town) >= 180)
        town.app.jobs.rescue()
        _until(town, lambda: _fired(town) == 240 and _made(town) == 450)
    finally:
        for one in workers:
            one.kill()
            one.wait()
    with town.app.db.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(instance).where(instance.c.rev == 2)) == 240
        assert connection.scalar(select(func.count()).select_from(instance).where(instance.c.parent_instance_id.is_not(None))) == 450
        assert connection.scalar(select(func.count(fanout_item.c.instance_id.distinct()))) == 450
    assert find_violations(town.app) == []


def _until(town: Town, done: Callable[[], bool]) -> None:
    latest = time.monotonic() + 60
    while not done():
        assert time.monotonic() < latest
        time.sleep(0.1)


def _fired(town: Town) -> int:
    with town.app.db.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(act).where(act.c.kind == "timer")) or 0)


def _made(town: Town) -> int:
    with town.app.db.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(fanout_item).where(fanout_item.c.status == "running")) or 0)


def _doing(town: Town) -> int:
    return town.app.jobs.counts().get("doing", 0)
