"""Lists of cases: filtered, by key, only what the reader may see."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, Uuid, and_, func, literal, select, tuple_

from engine.access.actors import Actor
from engine.access.scope import first_cases, visible_cases
from engine.deadlines.board import clock_names
from engine.deadlines.listed import light_condition
from engine.registers.conditions import Condition, clause_of
from engine.runtime.queries.pages import EXACT_LIMIT, Option, Page, cut, decode
from engine.storage.tables.cases import case_clock, case_file
from engine.storage.tables.organisation import person, unit
from engine.storage.tables.runtime import task

STATES = ("open", "closed", "all")


@dataclass(frozen=True, kw_only=True)
class Filters:
    """``state`` is open, closed or all; ``kind`` <pack>.<kind>; ``unit`` a unit's id; ``light`` that of one of its clocks (late, soon, ok, hold).

    ``where`` is an advanced condition over ``case_conditions.CASES``.
    """

    state: str = "open"
    kind: str = ""
    unit: UUID | None = None
    light: str = ""
    where: Condition | None = None


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One case of a list with the step that is open now and who holds it."""

    id: UUID
    number: str | None
    title: str
    subject: str
    address: str
    kind: str
    state_title: str
    closed: bool
    unit: str
    handler: str
    step: str
    holder: str
    updated_at: datetime


def listed(
    connection: Connection, *, actor: Actor, filters: Filters, size: int = 30, after: str | None = None, before: int = 0, on: date | None = None,
) -> Page[Listed]:
    """One page, last changed first. Two statements; a filter by light needs the day ``on`` and one more."""
    c = case_file.c
    chosen = _narrow(select(c.id, c.updated_at), filters)
    if filters.light and on is not None:
        lit = light_condition(filters.light, names=clock_names(connection, on=on), on=on)
        chosen = chosen.where(c.id.in_(select(case_clock.c.case_id).where(lit)))
    counted = connection.scalar(select(func.count()).select_from(first_cases(chosen, actor, limit=EXACT_LIMIT + 1, newest=False).subquery())) or 0
    if after:
        at, id = decode(after, length=2)
        place = tuple_(literal(datetime.fromisoformat(str(at))), literal(UUID(str(id)), Uuid))
        chosen = chosen.where(tuple_(c.updated_at, c.id) < place)
    ids = first_cases(chosen, actor, limit=size + 1).subquery()
    rows = [_listed(row) for row in connection.execute(_rows(ids)).mappings()]
    return cut(rows, size=size, before=before, total=counted, key=lambda row: (row.updated_at.isoformat(), row.id))


def _narrow(statement: Select[Any], filters: Filters) -> Select[Any]:
    c = case_file.c
    if filters.state != "all":
        open_ = and_(c.closed_at.is_(None), c.voided_at.is_(None))
        statement = statement.where(open_ if filters.state == "open" else c.closed_at.is_not(None))
    if filters.kind:
        statement = statement.where(c.kind == filters.kind)
    if filters.unit:
        statement = statement.where(c.unit_id == filters.unit)
    if filters.where is not None:
        statement = statement.where(clause_of(filters.where, case_file))
    return statement


def _rows(ids: Any) -> Select[Any]:
    c, handler, holder = case_file.c, person.alias("handler"), person.alias("holder")
    step = (
        select(task.c.title, task.c.assignee_id, task.c.role_title).where(task.c.case_id == c.id, task.c.status == "open")
        .order_by(task.c.opened_at).limit(1).lateral("step")
    )
    return (
        select(
            c.id, c.number, c.title, c.subject, c.address, c.kind, c.state_title, c.closed_at, c.updated_at, unit.c.short_name.label("unit"),
            handler.c.name.label("handler"), step.c.title.label("step"), step.c.role_title, holder.c.name.label("holder"),
        )
        .select_from(
            ids.join(case_file, c.id == ids.c.id).join(unit, unit.c.id == c.unit_id).outerjoin(handler, handler.c.id == c.handler_id)
            .outerjoin(step, literal(True)).outerjoin(holder, holder.c.id == step.c.assignee_id)
        )
        .order_by(c.updated_at.desc(), c.id.desc())
    )


def _listed(row: Any) -> Listed:
    waiting = f"{row['role_title']}待认领" if row["role_title"] else "待认领"
    return Listed(
        id=row["id"], number=row["number"], title=row["title"], subject=row["subject"], address=row["address"], kind=row["kind"],
        state_title=row["state_title"], closed=row["closed_at"] is not None, unit=row["unit"], handler=row["handler"] or "", step=row["step"] or "",
        holder=(row["holder"] or waiting) if row["step"] else "", updated_at=row["updated_at"],
    )


def by_ids(connection: Connection, *, ids: Sequence[UUID]) -> list[Listed]:
    """The cases with these ids, last changed first. Rights are the caller's affair."""
    if not ids:
        return []
    chosen = select(case_file.c.id).where(case_file.c.id.in_(ids)).subquery()
    return [_listed(row) for row in connection.execute(_rows(chosen)).mappings()]


def units(connection: Connection, *, actor: Actor) -> list[Option]:
    """Units that have cases the reader may see, with their count up to the limit of exact counting. One statement."""
    seen = select(case_file.c.unit_id).limit(EXACT_LIMIT)
    if not actor.sees_everything:
        seen = seen.where(case_file.c.id.in_(visible_cases(actor)))
    counted = seen.subquery()
    rows = connection.execute(
        select(unit.c.id, unit.c.short_name, func.count()).join(counted, counted.c.unit_id == unit.c.id)
        .group_by(unit.c.id, unit.c.short_name, unit.c.path).order_by(unit.c.path)
    )
    return [Option(value=str(id), title=name, count=count) for id, name, count in rows]
