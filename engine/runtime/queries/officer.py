"""One officer as their colleagues above see them: posts, certificates, what is in hand, figures of a year, and every act on cases the reader may see."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, and_, case, func, select, tuple_

from engine.access.actors import Actor, holds_on
from engine.access.scope import restrict, scope_root
from engine.kernel.clock import SHANGHAI
from engine.runtime.organising.perform import READERS
from engine.runtime.queries.pages import Page, cut, decode
from engine.storage.tables.cases import case_file
from engine.storage.tables.organisation import person, post, unit
from engine.storage.tables.runtime import act, task

COUNTED = 10_000
LISTED = 20
SILENT = ("timer", "message", "service", "view")


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of one year. ``on_time`` is a percentage of the steps that had a due day, ``days`` the median from opening a case to its end; None without any."""

    year: int
    opened: int
    closed: int
    steps: int
    on_time: float | None
    days: float | None
    acts: int


def may_see_officer(connection: Connection, *, reader: Actor, person_id: UUID, on: date) -> bool:
    """Is this the reader's own page, is the reader one of the administrators, or above one of the officer's posts?"""
    if reader.person_id == person_id:
        return True
    exists = connection.scalar(select(select(person.c.id).where(person.c.id == person_id).exists()))
    if not exists:
        return False
    if READERS & reader.rights:
        return True
    root = scope_root(reader)
    if root is None:
        return False
    below = select(post.c.id).join(unit, unit.c.id == post.c.unit_id).where(post.c.person_id == person_id, holds_on(on), unit.c.path.startswith(root, autoescape=True))
    return bool(connection.scalar(select(below.exists())))


def in_hand(connection: Connection, *, reader: Actor, person_id: UUID, on: date) -> tuple[dict[str, int], list[Row[Any]]]:
    """({open, late, cases}, the open steps that the reader may see, the most urgent first): numbers count everything, the list is in the reader's scope."""
    mine = and_(task.c.assignee_id == person_id, task.c.status == "open")
    counts = connection.execute(select(
        func.count().label("open"), func.count().filter(task.c.due_on < on).label("late"),
        select(func.count()).select_from(case_file).where(case_file.c.handler_id == person_id, case_file.c.closed_at.is_(None), case_file.c.voided_at.is_(None)).scalar_subquery().label("cases"),
    ).select_from(task).where(mine)).one()
    statement = (
        select(task.c.case_id, task.c.title, task.c.due_on, task.c.opened_at, case_file.c.number, case_file.c.title.label("case_title"))
        .join(case_file, case_file.c.id == task.c.case_id).where(mine).order_by(task.c.due_on.nulls_last(), task.c.id).limit(LISTED)
    )
    return {"open": counts.open, "late": counts.late, "cases": counts.cases}, list(connection.execute(restrict(statement, reader, case_id=task.c.case_id)))


def figures(connection: Connection, *, person_id: UUID, year: int) -> Figures:
    """What an officer did in a calendar year (Shanghai), in three statements, each by an index on the person."""
    start, end = _edges(year)
    opened, closed, days = connection.execute(select(
        func.count().filter(case_file.c.created_at >= start, case_file.c.created_at < end),
        func.count().filter(case_file.c.closed_at >= start, case_file.c.closed_at < end),
        func.percentile_cont(0.5).within_group(func.extract("epoch", case_file.c.closed_at - case_file.c.created_at) / 86_400).filter(case_file.c.closed_at >= start, case_file.c.closed_at < end),
    ).where(case_file.c.handler_id == person_id, case_file.c.voided_at.is_(None))).one()
    done = task.c.ended_at.op("AT TIME ZONE")("Asia/Shanghai")
    steps, dated, kept = connection.execute(select(
        func.count(), func.count().filter(task.c.due_on.is_not(None)), func.count().filter(func.date(done) <= task.c.due_on),
    ).where(task.c.ended_by == person_id, task.c.status == "done", task.c.ended_at >= start, task.c.ended_at < end)).one()
    acts = connection.scalar(select(func.count()).select_from(_acts(person_id, start, end).limit(COUNTED + 1).subquery())) or 0
    return Figures(year=year, opened=opened, closed=closed, steps=steps, on_time=round(100 * kept / dated, 1) if dated else None, days=None if days is None else round(float(days), 1), acts=acts)


def _edges(year: int) -> tuple[datetime, datetime]:
    return datetime(year, 1, 1, tzinfo=SHANGHAI), datetime(year + 1, 1, 1, tzinfo=SHANGHAI)


def _acts(person_id: UUID, start: datetime | None, end: datetime | None) -> Select[Any]:
    statement = select(act.c.id).where(act.c.actor_id == person_id, ~act.c.automatic, act.c.kind.not_in(SILENT))
    statement = statement if start is None else statement.where(act.c.at >= start)
    return statement if end is None else statement.where(act.c.at < end)


def acts(
    connection: Connection, *, reader: Actor, person_id: UUID, first: date | None, last: date | None, after: str | None, before: int, size: int = 30,
) -> Page[Any]:
    """What the officer did on cases that the reader may see, the newest first: at, title, outcome, opinion, undone, case; one page by key."""
    start = None if first is None else datetime.combine(first, time(), SHANGHAI)
    end = None if last is None else datetime.combine(last + timedelta(days=1), time(), SHANGHAI)
    scoped = restrict(_acts(person_id, start, end), reader, case_id=act.c.case_id)
    total = connection.scalar(select(func.count()).select_from(scoped.limit(COUNTED + 1).subquery())) or 0
    wanted = scoped if after is None else scoped.where(tuple_(act.c.at, act.c.id) < _key(after))
    page = wanted.order_by(act.c.at.desc(), act.c.id.desc()).limit(size + 1).subquery()
    rows = list(connection.execute(
        select(
            act.c.id, act.c.at, act.c.kind, act.c.title, act.c.outcome_title, act.c.on_behalf_of, case((act.c.undone_by.is_not(None), True), else_=False).label("undone"),
            act.c.case_id, case_file.c.number, case_file.c.title.label("case_title"),
        ).join(page, page.c.id == act.c.id).outerjoin(case_file, case_file.c.id == act.c.case_id).order_by(act.c.at.desc(), act.c.id.desc())
    ))
    return cut(rows, size=size, before=before, total=total, key=lambda row: (row.at.isoformat(), row.id))


def _key(after: str) -> Any:
    at, id = decode(after, length=2)
    return tuple_(datetime.fromisoformat(str(at)), UUID(str(id)))
