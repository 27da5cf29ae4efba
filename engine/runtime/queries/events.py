"""The event feed: what was done on cases that the reader may see, in an order in which nothing is missed."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, text

from engine.access.actors import Actor
from engine.access.scope import restrict
from engine.storage.tables.cases import case_file
from engine.storage.tables.runtime import event_feed

Row = dict[str, Any]
SKEW = timedelta(milliseconds=250)
# Events are numbered by time before their transaction commits. Who reads on from the last number would miss one that was numbered
# earlier and committed later; so nothing is given out that is younger than the oldest transaction still writing.
OLDEST_WRITER = text(
    "SELECT coalesce(min(xact_start), clock_timestamp()) FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL"
)


def feed(connection: Connection, *, actor: Actor, after: UUID | None, size: int, kinds: Sequence[str] = (), case_id: UUID | None = None) -> list[Row]:
    """The next ``size`` events after ``after``, oldest first: id, kind, case_id, task_id, payload, at and the case's number and title."""
    e = event_feed.c
    settled = settled_before(connection)
    statement = (
        select(e.id, e.kind, e.case_id, e.task_id, e.payload, e.at, case_file.c.number, case_file.c.title)
        .join(case_file, case_file.c.id == e.case_id).where(e.id < settled)
    )
    if after is not None:
        statement = statement.where(e.id > after)
    if kinds:
        statement = statement.where(e.kind.in_(kinds))
    if case_id is not None:
        statement = statement.where(e.case_id == case_id)
    rows = connection.execute(restrict(statement, actor, case_id=e.case_id).order_by(e.id).limit(size)).mappings()
    return [dict(row) for row in rows]


def settled_before(connection: Connection) -> UUID:
    """Events with a smaller id than this are all committed: who reads on from the last of them misses nothing."""
    return _first_id_at(connection.execute(OLDEST_WRITER).scalar_one() - SKEW)


def _first_id_at(at: Any) -> UUID:
    """The smallest UUIDv7 of the millisecond of ``at``."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
