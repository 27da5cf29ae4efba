"""Who finished each step and each role of an instance last: whoever did a step before gets it again.

``instance.people`` holds ``{"nodes": {"scope/node": person}, "roles": {role: person}}``. Every act that closes a step keeps
it, so that the hundredth round of a loop costs what the first did. It is null where an act took steps back, on ended
instances and in rows older than it: then the task rows say it, and the next act writes it again.
"""
from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from engine.runtime.work import Row, Work
from engine.storage.tables.runtime import instance, task

DONE = task.alias("done")


def columns(instance_id: Any) -> list[ColumnElement[Any]]:
    """{scope/node: person} and {role: person} from the task rows, for an instance that doesn't hold them; null for the others."""
    return [_latest(instance_id, DONE.c.scope + "/" + DONE.c.node, "x_done_by"), _latest(instance_id, DONE.c.role, "x_done_roles")]


def _latest(instance_id: Any, name: Any, label: str) -> ColumnElement[Any]:
    pair = func.jsonb_object_agg(name, aggregate_order_by(func.coalesce(DONE.c.ended_for, DONE.c.ended_by), DONE.c.ended_at))
    found = select(pair).where(DONE.c.instance_id == instance_id, DONE.c.status == "done", DONE.c.ended_by.is_not(None)).scalar_subquery()
    return case((instance.c.people.is_(None), found)).label(label)


def take_in(instance_row: Row, nodes: dict[str, str] | None, roles: dict[str, str] | None) -> None:
    """Give a locked row ``people``, and ``done_by`` and ``done_roles`` as ids; ``nodes`` and ``roles`` come from ``columns``."""
    kept = instance_row["people"] or {"nodes": nodes or {}, "roles": roles or {}}
    instance_row["people"] = kept
    instance_row["done_by"], instance_row["done_roles"] = ({name: UUID(by) for name, by in kept[part].items()} for part in ("nodes", "roles"))


def keep(work: Work, person_id: UUID) -> None:
    """``person_id`` has just finished the step of ``work``."""
    people = work.instance.get("people")
    if people is not None and work.task is not None:
        people["nodes"][f"{work.task['scope']}/{work.task['node']}"] = str(person_id)
        people["roles"][work.task["role"]] = str(person_id)


def forget(work: Work) -> None:
    """Steps are open again that were finished."""
    work.instance["people"] = None
