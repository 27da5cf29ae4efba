"""Areas of the map: outlines that are in use, and which units lie in which district or street."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from engine.reference.boundaries import Boundary, street_of
from engine.reporting.statistics.areas import Areas
from engine.storage.tables.boundaries import boundary
from engine.storage.tables.organisation import unit

_DISTRICT = unit.alias("district")
"""The bureau of the district that a unit belongs to: its area counts, whatever the unit below says of its own."""


def districts_of(connection: Connection) -> dict[str, str]:
    """{code: name} of the districts that have a bureau, as the outlines call them, else as the bureaus' names begin."""
    rows = connection.execute(select(unit.c.area_code, func.min(unit.c.name)).where(unit.c.kind == "district_bureau").group_by(unit.c.area_code).order_by(unit.c.area_code)).all()
    return {code: _district_name(name) for code, name in rows}


def _district_name(name: str) -> str:
    bare = name.split("市", 1)[1] if "市" in name[:4] else name
    return bare[: bare.index("区") + 1] if "区" in bare else bare


def boundaries(connection: Connection, *, level: str, district: str = "") -> list[Boundary]:
    """Outlines in use, by code; of one district with ``district``."""
    b = boundary.c
    wanted = select(boundary).where(b.level == level, b.until.is_(None)).order_by(b.code)
    rows = connection.execute(wanted.where(b.district == district) if district else wanted).mappings()
    return [Boundary(level=row["level"], code=row["code"], name=row["name"], district=row["district"], units=tuple(row["units"]), outline=row["outline"]) for row in rows]


def has_boundaries(connection: Connection, *, level: str) -> bool:
    """Whether any outline of ``level`` is in use."""
    b = boundary.c
    return connection.scalar(select(b.id).where(b.level == level, b.until.is_(None)).limit(1)) is not None


def has_streets(connection: Connection) -> list[str]:
    """Codes of the districts whose streets have outlines."""
    b = boundary.c
    return list(connection.scalars(select(b.district).where(b.level == "street", b.until.is_(None)).group_by(b.district).order_by(b.district)))


def district_areas(connection: Connection) -> Areas:
    """Every district with the units at and below its bureaus. Two statements."""
    rows = connection.execute(select(unit.c.id, _DISTRICT.c.area_code).join(_DISTRICT, _DISTRICT.c.id == unit.c.district_id)).all()
    titles = districts_of(connection)
    held: dict[str, list[UUID]] = {code: [] for code in titles}
    for id, code in rows:
        if code in held:
            held[code].append(id)
    return Areas(level="district", titles=titles, units=held, districts={code: code for code in titles})


def street_areas(connection: Connection, *, district: str = "") -> Areas:
    """Every street that has an outline with the units that are called after it. Two statements, and outlines are not read."""
    b = boundary.c
    wanted = select(b.code, b.name, b.district, b.units).where(b.level == "street", b.until.is_(None)).order_by(b.code)
    rows = connection.execute(wanted.where(b.district == district) if district else wanted).all()
    by_district: dict[str, list[Boundary]] = {}
    for row in rows:
        by_district.setdefault(row.district, []).append(Boundary(level="street", code=row.code, name=row.name, district=row.district, units=tuple(row.units), outline={}))
    held: dict[str, list[UUID]] = {row.code: [] for row in rows}
    for one in _units(connection, list(by_district)):
        street = street_of(one.code, one.short_name, by_district[one.area_code])
        if street is not None:
            held[street.code].append(one.id)
    return Areas(level="street", titles={row.code: row.name for row in rows}, units=held, districts={row.code: row.district for row in rows})


def _units(connection: Connection, districts: Sequence[str]) -> Sequence[Any]:
    below = select(unit.c.id, unit.c.code, unit.c.short_name, _DISTRICT.c.area_code).join(_DISTRICT, _DISTRICT.c.id == unit.c.district_id)
    return connection.execute(below.where(_DISTRICT.c.area_code.in_(districts))).all()


def kept(connection: Connection) -> list[Mapping[str, Any]]:
    """The outlines in use by level and district: how many, whose data, since when; streets with how many units each has."""
    b = boundary.c
    rows = connection.execute(
        select(b.level, b.district, func.count().label("count"), func.max(b.source).label("source"), func.max(b.by_name).label("by_name"), func.max(b.at).label("at"))
        .where(b.until.is_(None)).group_by(b.level, b.district).order_by(b.level, b.district)
    ).mappings().all()
    areas, names = street_areas(connection), districts_of(connection)
    short = {row["district"]: [areas.titles[code] for code, ids in areas.units.items() if not ids and areas.districts[code] == row["district"]] for row in rows if row["level"] == "street"}
    return [{**row, "title": names.get(row["district"], row["district"]), "without": short.get(row["district"], []) if row["level"] == "street" else []} for row in rows]
