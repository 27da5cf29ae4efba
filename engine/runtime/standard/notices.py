"""Telling people."""
from __future__ import annotations

from uuid import UUID

from sqlalchemy import or_, select, tuple_

from engine.access.assignment import candidates
from engine.kernel.ids import new_id
from engine.kernel.names import pack_of, qualify
from engine.runtime.handlers import service_task
from engine.runtime.task_context import TaskContext
from engine.storage.tables.organisation import person, post


@service_task(title="发通知", mode="inline")
def notify(context: TaskContext, *, text: str, role: str = "", person: str = "", unit: str = "", units: list[str] | None = None) -> dict[str, int]:
    """Put ``text`` into the notices of one ``person`` (id), or of everybody who holds ``role`` for this case. Result: ``count``.

    With ``unit`` (id) the role is looked up there, as ``gc:unit`` does for a step; with ``units`` in each of them. When the role is the case's 承办人 and somebody has become it, only that person is told.
    """
    people = [UUID(person)] if person else [id for one in units or [unit] for id in _holders(context, qualify(role, pack_of(context.process)), one)]
    for id in dict.fromkeys(people):
        context.work.notices.append({
            "id": new_id(), "person_id": id, "kind": "case", "text": f"{context.case['title']}：{text}", "link": f"/cases/{context.case_id}",
            "case_id": context.case_id, "task_id": None, "at": context.at,
        })
    return {"count": len(set(people))}


def _holders(context: TaskContext, role: str, unit: str) -> list[UUID]:
    handler = context.app.catalogue.kind(context.case["kind"]).handler
    if handler == role and not unit and context.case["handler_id"] is not None:
        return [context.case["handler_id"]]
    pairs = candidates(context.connection, role=role, case_unit_id=context.case["unit_id"], on=context.today, unit_id=UUID(unit) if unit else None)
    if not pairs:
        return []
    query = (
        select(person.c.id).distinct().join(post, post.c.person_id == person.c.id)
        .where(tuple_(post.c.unit_id, post.c.code).in_(pairs), person.c.active, post.c.valid_from <= context.today,
               or_(post.c.valid_until.is_(None), post.c.valid_until >= context.today))
    )
    return list(context.connection.scalars(query))
