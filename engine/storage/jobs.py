"""Background work: queued in the caller's transaction, run by a worker, retried, rescued, swept away.

Procrastinate keeps the queue. A job function is called as ``function(app, **arguments)``; arguments are JSON, so ids
and dates arrive as text. It may run more than once (a worker can die in the middle), so it must be idempotent.
"""
from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import procrastinate
from procrastinate import RetryDecision
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Job
from sqlalchemy import Connection, Engine, text

from engine.kernel.clock import Clock
from engine.kernel.errors import TryAgain
from engine.kernel.registry import Registry
from engine.storage.database import dump_json

log = logging.getLogger(__name__)
logging.getLogger("procrastinate").setLevel(logging.WARNING)

JobFunction = Callable[..., Any]
Exhausted = Callable[..., Any]

LONGEST_PAUSE = timedelta(hours=1)
STALLED_AFTER_SECONDS = 45
KEEP_SUCCEEDED_HOURS = 24
KEEP_FAILED_HOURS = 24 * 90


@dataclass(frozen=True, kw_only=True)
class RegisteredJob:
    """``exhausted(app, error, **arguments)`` is called once when the last attempt has failed."""

    function: JobFunction
    attempts: int
    exhausted: Exhausted | None


class JobQueue:
    """The queue in one database. Registrations close when the application is assembled."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.registry: Registry[RegisteredJob] = Registry("后台任务")
        # Two faces of one queue: jobs are queued on the caller's own connection, so that face needs no pool of its own.
        self._inlet = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
        self._outlet = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=_conninfo(engine), min_size=1, max_size=20))

    def register(self, task: str, function: JobFunction, *, attempts: int = 10, exhausted: Exhausted | None = None) -> None:
        """Let jobs named ``task`` run ``function(app, **arguments)``, at most ``attempts`` times.

        ``TryAgain(after=…)`` and any other error are tried again with doubling pauses (at most an hour); then the job
        has failed and ``exhausted`` may tell people.
        """
        self.registry.add(task, RegisteredJob(function=function, attempts=attempts, exhausted=exhausted))

    def close(self) -> None:
        """No more registrations."""
        self.registry.close()

    def defer(
        self, connection: Connection, task: str, *, queueing_lock: str | None = None, lock: str | None = None,
        schedule_at: datetime | None = None, priority: int = 0, **arguments: Any,
    ) -> int | None:
        """Queue ``task`` in the caller's transaction and return the job's number.

        Jobs with one ``lock`` run one after the other, in order. While a job with this ``queueing_lock`` waits, another
        isn't queued and None comes back.
        """
        self.registry.get(task)
        deferrer = self._inlet.configure_task(
            task, connection=connection.connection.driver_connection, lock=lock, queueing_lock=queueing_lock,
            schedule_at=schedule_at, priority=priority, task_kwargs=orjson.loads(dump_json(arguments)),
        )
        if queueing_lock is None:
            return deferrer.defer()
        try:
            with connection.begin_nested():
                return deferrer.defer()
        except AlreadyEnqueued:
            return None

    def run_worker(self, app: Any, *, concurrency: int = 1, stop: threading.Event | None = None, name: str = "worker") -> None:
        """Run jobs as they come until ``stop`` is set; jobs under way may finish. Returns then."""
        stop = stop or threading.Event()
        with self._tasks_for(app):
            asyncio.run(self._work(stop, concurrency, name))

    async def _work(self, stop: threading.Event, concurrency: int, name: str) -> None:
        # One Procrastinate worker per place: each fetches again as soon as its own job ends, so that the next job of a
        # lock starts at once. A single worker with several places would leave it to the next poll.
        async with self._outlet.open_async():
            workers = [asyncio.create_task(self._one_worker(f"{name}-{place}")) for place in range(concurrency)]
            while not stop.is_set() and not any(worker.done() for worker in workers):
                await asyncio.sleep(0.1)
            for worker in workers:
                worker.cancel()
            results = await asyncio.gather(*workers, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _one_worker(self, name: str) -> None:
        await self._outlet.run_worker_async(
            concurrency=1, name=name, install_signal_handlers=False, fetch_job_polling_interval=5.0,
            shutdown_graceful_timeout=30.0, delete_jobs="never",
        )

    @contextmanager
    def _tasks_for(self, app: Any) -> Iterator[None]:
        before = dict(self._outlet.tasks)
        for task in self.registry:
            registered = self.registry.get(task)
            mark = self._outlet.task(name=task, pass_context=True, retry=_Retry(registered.attempts))
            mark(_runner(app, registered))
        try:
            yield
        finally:
            self._outlet.tasks.clear()
            self._outlet.tasks.update(before)

    def run_due(self, app: Any, *, at: datetime | None = None) -> int:
        """Run every job that is ready in this thread until none is left; the number of jobs run.

        For tests and the demo city. A job that asks to be tried again waits for its time; with ``at`` the jobs planned
        up to that instant count as ready. A failed last attempt raises what the job raised.
        """
        if at is not None:
            self._advance(at)
        count = 0
        while job := self._fetch():
            self._run_here(app, job)
            count += 1
        return count

    def _advance(self, at: datetime) -> None:
        with self.engine.begin() as connection:
            connection.execute(_READY_NOW, {"at": at})

    def _fetch(self) -> Mapping[str, Any] | None:
        with self.engine.begin() as connection:
            row = connection.execute(_FETCH).mappings().one()
        return dict(row) if row["id"] is not None else None

    def _run_here(self, app: Any, job: Mapping[str, Any]) -> None:
        registered = self.registry.get(job["task_name"])
        try:
            registered.function(app, **job["args"])
        except Exception as error:
            pause = pause_before_retry(error, attempts=job["attempts"], limit=registered.attempts)
            if pause is None:
                self._finish(job["id"], "failed")
                _tell(app, registered, error, job["args"])
                raise
            self._retry(job["id"], _clock_of(app).now() + pause)
        else:
            self._finish(job["id"], "succeeded")

    def _finish(self, job_id: int, status: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(_FINISH, {"id": job_id, "status": status})

    def _retry(self, job_id: int, at: datetime) -> None:
        with self.engine.begin() as connection:
            connection.execute(_RETRY, {"id": job_id, "at": at})

    def rescue(self) -> int:
        """Put jobs of workers that died back into the queue; the number of jobs. Called by the clock."""
        with self.engine.begin() as connection:
            stalled = connection.execute(_STALLED, {"seconds": STALLED_AFTER_SECONDS}).scalars().all()
            for job_id in stalled:
                connection.execute(text("SELECT procrastinate_retry_job_v2(:id, now(), NULL, NULL, NULL)"), {"id": job_id})
        return len(stalled)

    def remove_old(self) -> int:
        """Delete succeeded jobs after a day and failed ones after 90 days; the number of jobs. Called by the clock."""
        with self.engine.begin() as connection:
            return connection.execute(_OLD, {"succeeded": KEEP_SUCCEEDED_HOURS, "failed": KEEP_FAILED_HOURS}).rowcount

    def counts(self) -> dict[str, int]:
        """How many jobs are in each state (todo, doing, succeeded, failed)."""
        with self.engine.connect() as connection:
            rows = connection.execute(text("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY status")).all()
        return {str(row[0]): int(row[1]) for row in rows}


def pause_before_retry(error: BaseException, *, attempts: int, limit: int) -> timedelta | None:
    """How long to wait before the next attempt after ``attempts`` earlier ones; None when there is no next one."""
    if attempts + 1 >= limit:
        return None
    first = error.after if isinstance(error, TryAgain) else timedelta(seconds=2)
    return min(first * 2 ** min(attempts, 16), max(LONGEST_PAUSE, first))


class _Retry(procrastinate.BaseRetryStrategy):
    def __init__(self, limit: int) -> None:
        self.limit = limit

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        pause = pause_before_retry(exception, attempts=job.attempts, limit=self.limit)
        return None if pause is None else RetryDecision(retry_in={"seconds": max(0, round(pause.total_seconds()))})


def _runner(app: Any, registered: RegisteredJob) -> Callable[..., None]:
    def run(context: procrastinate.JobContext, /, **arguments: Any) -> None:
        try:
            registered.function(app, **arguments)
        except Exception as error:
            if pause_before_retry(error, attempts=context.job.attempts, limit=registered.attempts) is None:
                _tell(app, registered, error, arguments)
            raise

    return run


def _tell(app: Any, registered: RegisteredJob, error: Exception, arguments: Mapping[str, Any]) -> None:
    if registered.exhausted is None:
        return
    try:
        registered.exhausted(app, error, **arguments)
    except Exception:
        log.exception("后台任务失败后的通知也失败了")


def _clock_of(app: Any) -> Clock:
    clock = getattr(app, "clock", None)
    return clock if isinstance(clock, Clock) else Clock()


def _conninfo(engine: Engine) -> str:
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


_READY_NOW = text("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo' AND scheduled_at <= :at")
_FETCH = text("SELECT id, task_name, args, attempts FROM procrastinate_fetch_job_v2(NULL, NULL)")
_FINISH = text("SELECT procrastinate_finish_job_v1(:id, CAST(:status AS procrastinate_job_status), false)")
_RETRY = text("SELECT procrastinate_retry_job_v2(:id, :at, NULL, NULL, NULL)")
_STALLED = text("""
    SELECT job.id FROM procrastinate_jobs job LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
     WHERE job.status = 'doing' AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => :seconds))
     FOR UPDATE OF job SKIP LOCKED""")
_OLD = text("""
    DELETE FROM procrastinate_jobs job USING (SELECT job_id, max(at) AS at FROM procrastinate_events GROUP BY job_id) last
     WHERE last.job_id = job.id
       AND (job.status IN ('succeeded', 'cancelled', 'aborted') AND last.at < now() - make_interval(hours => :succeeded)
            OR job.status = 'failed' AND last.at < now() - make_interval(hours => :failed))""")
