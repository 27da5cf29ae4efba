"""Start events that nobody presses: when each comes next, what it did last."""
from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from engine.storage.tables.cases import case_file
from engine.storage.tables.waiting import start_event

Row = dict[str, Any]


def of_process(connection: Connection, *, process: str) -> list[Row]:
    """The start events of one process, with the number or title of the case that began last."""
    s = start_event.c
    query = select(start_event, func.coalesce(case_file.c.number, case_file.c.title).label("last_case")).outerjoin(case_file, case_file.c.id == s.last_case_id)
    return [dict(row) for row in connection.execute(query.where(s.process == process).order_by(s.kind, s.event)).mappings()]


def next_times(connection: Connection) -> dict[str, datetime | None]:
    """process → its next time, or None where it begins by signal or condition; processes that begin by themselves only."""
    s = start_event.c
    query = select(s.process, func.min(s.due_at)).where(s.status == "armed").group_by(s.process)
    return {row[0]: row[1] for row in connection.execute(query)}
