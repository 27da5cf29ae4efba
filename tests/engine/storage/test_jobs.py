"""The queue: in the caller's transaction, in order, retried, rescued, swept."""
from __future__ import annotations

import threading
import time
import uuid
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from engine.kernel.clock import FixedClock
from engine.kernel.errors import TryAgain
from engine.kernel.registry import RegistryClosed
from engine.storage.jobs import JobQueue, pause_before_retry


@pytest.fixture
def host(clock: FixedClock) -> Any:
    return SimpleNamespace(clock=clock, seen=[])


@pytest.fixture
def queue(database: Engine) -> JobQueue:
    made = JobQueue(database)
    made.register("test.note", lambda app, **arguments: app.seen.append(arguments))
    return made


def test_a_rolled_back_act_leaves_no_job(queue: JobQueue, database: Engine, host: Any) -> None:
    with database.connect() as connection:
        queue.defer(connection, "test.note", text="never")
        connection.rollback()
    assert queue.run_due(host) == 0 and host.seen == []


def test_a_committed_job_gets_its_arguments_as_json(queue: JobQueue, database: Engine, host: Any) -> None:
    identity = uuid.uuid4()
    with database.begin() as connection:
        queue.defer(connection, "test.note", case_id=identity, fine=Decimal("12.30"), rows=[{"a": 1}])
    assert queue.run_due(host) == 1
    assert host.seen == [{"case_id": str(identity), "fine": "12.30", "rows": [{"a": 1}]}]


def test_a_waiting_job_with_the_same_queueing_lock_is_not_doubled_and_the_act_goes_on(queue: JobQueue, database: Engine, host: Any) -> None:
    with database.begin() as connection:
        assert queue.defer(connection, "test.note", queueing_lock="clock", n=1) is not None
        assert queue.defer(connection, "test.note", queueing_lock="clock", n=2) is None
        queue.defer(connection, "test.note", n=3)
    queue.run_due(host)
    assert [seen["n"] for seen in host.seen] == [1, 3]


def test_an_unknown_job_is_refused_when_it_is_queued(queue: JobQueue, database: Engine) -> None:
    with database.begin() as connection, pytest.raises(KeyError):
        queue.defer(connection, "test.unheard_of")


def test_a_job_that_asks_to_be_tried_again_waits_for_its_time(queue: JobQueue, database: Engine, host: Any, clock: FixedClock) -> None:
    def shy(app: Any) -> None:
        app.seen.append("tried")
        if len(app.seen) < 2:
            raise TryAgain(after=timedelta(minutes=10))

    queue.register("test.shy", shy)
    with database.begin() as connection:
        queue.defer(connection, "test.shy")
    clock.advance(timedelta(days=1))
    assert queue.run_due(host) == 1
    assert queue.run_due(host) == 0
    assert queue.run_due(host, at=clock.now() + timedelta(minutes=10)) == 1
    assert queue.counts() == {"succeeded": 1}


def test_the_last_failed_attempt_tells_people_once(queue: JobQueue, database: Engine, host: Any) -> None:
    def broken(app: Any, **arguments: Any) -> None:
        raise RuntimeError("no paper")

    queue.register("test.broken", broken, attempts=1, exhausted=lambda app, error, **arguments: app.seen.append((str(error), arguments)))
    with database.begin() as connection:
        queue.defer(connection, "test.broken", page=1)
    with pytest.raises(RuntimeError):
        queue.run_due(host)
    assert host.seen == [("no paper", {"page": 1})]
    assert queue.counts() == {"failed": 1}


def test_pauses_double_up_to_an_hour_and_end() -> None:
    error = TryAgain(after=timedelta(seconds=30))
    assert [pause_before_retry(error, attempts=n, limit=10) for n in (0, 1, 2)] == [timedelta(seconds=s) for s in (30, 60, 120)]
    assert pause_before_retry(error, attempts=8, limit=10) == timedelta(hours=1)
    assert pause_before_retry(error, attempts=9, limit=10) is None


def test_nothing_registers_after_the_queue_is_closed(queue: JobQueue) -> None:
    queue.close()
    with pytest.raises(RegistryClosed):
        queue.register("test.late", print)


def test_a_worker_runs_jobs_while_it_lives_and_stops_when_asked(queue: JobQueue, database: Engine, host: Any) -> None:
    queue.register("test.slow", lambda app, n: (time.sleep(0.02), app.seen.append(n)))
    with database.begin() as connection:
        for number in range(5):
            queue.defer(connection, "test.slow", lock="case-1", n=number)
    stop = threading.Event()
    worker = threading.Thread(target=queue.run_worker, args=(host,), kwargs={"concurrency": 4, "stop": stop})
    worker.start()
    _wait(lambda: len(host.seen) == 5)
    with database.begin() as connection:
        queue.defer(connection, "test.slow", n=99)
    _wait(lambda: 99 in host.seen)
    stop.set()
    worker.join(timeout=10)
    assert not worker.is_alive()
    assert host.seen == [0, 1, 2, 3, 4, 99]


def test_a_job_whose_worker_died_is_put_back(queue: JobQueue, database: Engine, host: Any) -> None:
    with database.begin() as connection:
        queue.defer(connection, "test.note", n=1)
        connection.execute(text("SELECT procrastinate_fetch_job_v2(NULL, procrastinate_register_worker_v1())"))
    assert queue.rescue() == 0 and queue.run_due(host) == 0
    with database.begin() as connection:
        connection.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2 minutes'"))
    assert queue.rescue() == 1
    assert queue.run_due(host) == 1


def test_old_jobs_are_removed_failed_ones_later(queue: JobQueue, database: Engine, host: Any) -> None:
    with database.begin() as connection:
        queue.defer(connection, "test.note", n=1)
    queue.run_due(host)
    assert queue.remove_old() == 0
    with database.begin() as connection:
        connection.execute(text("UPDATE procrastinate_events SET at = at - interval '25 hours'"))
    assert queue.remove_old() == 1


def _wait(condition: Any, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
