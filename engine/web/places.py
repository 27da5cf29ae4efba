"""地址定位: addresses to places and back, for the forms' buttons, and a page that takes many lines at once."""
from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from engine.kernel.datums import DATUMS
from engine.kernel.errors import Invalid
from engine.reference.locating import PRECISION, Found
from engine.reference.places import read_place
from engine.runtime.locate_address import LONGEST, Located, district_of
from engine.runtime.locate_address import locate as find_place
from engine.runtime.locate_address import nearest as find_nearest
from engine.storage.bounded import bounded
from engine.web.context import actor, application

blueprint = Blueprint("places", __name__)
MOST_LINES = 200


@blueprint.get("/places/locate")
def locate() -> ResponseReturnValue:
    """``address`` → candidates, the likeliest first, in CGCS2000; ``doubt`` says why the first should not be taken unseen."""
    with bounded(application().db) as connection:
        told = find_place(application(), connection, address=request.args.get("address", ""), district=district_of(connection, actor().district_id))
    return jsonify({"found": [_plain(one) for one in told.found], "doubt": told.doubt, "understood": told.understood, "by": told.by})


@blueprint.get("/places/nearest")
def nearest() -> ResponseReturnValue:
    """``lon``, ``lat`` in ``datum`` → addresses close by, the nearest first."""
    place = read_place({name: request.args.get(name) for name in ("lon", "lat")}, datum=request.args.get("datum") or "cgcs2000")
    with bounded(application().db) as connection:
        found, by = find_nearest(application(), connection, **place)
    return jsonify({"found": [_plain(one) for one in found], "place": place, "by": by})


def _plain(one: Found) -> dict[str, Any]:
    return {"title": one.title, "lon": one.lon, "lat": one.lat, "confidence": one.confidence, "precision": PRECISION[one.precision], "metres": one.metres, "told": one.told}


@blueprint.get("/places")
def page() -> ResponseReturnValue:
    return _page([request.args["address"]] if request.args.get("address") else [])


@blueprint.post("/places")
def look_up() -> ResponseReturnValue:
    """Many addresses, one a line; or one place with its datum."""
    if request.form.get("place"):
        return _nearest_page()
    lines = [line.strip() for line in request.form.get("addresses", "").splitlines() if line.strip()]
    if len(lines) > MOST_LINES:
        raise Invalid(f"一次最多 {MOST_LINES} 行，现在 {len(lines)} 行；再多请在台账导入时定位。", fields={"addresses": f"最多 {MOST_LINES} 行。"})
    return _page(lines)


def _page(lines: list[str], **more: Any) -> str:
    told: list[Located] = []
    if lines:
        with bounded(application().db, seconds=10) as connection:
            own = district_of(connection, actor().district_id)
            told = [find_place(application(), connection, address=line, district=own) for line in lines]
    points = [{"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [one.found[0].lon, one.found[0].lat]}} for one in told if one.found]
    shown = {"type": "FeatureCollection", "features": points} if points else None
    given: dict[str, Any] = {"near": None, "typed": {}, "error": "", **more}
    return render_template("places/page.html", told=told, lines=lines, shown=shown, datums=DATUMS, precision=PRECISION, longest=LONGEST, most=MOST_LINES, **given)


def _nearest_page() -> ResponseReturnValue:
    typed = {"place": request.form["place"].strip(), "datum": request.form.get("datum") or "cgcs2000"}
    try:
        place = read_place(typed["place"], datum=typed["datum"])
    except Invalid as problem:
        return _page([], typed=typed, error=problem.message), 422
    with bounded(application().db) as connection:
        found, by = find_nearest(application(), connection, **place)
    return _page([], typed=typed, near={"place": place, "found": found, "by": by})
