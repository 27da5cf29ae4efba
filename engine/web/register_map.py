"""台账的地图: records of a register where they lie, narrowed as the list is; by distance, outline and district."""
from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Table

from engine.kernel.errors import Invalid, NotFound
from engine.kernel.names import name_of, pack_of
from engine.registers.conditions import Condition, Group, Leaf, read_condition, split_places, told_condition
from engine.registers.declaration import Field, Register
from engine.registers.filters import Asked
from engine.registers.placed import FARTHEST
from engine.reporting.statistics.catalogue import statistics_of
from engine.runtime.queries import register_map as query
from engine.runtime.queries.areas import has_boundaries
from engine.runtime.queries.registers import count
from engine.runtime.queries.statistic_map import unit_dimensions
from engine.storage.bounded import bounded
from engine.web.assets import MANIFEST, Assets
from engine.web.context import actor, application, reading
from engine.web.guard import public
from engine.web.registers import asked_of, wanted

blueprint = Blueprint("register_map", __name__)
assets = Assets(MANIFEST)
LISTED, RANGES = 60, 5
THEMES = ("sum", "avg")
OF_STATISTIC = "s:"


@blueprint.get("/maps/base.json")
@public
def base() -> ResponseReturnValue:
    """What every map of the pages needs: the tiles of this deployment, its styles."""
    settings = application().settings
    with reading() as connection:
        own = has_boundaries(connection, level="district")
    return jsonify({"tiles": settings.map_tiles, "note": settings.map_note, "districts": url_for("statistic_map.outlines", level="district") if own else "", "css": url_for("static", filename=f"dist/{assets.name('map.css')}")})


def placed(pack: str, name: str) -> tuple[Register, Table, Field]:
    """The register and what of it lies on the map; raises NotFound for one without places."""
    register, table = wanted(pack, name)
    if not register.placed:
        raise NotFound(f"“{register.title}”没有位置栏目，不能上图。")
    field = next((one for one in register.placed if one.name == request.args.get("on")), register.placed[0])
    return register, table, field


@blueprint.get("/registers/<pack>/<name>/map")
def page(pack: str, name: str) -> ResponseReturnValue:
    register, table, field = placed(pack, name)
    asked = asked_of(register)
    added = _added(register, field)
    if added or request.args.get("clear"):
        rest, places = split_places(asked.where)
        parts: list[Condition] = [*([rest] if rest else []), *([] if request.args.get("clear") else [*(one for one in places if one.verb == "box"), *added])]
        return redirect(_here(pack, name, replace(asked, where=Group(how="all", parts=parts) if parts else None)))
    _, places = split_places(asked.where)
    if request.args.get("theme", "").startswith(OF_STATISTIC):
        return redirect(_statistic_map(register))
    theme = _theme(register)
    with bounded(application().db, seconds=10 if theme else 3) as connection:
        total = count(connection, actor=actor(), register=register, table=table, asked=asked)
        around = query.extent_of(connection, actor=actor(), register=register, table=table, asked=asked, field=field) if not places and not theme and total < query.MOST_MEASURED else None
        lying = query.by_area(connection, actor=actor(), register=register, table=table, asked=asked, over=theme[0], of=theme[1], ranges=RANGES) if theme else query.ByArea(areas=[], ends=[], level="district")
    return render_template(
        "registers/map.html", register=register, pack=pack, name=name, field=field, asked=asked, total=total, here_query=asked.address, places=[_told(one) for one in places], areas=lying.areas, ends=lying.ends, lying=lying,
        counted=[one for one, _ in statistics_of(application().library).values() if one.register.name == register.name and unit_dimensions(one)], of_statistic=OF_STATISTIC,
        theme=theme, themes=[one for one in register.fields.values() if one.type in ("number", "money") and not one.secret], drawn=[_shape(one) for one in places], most=query.MOST_SHOWN, farthest=FARTHEST,
        extent=_extent(places) or around,
    )


def _added(register: Register, field: Field) -> list[Condition]:
    """The place condition that the page's own small form asks for."""
    found: list[Condition] = []
    if request.args.get("near"):
        found.append(read_condition({"field": field.name, "near": request.args["near"]}, register))
    if request.args.get("inside"):
        corners = [corner for corner in request.args["inside"].replace("\r", "").replace(";", "\n").split("\n") if corner.strip()]
        found.append(read_condition({"field": field.name, "inside": corners}, register))
    return found


def _theme(register: Register) -> tuple[str, Field | None] | None:
    wanted_theme = request.args.get("theme", "")
    if not wanted_theme:
        return None
    if wanted_theme == "count":
        return "count", None
    over, _, name = wanted_theme.partition(".")
    field = register.fields.get(name)
    if over not in THEMES or field is None or field.type not in ("number", "money") or field.secret:
        raise Invalid("没有这种专题图，请从列出的里选。", code="bad_theme")
    return over, field


def _statistic_map(register: Register) -> str:
    """The thematic map of the statistic that ``theme`` names: ``s:<pack>.<name>.<measure>``."""
    name, _, measure = request.args["theme"].removeprefix(OF_STATISTIC).rpartition(".")
    if name not in statistics_of(application().library):
        raise Invalid("没有这种专题图，请从列出的里选。", code="bad_theme")
    return url_for("statistic_map.page", pack=pack_of(name), name=name_of(name), m=measure)


def _here(pack: str, name: str, asked: Asked) -> str:
    """The map's address with the list's narrowing and the map's own choices."""
    own: dict[str, Any] = {key: request.args[key] for key in ("on", "theme") if request.args.get(key)}
    address = url_for("register_map.page", pack=pack, name=name, **own)
    return address + (("&" if own else "?") + asked.address if asked.address else "")


def _told(leaf: Leaf) -> str:
    return told_condition(leaf, lambda _, value: value)


def _shape(leaf: Leaf) -> dict[str, Any]:
    numbers = [[float(part) for part in value.split(",")] for value in leaf.values]
    return {"kind": leaf.verb, "places": numbers}


def _extent(places: list[Leaf]) -> list[float] | None:
    """West, south, east, north of what is narrowed to, so that the map opens there."""
    for leaf in places:
        numbers = [[float(part) for part in value.split(",")] for value in leaf.values]
        if leaf.verb == "near":
            lon, lat, far = numbers[0]
            wide = max(far, 50) / 90_000
            return [lon - wide, lat - wide, lon + wide, lat + wide]
        if leaf.verb == "inside":
            return [min(x for x, _ in numbers), min(y for _, y in numbers), max(x for x, _ in numbers), max(y for _, y in numbers)]
        return numbers[0]
    return None


@blueprint.get("/registers/<pack>/<name>/map/points")
def points(pack: str, name: str) -> ResponseReturnValue:
    """What the map shows of ``box``: records, or heaps of them; the first of them as a list beside the map."""
    register, table, field = placed(pack, name)
    asked = asked_of(register)
    leaf = read_condition({"field": field.name, "box": request.args.get("box", "")}, register)
    assert isinstance(leaf, Leaf)
    with bounded(application().db) as connection:
        shown = query.in_view(connection, actor=actor(), register=register, table=table, asked=asked, field=field, box=leaf.values[0])
    title, *others = register.listed
    rows = [
        {
            "id": str(row.id), "title": row.cells[title.name] or "未填", "url": url_for("registers.one", pack=pack, name=name, record_id=row.id), "unit": row.unit,
            "more": [row.cells[one.name] for one in others if one.type not in ("point", "outline") and row.cells[one.name]][:3], **query.geometry(row, [field, *register.placed]),
        }
        for row in shown.records
    ]
    heaps = [{"lon": one.lon, "lat": one.lat, "count": f"{one.count}+" if one.more else str(one.count), "box": one.box} for one in shown.heaps]
    return jsonify({"records": rows, "heaps": heaps, "listed": LISTED, "said": _said(len(rows), heaps)})


def _said(records: int, heaps: list[dict[str, Any]]) -> str:
    if heaps:
        return f"图上超过 {query.MOST_SHOWN} 条，按格子合计显示，每格最多数到 {query.MOST_COUNTED}；放大看每一条。"
    if records > LISTED:
        return f"图上 {records} 条，旁边只列出前 {LISTED} 条。"
    return f"图上 {records} 条。" if records else "图上这一块没有符合条件的记录。"
