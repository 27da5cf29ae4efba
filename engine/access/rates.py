"""Counters of tries that hold across workers and machines: one row for a subject and a window, counted up in a transaction of its own.

The caller commits at once, so that a refusal that follows does not take the count back.
"""
from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from engine.kernel.errors import GuichengError
from engine.kernel.gm import sm3
from engine.storage.tables.sign_in import sign_in_count


class TooOften(GuichengError):
    """More tries than a person makes; ``retry_after`` seconds."""

    status = 429
    code = "too_often"


def count(connection: Connection, *, kind: str, subject: str, at: datetime, window: timedelta = timedelta(minutes=1), by: int = 1) -> int:
    """Count ``by`` more of ``kind`` for ``subject`` in the window around ``at``; the sum so far."""
    t = sign_in_count.c
    made = insert(sign_in_count).values(kind=kind, subject=_hash(kind, subject), window_from=_start(at, window), count=by)
    statement = made.on_conflict_do_update(index_elements=[t.kind, t.subject, t.window_from], set_={"count": t.count + by}).returning(t.count)
    return int(connection.execute(statement).scalar_one())


def counted(connection: Connection, *, kind: str, subject: str, at: datetime, window: timedelta = timedelta(minutes=1)) -> int:
    """The sum in the window around ``at``."""
    t = sign_in_count.c
    wanted = (t.kind == kind, t.subject == _hash(kind, subject), t.window_from == _start(at, window))
    return int(connection.scalar(select(func.coalesce(func.sum(t.count), 0)).where(*wanted)) or 0)


def seconds_left(at: datetime, window: timedelta = timedelta(minutes=1)) -> int:
    """Until the window around ``at`` is over."""
    return max(1, int((_start(at, window) + window - at).total_seconds()) + 1)


def sweep(connection: Connection, *, at: datetime) -> int:
    """Forget windows of more than a day ago; how many."""
    return connection.execute(delete(sign_in_count).where(sign_in_count.c.window_from < at - timedelta(days=1))).rowcount


def _hash(kind: str, subject: str) -> bytes:
    return sm3(f"{kind}\n{subject}".encode("utf-8", "replace"))


def _start(at: datetime, window: timedelta) -> datetime:
    seconds = int(window.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, tz=at.tzinfo)
