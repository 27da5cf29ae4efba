"""Start timers that are due: each opens exactly one case. Rounds missed while nothing ran count as one, the earliest first."""
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select, update

from engine.kernel.errors import GuichengError
from engine.runtime.application import Application
from engine.runtime.bpmn.timers import following
from engine.runtime.once import once
from engine.runtime.start_on_event import find_armed, note_problem, open_case
from engine.storage.tables.waiting import start_event

log = structlog.get_logger(__name__)
AGAIN = timedelta(minutes=5)


def fire_due_starts(app: Application, at: datetime, *, limit: int = 100) -> int:
    """Open a case for every start timer that is due at ``at``, earliest first; how many. Found by index.

    One that can't (no such unit, say) is tried again every five minutes and says why on the procedures page.
    """
    with app.db.connect() as connection:
        due = connection.execute(
            select(start_event.c.process, start_event.c.event)
            .where(start_event.c.look_at <= at, start_event.c.status == "armed", start_event.c.kind == "timer").order_by(start_event.c.look_at).limit(limit)
        ).all()
    if due:
        app.library.refresh(now=True)
    fired = 0
    for process, event in due:
        try:
            fired += fire_start(app, process=process, event=event, at=at)
        except GuichengError as error:
            note_problem(app, process, event, error.message, look_at=at + AGAIN)
        except Exception:
            log.exception("start timer failed", process=process, start=event)
            note_problem(app, process, event, "发起时出错，五分钟后再试；仍不成功请联系运维人员。", look_at=at + AGAIN)
    return fired


@once
def fire_start(app: Application, *, process: str, event: str, at: datetime) -> int:
    """Fire one start timer: 1 when it opened a case, 0 when it isn't due any more."""
    with app.db.begin() as connection:
        row = find_armed(connection, process, event)
        if row is None or row["due_at"] is None or row["due_at"] > at:
            return 0
        due: datetime = row["due_at"]
        made = open_case(app, connection, row, key=f"start:{process}:{event}:{due.isoformat()}", facts={"scheduled_at": due.isoformat()}, at=at)
        values: dict[str, Any] = {"last_at": at, "last_case_id": made, "problem": "", **_next(row, at)}
        connection.execute(update(start_event).where(start_event.c.process == process, start_event.c.event == event).values(values))
        return 1


def _next(row: Any, at: datetime) -> dict[str, Any]:
    now = {"due": row["due_at"].isoformat()} | ({"left": row["left_over"], "every": row["every"]} if row["every"] else {})
    after = following(now, at)
    if after is None:
        return {"status": "over", "due_at": None, "look_at": None}
    due = datetime.fromisoformat(after["due"])
    return {"due_at": due, "look_at": due, "left_over": after["left"]}
