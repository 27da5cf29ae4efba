"""Outlines of districts and streets brought in by an administrator: a newer file takes the place of what it names, what was stays on record."""
from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, update

from engine.access import audit
from engine.access.actors import Actor
from engine.kernel.datums import DATUMS
from engine.kernel.errors import Invalid
from engine.kernel.ids import new_id
from engine.reference.boundaries import LEVELS, read_boundaries
from engine.runtime.application import Application
from engine.runtime.queries.areas import districts_of
from engine.storage.tables.boundaries import boundary

ADMIN = "admin"


def import_boundaries(app: Application, *, actor: Actor, level: str, data: bytes, datum: str, source: str, at: datetime) -> tuple[int, int]:
    """(areas that came, districts they lie in). All outlines of that level in those districts are replaced. Raises Forbidden, Invalid."""
    actor.require(ADMIN)
    if datum not in DATUMS:
        raise Invalid("请从列出的坐标系里选。", fields={"datum": "请从列出的坐标系里选。"})
    if not source.strip():
        raise Invalid("请写明边界数据的来源和时间。", fields={"source": "写明谁提供的、什么时候的。"})
    with app.db.connect() as connection:
        districts = districts_of(connection)
    found = read_boundaries(data, level=level, datum=datum, districts=districts)
    touched = sorted({one.district for one in found})
    rows = [
        {"id": new_id(), "level": level, "code": one.code, "name": one.name, "district": one.district, "units": list(one.units), "outline": dict(one.outline), "source": source.strip()[:200],
         "by_id": actor.person_id, "by_name": actor.name, "at": at}
        for one in found
    ]
    b = boundary.c
    with app.db.begin() as connection:
        connection.execute(select(b.id).where(b.level == level, b.until.is_(None)).with_for_update())
        connection.execute(update(boundary).where(b.level == level, b.until.is_(None), b.district.in_(touched)).values(until=at))
        connection.execute(insert(boundary), rows)
        audit.note(
            connection, actor=actor, at=at, action="boundary.import", object=level,
            detail={"areas": len(rows), "districts": touched, "source": source.strip()[:200]},
        )
    return len(rows), len(touched)


def end_boundaries(app: Application, *, actor: Actor, level: str, district: str, at: datetime) -> int:
    """Take the outlines of one district out of use; how many there were."""
    actor.require(ADMIN)
    if level not in LEVELS:
        raise Invalid("请选这是区界还是街镇界。")
    b = boundary.c
    with app.db.begin() as connection:
        ended = connection.execute(update(boundary).where(b.level == level, b.until.is_(None), b.district == district).values(until=at)).rowcount
        audit.note(
            connection, actor=actor, at=at, action="boundary.end", object=f"{level}:{district}", detail={"areas": ended},
        )
    return ended
