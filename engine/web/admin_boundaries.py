"""区域边界: outlines of districts and streets from GeoJSON, whose data they are, and which streets no unit is called after."""
from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.kernel.datums import DATUMS
from engine.kernel.errors import Invalid
from engine.reference.boundaries import LEVELS, MOST_AREAS, MOST_BYTES
from engine.runtime.change_boundaries import ADMIN, end_boundaries, import_boundaries
from engine.runtime.queries.areas import kept
from engine.web.answers import done
from engine.web.context import actor, application, now, reading

blueprint = Blueprint("admin_boundaries", __name__)


@blueprint.get("/admin/boundaries")
def page() -> ResponseReturnValue:
    return _page()


@blueprint.post("/admin/boundaries")
def bring() -> ResponseReturnValue:
    """A file takes the place of the outlines it names."""
    actor().require(ADMIN)
    request.max_content_length = MOST_BYTES + 100_000
    sent, given = request.files.get("file"), request.form
    try:
        areas, districts = import_boundaries(
            application(), actor=actor(), level=given.get("level", ""), data=sent.read() if sent else b"", datum=given.get("datum") or "cgcs2000", source=given.get("source", ""), at=now(),
        )
    except Invalid as problem:
        return _page(problem), 422
    return done(url_for("admin_boundaries.page"), f"已导入 {districts} 个区的 {areas} 个区域，原来的已换下。")


@blueprint.post("/admin/boundaries/<level>/<district>/end")
def end(level: str, district: str) -> ResponseReturnValue:
    ended = end_boundaries(application(), actor=actor(), level=level, district=district, at=now())
    return done(url_for("admin_boundaries.page"), f"已停用 {ended} 个区域。")


def _page(problem: Invalid | None = None) -> str:
    actor().require(ADMIN)
    with reading() as connection:
        rows = kept(connection)
    return render_template("admin/boundaries.html", rows=rows, levels=LEVELS, datums=DATUMS, problem=problem, most=MOST_AREAS, megabytes=MOST_BYTES // 1_000_000)
