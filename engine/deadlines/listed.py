"""Clocks one by one: those of cases that the reader may see, nearest due date first, by light, unit and name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Date, Select, Uuid, and_, case, func, literal, or_, select, tuple_

from engine.access.actors import Actor
from engine.access.scope import restrict
from engine.deadlines.board import ClockName
from engine.deadlines.clocks import LIVE
from engine.deadlines.models import load_models
from engine.deadlines.queries import Countdown, countdown, soon_in_force
from engine.reference import calendars
from engine.storage.tables.cases import case_clock, case_file
from engine.storage.tables.organisation import person, unit

COUNTED = 1_000


@dataclass(frozen=True, kw_only=True)
class ListedClock:
    """A clock with its case, whose it is, and how it reads today."""

    id: UUID
    title: str
    due_on: date | None
    told: Countdown
    case_id: UUID
    number: str | None
    case_title: str
    subject: str
    unit: str
    handler: str


def light_condition(light: str, *, names: Sequence[ClockName], on: date) -> Any:
    """The condition that a ``case_clock`` row has this light today; None for every live clock."""
    c = case_clock.c
    until = case({n.name: literal(n.soon_until, Date) for n in names}, value=func.split_part(c.clock, "/", 1), else_=literal(on + timedelta(days=1), Date)) if names else literal(on + timedelta(days=1), Date)
    running = c.state == "running"
    return {
        "late": and_(running, c.due_on < on), "soon": and_(running, c.due_on >= on, c.due_on <= until), "ok": and_(running, c.due_on > until, c.due_on >= on),
        "hold": c.state == "suspended",
    }.get(light)


def listed_clocks(
    connection: Connection, *, actor: Actor, on: date, names: Sequence[ClockName], light: str = "", clock: str = "", below: str = "", first: date | None = None,
    after: tuple[date, UUID] | None = None, size: int = 30,
) -> tuple[list[ListedClock], int]:
    """(a page and one more, how many up to a thousand). ``below`` is a unit's path, ``first`` a single due day. Two statements."""
    c = case_clock.c
    chosen = _narrowed(select(c.id, c.due_on).join(case_file, case_file.c.id == c.case_id), actor, on, names, light, clock, below, first)
    total = connection.scalar(select(func.count()).select_from(chosen.limit(COUNTED + 1).subquery())) or 0
    place = func.coalesce(c.due_on, literal(date.max, Date))
    if after:
        chosen = chosen.where(tuple_(place, c.id) > tuple_(literal(after[0], Date), literal(after[1], Uuid)))
    ids = chosen.order_by(place, c.id).limit(size + 1).subquery()
    rows = connection.execute(
        select(c.id, c.title, c.due_on, c.day_kind, c.state, c.clock, c.rule["soon"].astext.label("soon"), c.district_id, c.case_id, case_file.c.number,
               case_file.c.title.label("case_title"), case_file.c.subject, unit.c.short_name.label("unit"), person.c.name.label("handler"))
        .join(ids, ids.c.id == c.id).join(case_file, case_file.c.id == c.case_id).outerjoin(unit, unit.c.id == c.unit_id).outerjoin(person, person.c.id == case_file.c.handler_id)
        .order_by(place, c.id)
    ).mappings()
    models = load_models(connection)
    return [_listed(connection, row, on, soon_in_force(row["soon"], clock=row["clock"], models=models, on=on)) for row in rows], total


def _narrowed(statement: Select[Any], actor: Actor, on: date, names: Sequence[ClockName], light: str, clock: str, below: str, first: date | None) -> Select[Any]:
    c = case_clock.c
    statement = restrict(statement, actor).where(c.state.in_(LIVE))
    condition = light_condition(light, names=names, on=on)
    if condition is not None:
        statement = statement.where(condition)
    if clock:
        statement = statement.where(or_(c.clock == clock, c.clock.startswith(f"{clock}/", autoescape=True)))
    if below:
        statement = statement.where(c.unit_id.in_(select(unit.c.id).where(func.starts_with(unit.c.path, below))))
    return statement if first is None else statement.where(c.due_on == first, c.state == "running")


def _listed(connection: Connection, row: Mapping[Any, Any], on: date, soon: str) -> ListedClock:
    calendar = calendars.load(connection, district_id=row["district_id"])
    return ListedClock(
        id=row["id"], title=row["title"], due_on=row["due_on"], told=countdown(row["due_on"], on=on, unit=row["day_kind"], state=row["state"], calendar=calendar, soon=soon),
        case_id=row["case_id"], number=row["number"], case_title=row["case_title"], subject=row["subject"], unit=row["unit"] or "", handler=row["handler"] or "",
    )
