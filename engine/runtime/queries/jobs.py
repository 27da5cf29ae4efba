"""Background jobs as operators see them. Pages go by the job's number, newest first."""
from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, String, Text, cast, column, func, literal, or_, select, table

Row = dict[str, Any]
SIZE = 50
LIMIT = 10_000
TABS = ("queued", "scheduled", "running", "failed")

job = table("procrastinate_jobs", column("id"), column("task_name"), column("args"), column("status"), column("attempts"), column("scheduled_at"))
event = table("procrastinate_events", column("job_id"), column("at"))


def _where(tab: str, at: datetime) -> Any:
    status = cast(job.c.status, String)
    if tab in ("running", "failed"):
        return status == {"running": "doing", "failed": "failed"}[tab]
    later = job.c.scheduled_at > at
    return (status == "todo") & (later if tab == "scheduled" else or_(job.c.scheduled_at.is_(None), ~later))


def listed(connection: Connection, *, tab: str, at: datetime, before: int | None = None) -> list[Row]:
    """Up to fifty-one jobs of a tab: id, name, args, status, attempts, scheduled_at, since (last change)."""
    since = select(func.max(event.c.at)).where(event.c.job_id == job.c.id).scalar_subquery()
    statement = select(job.c.id, job.c.task_name.label("name"), job.c.args, job.c.attempts, job.c.scheduled_at, since.label("since")).where(_where(tab, at))
    if before is not None:
        statement = statement.where(job.c.id < before)
    return [dict(row) for row in connection.execute(statement.order_by(job.c.id.desc()).limit(SIZE + 1)).mappings()]


def counts(connection: Connection, *, at: datetime) -> dict[str, int]:
    """How many jobs stand in each tab, counted to ten thousand."""
    parts = [select(func.count()).select_from(select(job.c.id).where(_where(tab, at)).limit(LIMIT + 1).subquery()).scalar_subquery().label(tab) for tab in TABS]
    return {name: int(value) for name, value in connection.execute(select(*parts)).mappings().one().items()}


def next_try(connection: Connection, *, effect_id: str) -> datetime | None:
    """When the job of an effect runs next; None when none waits or it runs at once."""
    mine = (cast(job.c.status, String) == "todo") & (job.c.args.op("->>")(literal("effect_id", Text)) == effect_id)
    found: datetime | None = connection.scalar(select(job.c.scheduled_at).where(mine).limit(1))
    return found
