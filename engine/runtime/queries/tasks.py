"""One task as a program reads it: where it stands, whether it is the reader's."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from engine.access.actors import Actor
from engine.access.scope import may_see_case
from engine.kernel.errors import NotFound
from engine.runtime.queries import case_page

Row = dict[str, Any]
NO_TASK = "没有这项任务，或者您无权查看。"


def place(connection: Connection, *, actor: Actor, task_id: UUID) -> Row:
    """case_id, status, title, ended_by, ended_at; raises NotFound in the same words for no task and for one of an unseen case."""
    try:
        found = case_page.task_place(connection, task_id=task_id)
    except NotFound:
        raise NotFound(NO_TASK) from None
    if not may_see_case(connection, actor, found["case_id"]):
        raise NotFound(NO_TASK)
    return {"id": task_id, **found}


def open_task(connection: Connection, *, actor: Actor, case_id: UUID, task_id: UUID) -> Row | None:
    """The row of an open step of a case that the reader may see; None when it is no longer open. One statement."""
    return next((row for row in case_page.open_steps(connection, actor=actor, case_id=case_id) if row["id"] == task_id), None)
