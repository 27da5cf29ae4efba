"""案件: the list of cases I may see."""
from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from engine.deadlines.board import LIGHTS
from engine.deadlines.queries import nearest_clocks
from engine.kernel.errors import Invalid
from engine.runtime.queries import cases as query
from engine.runtime.queries.pages import Option
from engine.web.context import actor, application, identifier, reading, today

blueprint = Blueprint("cases", __name__)


@blueprint.get("/cases")
def page() -> ResponseReturnValue:
    state, kind, unit = (request.args.get(name, "") for name in ("state", "kind", "unit"))
    light = request.args.get("light", "")
    if (state or "open") not in query.STATES or light not in ("", *LIGHTS):
        raise Invalid("这个地址里的筛选条件不认识，请从案件列表重新选。", code="bad_filter")
    filters = query.Filters(state=state or "open", kind=kind, unit=identifier(unit, "单位") if unit else None, light=light)
    with reading() as connection:
        found = query.listed(connection, actor=actor(), filters=filters, after=request.args.get("after"), before=request.args.get("n", 0, type=int), on=today())
        told = nearest_clocks(connection, case_ids=[row.id for row in found.rows], on=today())
        units = query.units(connection, actor=actor())
    kinds = {name: kind.title for pack in application().catalogue.packs.values() for name, kind in pack.kinds.items()}
    options = [Option(value=name, title=title) for name, title in kinds.items()]
    return render_template("cases/page.html", cases=found, filters=filters, kinds=kinds, kind_options=options, unit_options=units, told=told)
