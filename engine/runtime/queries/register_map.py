"""Records on a map: those inside the view, or how many lie where; figures by district. Never more than the map can show is read."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Float, Select, Table, cast, func, literal, literal_column, select, union_all

from engine.access.actors import Actor
from engine.registers.declaration import Field, Register
from engine.registers.filters import Asked, narrow
from engine.registers.placed import distance_of, place_clause
from engine.registers.scope import visible
from engine.registers.tables import box_of
from engine.reporting.statistics.areas import Areas
from engine.reporting.statistics.ranges import equal_ends, rank_of
from engine.runtime.queries.areas import district_areas, has_streets, street_areas
from engine.runtime.queries.registers import Record, by_ids
from engine.storage.geometry import Point

MOST_SHOWN, MOST_CORNERS = 400, 120
ACROSS, UP, MOST_COUNTED = 8, 6, 200
EDGE = 1e-8
MOST_MEASURED, MARGIN = 10_000, 0.002
"""The grid of a full view (fields don't share their edges), and how far each of its fields is counted."""


@dataclass(frozen=True, kw_only=True)
class Heap:
    """Records of one field of the grid: ``count`` up to MOST_COUNTED, ``more`` when there are more; where, and the field's box."""

    lon: float
    lat: float
    count: int
    more: bool
    box: str


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Either every record in the view, or heaps of them."""

    records: Sequence[Record]
    heaps: Sequence[Heap]


def in_view(connection: Connection, *, actor: Actor, register: Register, table: Table, asked: Asked, field: Field, box: str) -> Shown:
    """What lies in ``box`` ("西,南,东,北"): at most MOST_SHOWN records, else a grid of heaps. Three to six statements."""
    chosen = narrow(visible(register, table, actor, table.c.id), register, table, asked).where(place_clause(field, table, "box", (box,)))
    ids = list(connection.scalars(chosen.limit(MOST_SHOWN + 1)))
    if len(ids) <= MOST_SHOWN:
        return Shown(records=by_ids(connection, register=register, table=table, ids=ids), heaps=[])
    return Shown(records=[], heaps=_heaps(connection, actor, register, table, asked, field, box))


def extent_of(connection: Connection, *, actor: Actor, register: Register, table: Table, asked: Asked, field: Field) -> list[float] | None:
    """West, south, east, north of the points of a short list, with a margin; None without points and for outlines. One statement."""
    if field.type != "point":
        return None
    chosen = narrow(visible(register, table, actor, table.c[field.name].label("place")), register, table, asked).where(table.c[field.name].is_not(None)).limit(MOST_MEASURED).subquery("lying")
    x, y = literal_column("lying.place[0]", Float()), literal_column("lying.place[1]", Float())
    west, south, east, north = connection.execute(select(func.min(x), func.min(y), func.max(x), func.max(y)).select_from(chosen)).one()
    return None if west is None else [west - MARGIN, south - MARGIN, east + MARGIN, north + MARGIN]


def _heaps(connection: Connection, actor: Actor, register: Register, table: Table, asked: Asked, field: Field, box: str) -> list[Heap]:
    west, south, east, north = (float(part) for part in box.split(","))
    wide, high = (east - west) / ACROSS, (north - south) / UP
    boxes = [(west + x * wide, south + y * high, west + (x + 1) * wide - EDGE * (x + 1 < ACROSS), south + (y + 1) * high - EDGE * (y + 1 < UP)) for x in range(ACROSS) for y in range(UP)]
    parts = [_heap(actor, register, table, asked, field, place, ",".join(f"{end!r}" for end in ends)) for place, ends in enumerate(boxes)]
    rows = connection.execute(union_all(*parts)).all()
    return [
        Heap(lon=row.lon, lat=row.lat, count=min(row.many, MOST_COUNTED), more=row.many > MOST_COUNTED, box=",".join(f"{end:.6f}" for end in boxes[row.place]))
        for row in rows if row.many
    ]


def _heap(actor: Actor, register: Register, table: Table, asked: Asked, field: Field, place: int, box: str) -> Select[Any]:
    centre: Any = cast(table.c[field.name], Point()) if field.type == "point" else func.center(box_of(field, table), type_=Point())
    inside = narrow(visible(register, table, actor, centre.label("at")), register, table, asked).where(place_clause(field, table, "box", (box,)))
    few = inside.limit(MOST_COUNTED + 1).subquery(f"heap_{place}")
    at = few.c.at
    return select(literal(place).label("place"), func.count().label("many"), func.avg(_end(at, 0)).label("lon"), func.avg(_end(at, 1)).label("lat")).select_from(few)


def _end(at: ColumnElement[Any], place: int) -> ColumnElement[float]:
    """The longitude (0) or latitude (1) of a point."""
    return literal_column(f"({at.table.name}.at)[{place}]", Float())


def nearest(connection: Connection, *, actor: Actor, register: Register, table: Table, asked: Asked, field: Field, lon: float, lat: float, most: int = 20) -> list[tuple[UUID, float]]:
    """(id, metres) of the records closest to a place, by walking the index."""
    far = distance_of(field, table, lon, lat)
    rows = narrow(visible(register, table, actor, table.c.id, far.label("far")), register, table, asked).where(table.c[field.name].is_not(None)).order_by(far).limit(most)
    return [(row.id, float(row.far)) for row in connection.execute(rows)]


@dataclass(frozen=True, kw_only=True)
class Area:
    """One district's or street's figure. ``rank`` is the range it falls into, from 0; None without a figure."""

    code: str
    title: str
    value: Decimal | None
    rank: int | None = None


@dataclass(frozen=True, kw_only=True)
class ByArea:
    """Figures by area, largest first, and the upper ends of their ranges; ``level`` district, or street where ``district`` is the only one and its streets have outlines."""

    areas: Sequence[Area]
    ends: Sequence[Decimal]
    level: str
    district: str = ""


def by_area(connection: Connection, *, actor: Actor, register: Register, table: Table, asked: Asked, over: str, of: Field | None, ranges: int) -> ByArea:
    """``over``: count, sum or avg of ``of``. Three statements, six where streets are shown."""
    def figures(areas: Areas) -> dict[str, Decimal]:
        lying = areas.lookup()
        value = func.count() if of is None else (func.sum if over == "sum" else func.avg)(table.c[of.name])
        chosen = visible(register, table, actor, lying.c.area, value.label("value")).join_from(table, lying, lying.c.unit_id == table.c.unit_id)
        rows = connection.execute(narrow(chosen, register, table, asked).group_by(lying.c.area)).all()
        return {row.area: round(Decimal(row.value), 2) for row in rows if row.value is not None}

    areas = district_areas(connection)
    found, level, district = figures(areas), "district", ""
    alone = next(iter(found)) if len(found) == 1 else ""
    if alone in has_streets(connection):
        areas, level, district = street_areas(connection, district=alone), "street", alone
        found = figures(areas)
    ends = equal_ends(list(found.values()), ranges)
    shown = [Area(code=code, title=areas.titles[code], value=value, rank=rank_of(value, ends)) for code, value in found.items()]
    return ByArea(areas=sorted(shown, key=lambda area: -(area.value or 0)), ends=ends, level=level, district=district)


def small_shape(record: Record, fields: Sequence[Field]) -> Mapping[str, Any] | None:
    """What a small map beside the record draws, as GeoJSON: the outline while it is short, else a point; None where it lies nowhere."""
    found = geometry(record, fields)
    shape = found.get("shape")
    if shape and sum(len(ring) for part in (shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]) for ring in part) <= MOST_CORNERS:
        return dict(shape)
    return {"type": "Point", "coordinates": found["point"]} if "point" in found else None


def geometry(record: Record, fields: Sequence[Field]) -> Mapping[str, Any]:
    """``{"point"?, "shape"?}`` of a record for the map."""
    found: dict[str, Any] = {}
    for one in fields:
        value = record.values.get(one.name)
        if value and one.type == "point" and "point" not in found:
            found["point"] = [value["lon"], value["lat"]]
        elif value and one.type == "outline" and "shape" not in found:
            found["shape"] = {"type": value["type"], "coordinates": value["coordinates"]}
            west, south, east, north = value["bbox"]
            found.setdefault("centre", [(west + east) / 2, (south + north) / 2])
    if "point" not in found and "centre" in found:
        found["point"] = found["centre"]
    return found
