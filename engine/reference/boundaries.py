"""Outlines of districts and streets from GeoJSON; which street a unit is called after."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from shapely.errors import GEOSException
from shapely.geometry import mapping, shape

from engine.kernel.errors import Invalid
from engine.reference.places import MOST_VERTICES, read_outline

LEVELS: Mapping[str, str] = {"district": "区", "street": "街镇"}
MOST_AREAS, MOST_BYTES, MOST_TOLD = 1000, 20_000_000, 20
NAMES = ("name", "名称", "NAME")
CODES = ("code", "adcode", "区划代码", "CODE")
DISTRICT_NAMES = ("district", "parent", "所属区", "DISTRICT")
ENDINGS = ("街道", "新村街道", "镇", "乡", "工业区", "开发区", "农场")
STEPS = (0.00002, 0.00005, 0.0001, 0.0003, 0.001)
"""How far, in degrees, an outline of too many vertices is smoothed, until it has few enough."""


@dataclass(frozen=True, kw_only=True)
class Boundary:
    """``district`` is the code of the district; ``units`` are codes of units that belong here whatever they are called."""

    level: str
    code: str
    name: str
    district: str
    outline: Mapping[str, Any]
    units: tuple[str, ...] = ()


def read_boundaries(data: bytes, *, level: str, datum: str, districts: Mapping[str, str]) -> list[Boundary]:
    """The areas of a GeoJSON FeatureCollection; ``districts`` is {code: name}. Raises Invalid, which names every feature that is wrong."""
    if level not in LEVELS:
        raise Invalid("请选这是区界还是街镇界。", fields={"level": "请选一种。"})
    features = _features(data)
    found, faults = list[Boundary](), list[str]()
    for place, feature in enumerate(features, start=1):
        try:
            found.append(_boundary(feature, level, datum, districts))
        except Invalid as problem:
            faults.append(f"第 {place} 个（{_told(feature)}）：{problem.message}")
    codes = [one.code for one in found]
    faults += [f"“{one.name}”（{one.code}）在文件里有两个。" for place, one in enumerate(found) if one.code in codes[:place]]
    if faults:
        more = f"……一共 {len(faults)} 处。" if len(faults) > MOST_TOLD else ""
        raise Invalid("文件里有问题，什么也没有导入。" + "".join(faults[:MOST_TOLD]) + more, fields={"file": "改好以后再传。"})
    return found


def _features(data: bytes) -> Sequence[Any]:
    if len(data) > MOST_BYTES:
        raise Invalid(f"文件太大，最多 {MOST_BYTES // 1_000_000} MB，请先简化边线。", fields={"file": "文件太大。"})
    try:
        told = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise Invalid("这不是 GeoJSON：文件内容不是完整的 JSON。", fields={"file": "请选 .geojson 文件。"}) from None
    features = told.get("features") if isinstance(told, dict) else None
    if not isinstance(told, dict) or told.get("type") != "FeatureCollection" or not isinstance(features, list) or not features:
        raise Invalid("GeoJSON 要是一个 FeatureCollection，每个区域一个 Feature。", fields={"file": "请选 .geojson 文件。"})
    if len(features) > MOST_AREAS:
        raise Invalid(f"一次最多 {MOST_AREAS} 个区域，文件里有 {len(features)} 个。", fields={"file": "请分开导入。"})
    return features


def _told(feature: Any) -> str:
    held = feature.get("properties") if isinstance(feature, dict) else None
    return _said(held, NAMES)[:30] or "没有名称" if isinstance(held, dict) else "没有属性"


def _said(held: Mapping[str, Any], names: Iterable[str]) -> str:
    return next((str(held[name]).strip() for name in names if held.get(name) not in (None, "")), "")


def _boundary(feature: Any, level: str, datum: str, districts: Mapping[str, str]) -> Boundary:
    held = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(held, dict):
        raise Invalid("要有 properties，写明名称。")
    name, code, above = _said(held, NAMES)[:60], _said(held, CODES)[:20], _said(held, DISTRICT_NAMES)
    if not name:
        raise Invalid("要有名称（name）。")
    district = _district(name if level == "district" else above, code, districts)
    units = held.get("units") or []
    if not isinstance(units, list) or not all(isinstance(one, str) for one in units):
        raise Invalid("units 要是单位代码的列表。")
    outline = read_outline(_fewer(feature.get("geometry")), datum=datum)
    return Boundary(level=level, code=district if level == "district" else code or f"{district}-{name}", name=name, district=district, outline=outline, units=tuple(units[:50]))


def _district(above: str, code: str, districts: Mapping[str, str]) -> str:
    """The district's code: by its name, its code, or the head of the area's own code."""
    for wanted in (above, code[:6]):
        if wanted in districts:
            return wanted
        named = next((key for key, name in districts.items() if wanted and name.endswith(wanted)), None)
        if named:
            return named
    raise Invalid("看不出属于哪个区，请写 district（区名或者六位代码），或者九位以上的区划代码 code。")


def _fewer(geometry: Any) -> Any:
    """The geometry itself, smoothed when it has too many vertices; what is no geometry stays for the reader to refuse."""
    if not isinstance(geometry, dict) or _vertices(geometry.get("coordinates")) <= MOST_VERTICES:
        return geometry
    try:
        drawn = shape(geometry)
        for step in STEPS:
            fewer = mapping(drawn.simplify(step, preserve_topology=True))
            if _vertices(fewer["coordinates"]) <= MOST_VERTICES:
                return orjson.loads(orjson.dumps(fewer))
    except (GEOSException, ValueError, TypeError, KeyError):
        return geometry
    return geometry


def _vertices(coordinates: Any) -> int:
    if not isinstance(coordinates, (list, tuple)) or not coordinates:
        return 0
    return 1 if isinstance(coordinates[0], (int, float)) else sum(_vertices(one) for one in coordinates)


def stem_of(name: str) -> str:
    """What a street's units are called after: 曹家渡街道 → 曹家渡."""
    for ending in ENDINGS:
        if name.endswith(ending) and len(name) > len(ending) + 1:
            return name.removesuffix(ending)
    return name


def street_of(unit_code: str, short_name: str, streets: Sequence[Boundary]) -> Boundary | None:
    """The street among those of the unit's district that names the unit, or that the unit is called after; the longest name wins."""
    named = next((one for one in streets if unit_code in one.units), None)
    if named is not None:
        return named
    fits = [one for one in streets if short_name.startswith(stem_of(one.name))]
    return max(fits, key=lambda one: len(stem_of(one.name)), default=None)
