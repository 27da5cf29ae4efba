"""A change of the calendar in the making: kept until it is applied or thrown away, whoever goes home meanwhile."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access import audit
from engine.access.actors import Actor
from engine.kernel.errors import AlreadyDone, Conflict, Invalid, NotFound, StaleRevision
from engine.kernel.ids import new_id
from engine.reference.calendars import REGION, region_of
from engine.reference.year_paper import Entry, checked
from engine.runtime.application import Application
from engine.storage.tables.clocks import calendar_change, calendar_shift
from engine.storage.tables.organisation import unit

EDITABLE = ("draft", "previewed", "failed")
UNDER_WAY = ("previewing", "applying", "undoing")


def draft_change(app: Application, *, actor: Actor, district_id: UUID | None, title: str, source: str, days: Sequence[Entry], at: datetime) -> UUID:
    """A new draft for the city, or for one district. Raises Forbidden, Invalid, NotFound for a unit that is no district."""
    actor.require("admin")
    values = _values(title, source, days)
    id = new_id()
    with app.db.begin() as connection:
        if district_id is not None and connection.scalar(select(unit.c.id).where(unit.c.id == district_id, unit.c.district_id == district_id)) is None:
            raise NotFound("没有这个区。")
        connection.execute(insert(calendar_change).values(
            id=id, region=region_of(district_id), state="draft", by_id=actor.person_id, by_name=actor.name, at=at, updated_at=at, **values,
        ))
        audit.note(connection, actor=actor, at=at, action="calendar.draft", object=str(id), detail={"title": title, "days": len(days)})
    return id


def edit_change(app: Application, *, actor: Actor, change_id: UUID, title: str, source: str, days: Sequence[Entry], rev: int, at: datetime) -> None:
    """Put other days into a draft; what its preview had found no longer counts. Raises StaleRevision, AlreadyDone."""
    actor.require("admin")
    values = _values(title, source, days)
    with app.db.begin() as connection:
        row = change_of(connection, change_id=change_id, lock=True)
        if row["state"] not in EDITABLE:
            raise AlreadyDone("这次调整正在处理或已经生效，不能再改。")
        if row["rev"] != rev:
            raise StaleRevision("这次调整刚被别人改过，请刷新后再改。")
        connection.execute(delete(calendar_shift).where(calendar_shift.c.change_id == change_id))
        connection.execute(_set(change_id, state="draft", rev=rev + 1, updated_at=at, note="", total=0, done=0, shifted=0, **values))


def drop_change(app: Application, *, actor: Actor, change_id: UUID, at: datetime) -> None:
    """Throw a draft away. Raises AlreadyDone once it has been applied."""
    actor.require("admin")
    with app.db.begin() as connection:
        if change_of(connection, change_id=change_id, lock=True)["state"] not in EDITABLE:
            raise AlreadyDone("这次调整正在处理或已经生效，不能丢弃。")
        connection.execute(delete(calendar_shift).where(calendar_shift.c.change_id == change_id))
        connection.execute(delete(calendar_change).where(calendar_change.c.id == change_id))
        audit.note(connection, actor=actor, at=at, action="calendar.drop", object=str(change_id))


def _values(title: str, source: str, days: Sequence[Entry]) -> dict[str, Any]:
    if not title.strip():
        raise Invalid("请写明这次调整的名称。", fields={"title": "例如：2027 年放假安排。"})
    if not source.strip():
        raise Invalid("请写明依据。", fields={"source": "请写明节假日安排的文号或文件名称。"})
    return {"title": title.strip()[:100], "source": source.strip()[:200], "days": [[day.isoformat(), working, name] for day, working, name in checked(list(days))]}


def change_of(connection: Connection, *, change_id: UUID, lock: bool = False) -> RowMapping:
    """The row; raises NotFound."""
    statement = select(calendar_change).where(calendar_change.c.id == change_id)
    row = connection.execute(statement.with_for_update() if lock else statement).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这次日历调整，可能已经丢弃。")
    return row


def entries_of(row: RowMapping, column: str = "days") -> list[Entry]:
    """The days of a change as read."""
    return [(date.fromisoformat(day), working, title) for day, working, title in row[column]]


def district_of(row: RowMapping) -> UUID | None:
    """The district a change is for, None for the whole city."""
    return None if row["region"] == REGION else UUID(row["region"].split(":", 1)[1])


def require_idle(connection: Connection, change_id: UUID) -> None:
    """Raise Conflict while another change is being applied: two at once could overtake each other."""
    c = calendar_change.c
    if connection.scalar(select(c.id).where(c.id != change_id, c.state.in_(["applying", "undoing"])).limit(1)):
        raise Conflict("另一次日历调整正在生效，请等它结束。")


def _set(change_id: UUID, **values: Any) -> Any:
    return update(calendar_change).where(calendar_change.c.id == change_id).values(**values)
