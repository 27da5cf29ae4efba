"""Who is meant by handler, holder, office_head, superior or a role on the case of a clock."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select, union

from engine.access import assignment
from engine.access.actors import LEADER_POSTS, holds_on
from engine.kernel.names import pack_of, qualify
from engine.storage.tables.organisation import person, post, unit
from engine.storage.tables.runtime import task, task_candidate


def people_of(connection: Connection, *, case: Mapping[Any, Any], names: Iterable[str], clock: str, on: date) -> list[UUID]:
    """Person ids of all ``names`` on ``on``, each once, only those on duty."""
    found: dict[UUID, None] = {}
    for name in names:
        found |= dict.fromkeys(_of(connection, case, name, clock, on))
    return [*found]


def _of(connection: Connection, case: Mapping[Any, Any], name: str, clock: str, on: date) -> list[UUID]:
    if name == "handler":
        return _active(connection, case["handler_id"])
    if name == "holder":
        return _holders(connection, case["id"], on)
    if name == "office_head":
        return _heads(connection, case["unit_id"], on)
    if name == "superior":
        above = connection.scalar(select(unit.c.parent_id).where(unit.c.id == case["unit_id"]))
        return _heads(connection, above, on) if above else []
    pool = assignment.pool(connection, role=qualify(name, pack_of(clock)), case_unit_id=case["unit_id"], on=on)
    return [id for id, _ in pool.people]


def _active(connection: Connection, person_id: UUID | None) -> list[UUID]:
    return [*connection.scalars(select(person.c.id).where(person.c.id == person_id, person.c.active))] if person_id else []


def _holders(connection: Connection, case_id: UUID, on: date) -> list[UUID]:
    return _holding(connection, task.c.case_id == case_id, on)


def holders_of_task(connection: Connection, *, task_id: UUID, on: date) -> list[UUID]:
    """Whoever has the open step in hand, else everybody in its pool who is on duty."""
    return _holding(connection, task.c.id == task_id, on)


def _holding(connection: Connection, which: ColumnElement[bool], on: date) -> list[UUID]:
    open_ = which & (task.c.status == "open")
    mine = select(task.c.assignee_id).where(open_, task.c.assignee_id.is_not(None))
    pool = task_candidate.join(task, task.c.id == task_candidate.c.task_id).join(post, (post.c.unit_id == task_candidate.c.unit_id) & (post.c.code == task_candidate.c.post))
    others = select(post.c.person_id).select_from(pool).where(open_, task.c.assignee_id.is_(None), task_candidate.c.open, holds_on(on))
    return [*connection.scalars(select(person.c.id).where(person.c.active, person.c.id.in_(union(mine, others))))]


def _heads(connection: Connection, unit_id: UUID, on: date) -> list[UUID]:
    heads = select(person.c.id).join(post, post.c.person_id == person.c.id).where(
        post.c.unit_id == unit_id, post.c.code.in_(sorted(LEADER_POSTS)), holds_on(on), person.c.active,
    )
    return [*connection.scalars(heads)]
