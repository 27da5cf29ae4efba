"""Notices inside the platform: something is waiting, came back, or is due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Uuid, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.kernel.ids import new_id
from engine.storage.prepared import Prepared
from engine.storage.tables.organisation import notice

COUNT_LIMIT = 100
WARNINGS = ("due", "incident")
_UNREAD = Prepared(select(func.count()).select_from(
    select(notice.c.id).where(notice.c.person_id == bindparam("person", type_=Uuid), notice.c.read_at.is_(None)).limit(COUNT_LIMIT).subquery()
))


@dataclass(frozen=True, kw_only=True)
class NewNotice:
    """One notice for one person. ``kind`` is task, returned, copied, due, incident or system; ``link`` a path of ours."""

    person_id: UUID
    kind: str
    text: str
    link: str = ""
    case_id: UUID | None = None
    task_id: UUID | None = None


def send_notices(connection: Connection, *, notices: Iterable[NewNotice], at: datetime) -> int:
    """Write all notices in one statement; how many."""
    rows = [
        {
            "id": new_id(),
            "person_id": n.person_id,
            "kind": n.kind,
            "text": n.text,
            "link": n.link,
            "case_id": n.case_id,
            "task_id": n.task_id,
            "at": at,
        }
        for n in notices
    ]
    if rows:
        connection.execute(insert(notice).values(rows))
    return len(rows)


def count_unread(connection: Connection, *, person_id: UUID) -> int:
    """Unread notices, counted up to 100 (shown as 99+)."""
    found = _UNREAD.one_or_none(connection, {"person": person_id})
    return int(found[0]) if found else 0


def list_notices(
    connection: Connection, *, person_id: UUID, unread_only: bool = False, warnings: bool | None = None, before: tuple[datetime, UUID] | None = None, limit: int = 20
) -> list[Row[Any]]:
    """A page of notices, the newest first; ``before`` is (at, id) of the last one seen. ``warnings``: only those, or (False) only the others."""
    statement = select(notice).where(notice.c.person_id == person_id).order_by(notice.c.at.desc(), notice.c.id.desc()).limit(limit)
    if unread_only:
        statement = statement.where(notice.c.read_at.is_(None))
    if warnings is not None:
        statement = statement.where(notice.c.kind.in_(WARNINGS) if warnings else notice.c.kind.not_in(WARNINGS))
    if before is not None:
        statement = statement.where(notice.c.at <= before[0], (notice.c.at < before[0]) | (notice.c.id < before[1]))
    return list(connection.execute(statement))


def mark_read(connection: Connection, *, person_id: UUID, at: datetime, ids: Iterable[UUID] | None = None) -> int:
    """Mark one's own notices read: those in ``ids``, or all; how many changed."""
    statement = update(notice).where(notice.c.person_id == person_id, notice.c.read_at.is_(None)).values(read_at=at)
    if ids is not None:
        statement = statement.where(notice.c.id.in_(list(ids)))
    return connection.execute(statement).rowcount


def mark_task_read(connection: Connection, *, task_id: UUID, at: datetime) -> int:
    """A task that was taken or ended needs no notice any more, for nobody."""
    return connection.execute(update(notice).where(notice.c.task_id == task_id, notice.c.read_at.is_(None)).values(read_at=at)).rowcount
