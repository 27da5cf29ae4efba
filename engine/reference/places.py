"""Points and outlines as people and programs write them → as they are stored; every fault in words."""
from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from shapely.geometry import Polygon, shape
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from engine.kernel.datums import DATUMS, to_cgcs2000, to_metres, within_china
from engine.kernel.errors import Invalid

DIGITS = 7
"""Decimals of a degree that are kept: a centimetre."""
MOST_VERTICES = 2000
_PAIR = re.compile(r"[\s,，、;；]+")


def read_place(value: Any, *, datum: str = "cgcs2000") -> dict[str, float]:
    """``{"lon", "lat"}`` in CGCS2000 from ``{"lon", "lat", "datum"?}`` or ``"经度,纬度"``; raises Invalid."""
    if isinstance(value, str):
        parts = [part for part in _PAIR.split(value.strip()) if part]
        if len(parts) != 2:
            raise _wrong("坐标写成“经度,纬度”，如 121.4737,31.2304。")
        value = {"lon": parts[0], "lat": parts[1]}
    if not isinstance(value, Mapping) or set(value) - {"lon", "lat", "datum"}:
        raise _wrong("坐标要有经度和纬度两个数。")
    lon, lat = _position(value.get("lon"), value.get("lat"), str(value.get("datum") or datum))
    return {"lon": lon, "lat": lat}


def _position(lon: Any, lat: Any, datum: str) -> tuple[float, float]:
    try:
        x, y = float(lon), float(lat)
    except (TypeError, ValueError):
        raise _wrong("经度和纬度都要填数字，如 121.4737 和 31.2304。") from None
    if datum not in DATUMS:
        raise _wrong(f"坐标系只能是 {'、'.join(DATUMS)}。")
    if not (math.isfinite(x) and math.isfinite(y)) or not within_china(x, y):
        swapped = math.isfinite(x) and math.isfinite(y) and within_china(y, x)
        raise _wrong("经度和纬度好像写反了：经度在前（上海约 121），纬度在后（约 31）。" if swapped else "这个坐标不在中国境内，请核对经度（上海约 121）和纬度（约 31）。")
    x, y = to_cgcs2000(x, y, datum=datum)
    return round(x, DIGITS), round(y, DIGITS)


def read_outline(value: Any, *, datum: str = "cgcs2000") -> dict[str, Any]:
    """A GeoJSON Polygon or MultiPolygon in CGCS2000, closed and simple, with ``bbox`` and ``area`` (square metres); raises Invalid.

    Takes GeoJSON (also a Feature, and text of it), or lines of ``"经度,纬度"``, one vertex each.
    """
    if isinstance(value, str):
        value = _from_text(value)
    if isinstance(value, Mapping) and value.get("type") == "Feature":
        value = value.get("geometry")
    if not isinstance(value, Mapping) or value.get("type") not in ("Polygon", "MultiPolygon") or not isinstance(value.get("coordinates"), Sequence):
        raise _wrong("范围要是一个面：在图上画，或者每行写一个顶点“经度,纬度”。")
    datum = str(value.get("datum") or datum)
    left = [MOST_VERTICES]
    many = value["coordinates"] if value["type"] == "MultiPolygon" else [value["coordinates"]]
    try:
        polygons = [[_ring(ring, datum, left) for ring in polygon] for polygon in many]
    except TypeError:
        raise _wrong("范围的坐标不完整，请重新画。") from None
    if not polygons or not all(polygons):
        raise _wrong("范围是空的，请重新画。")
    told = {"type": value["type"], "coordinates": polygons if value["type"] == "MultiPolygon" else polygons[0]}
    drawn = shape(told)
    _check(drawn)
    return {**told, "bbox": [round(end, DIGITS) for end in drawn.bounds], "area": round(_area(polygons), 1)}


def _from_text(text: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            raise _wrong("GeoJSON 写得不完整，请检查括号和逗号。") from None
    lines = [line for line in re.split(r"[\r\n;；]+", text) if line.strip()]
    return {"type": "Polygon", "coordinates": [[[part for part in _PAIR.split(line.strip()) if part] for line in lines]]}


def _ring(ring: Any, datum: str, left: list[int]) -> list[list[float]]:
    if not isinstance(ring, Sequence) or isinstance(ring, str):
        raise TypeError("ring")
    left[0] -= len(ring)
    if left[0] < 0:
        raise _wrong(f"范围最多 {MOST_VERTICES} 个顶点，请先简化。")
    found = []
    for place in ring:
        if not isinstance(place, Sequence) or isinstance(place, str) or len(place) < 2:
            raise _wrong("每行写一个顶点：经度,纬度。")
        found.append(list(_position(place[0], place[1], datum)))
    if found and found[0] != found[-1]:
        found.append(list(found[0]))
    if len({tuple(place) for place in found}) < 3:
        raise _wrong("范围至少要有三个不同的顶点。")
    return found


def _check(drawn: BaseGeometry) -> None:
    if drawn.is_valid and not drawn.is_empty and drawn.area > 0:
        return
    where = re.search(r"\[(.+?)\]", explain_validity(drawn))
    at = f"（在 {where[1].replace(' ', ',')} 附近）" if where else ""
    raise _wrong(f"范围的边线自己交叉了或者面积为零{at}，请调整顶点的先后。")


def _area(polygons: Sequence[Sequence[Sequence[Sequence[float]]]]) -> float:
    """Square metres on the plane of EPSG:4549."""
    return float(sum(Polygon([to_metres(*p) for p in rings[0]], [[to_metres(*p) for p in ring] for ring in rings[1:]]).area for rings in polygons))


def told_place(value: Mapping[str, Any]) -> str:
    """A point as files and pages write it: 经度,纬度."""
    return f"{value['lon']:.6f},{value['lat']:.6f}"


def told_outline(value: Mapping[str, Any]) -> str:
    """An outline in words: how many vertices, how large."""
    polygons = value["coordinates"] if value["type"] == "MultiPolygon" else [value["coordinates"]]
    return f"{sum(len(ring) - 1 for polygon in polygons for ring in polygon)} 个顶点，约 {value.get('area', 0):,.0f} 平方米"


def _wrong(message: str) -> Invalid:
    return Invalid(message, code="bad_place")
