"""Conditions on points and outlines: within a distance of a place, inside a polygon, inside the box of a map."""
from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Float, Table, and_, cast, literal
from sqlalchemy.types import UserDefinedType

from engine.kernel.datums import to_metres
from engine.kernel.errors import Invalid
from engine.reference.places import read_place
from engine.registers.declaration import Field
from engine.registers.tables import box_of, metres_of
from engine.storage.geometry import Point

FARTHEST = 20_000.0
"""Metres: a wider circle is a district, and the list narrows by district."""
METRES_A_DEGREE = 111_320.0


class _Shape(UserDefinedType[str]):
    """A literal of one of PostgreSQL's plane shapes."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **kw: object) -> str:
        return self.name


def check_place_values(field: Field, verb: str, values: Sequence[str]) -> tuple[str, ...]:
    """The condition's values, tidied. ``near``: ``"经度,纬度,米"``; ``inside``: 3 or more ``"经度,纬度"``; ``box``: ``"西,南,东,北"``. Raises Invalid."""
    if verb == "near":
        place, _, far = values[0].replace("，", ",").rpartition(",")
        return (f"{_place(place)},{_metres(far)}",)
    if verb == "inside":
        if len(values) < 3:
            raise _wrong(f"“{field.title}”的范围至少要三个顶点。")
        return tuple(_place(value) for value in values)
    ends = values[0].split(",")
    if len(ends) != 4:
        raise _wrong("图幅写成“西,南,东,北”四个数。")
    low, high = _place(f"{ends[0]},{ends[1]}"), _place(f"{ends[2]},{ends[3]}")
    return (f"{low},{high}",)


def _place(text: str) -> str:
    place = read_place(text)
    return f"{place['lon']!r},{place['lat']!r}"


def _metres(text: str) -> str:
    try:
        far = float(text)
    except ValueError:
        raise _wrong("距离写成米数，如 500。") from None
    if not 0 < far <= FARTHEST:
        raise _wrong(f"距离要大于 0、不超过 {FARTHEST:.0f} 米；再大请按区、单位筛选。")
    return f"{far:g}"


def _wrong(message: str) -> Invalid:
    return Invalid(message, code="bad_condition")


def place_clause(field: Field, table: Table, verb: str, values: Sequence[str]) -> ColumnElement[bool]:
    """The condition as SQL that the field's GiST index answers. Outlines are judged by the box around them."""
    if field.type == "outline":
        return box_of(field, table).op("&&", is_comparison=True)(_shape("box", _box_around(verb, values)))
    held = metres_of(field, table)
    if verb == "near":
        lon, lat, far = (float(part) for part in values[0].split(","))
        east, north = to_metres(lon, lat)
        return held.op("<@", is_comparison=True)(_shape("circle", f"<({east!r},{north!r}),{far!r}>"))
    if verb == "inside":
        return held.op("<@", is_comparison=True)(_shape("polygon", _polygon([to_metres(*_pair(value)) for value in values])))
    west, south, east, north = (float(part) for part in values[0].split(","))
    corners = [to_metres(x, y) for x in (west, (west + east) / 2, east) for y in (south, north)]
    wide = f"({max(x for x, _ in corners)!r},{max(y for _, y in corners)!r}),({min(x for x, _ in corners)!r},{min(y for _, y in corners)!r})"
    exact = table.c[field.name].op("<@", is_comparison=True)(_shape("box", f"({east!r},{north!r}),({west!r},{south!r})"))
    return and_(held.op("<@", is_comparison=True)(_shape("box", wide)), exact)


def distance_of(field: Field, table: Table, lon: float, lat: float) -> ColumnElement[float]:
    """Metres from a place to the field's point; ordering by it walks the index."""
    east, north = to_metres(lon, lat)
    return metres_of(field, table).op("<->", return_type=Float())(cast(literal({"lon": east, "lat": north}, Point()), Point()))


def _shape(kind: str, text: str) -> ColumnElement[str]:
    return cast(literal(text), _Shape(kind))


def _pair(text: str) -> tuple[float, float]:
    lon, lat = text.split(",")
    return float(lon), float(lat)


def _polygon(places: Sequence[tuple[float, float]]) -> str:
    return "(" + ",".join(f"({x!r},{y!r})" for x, y in places) + ")"


def _box_around(verb: str, values: Sequence[str]) -> str:
    if verb == "near":
        lon, lat, far = (float(part) for part in values[0].split(","))
        up = far / METRES_A_DEGREE
        east, north, west, south = lon + up * 1.3, lat + up, lon - up * 1.3, lat - up
    elif verb == "inside":
        places = [_pair(value) for value in values]
        east, north = max(x for x, _ in places), max(y for _, y in places)
        west, south = min(x for x, _ in places), min(y for _, y in places)
    else:
        west, south, east, north = (float(part) for part in values[0].split(","))
    return f"({east!r},{north!r}),({west!r},{south!r})"
