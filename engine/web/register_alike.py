"""可能重复: records that may be the one on the page, or the one that is being filled in."""
from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from engine.kernel.errors import Invalid
from engine.reference.places import read_place
from engine.registers.duplicates import FARTHEST_WITHIN, WITHIN, compared, find_alike
from engine.registers.scope import visible
from engine.runtime.queries import registers as query
from engine.runtime.record_form import form_of_register
from engine.storage.bounded import bounded
from engine.web.context import actor, application, identifier
from engine.web.registers import wanted

blueprint = Blueprint("register_alike", __name__)


@blueprint.get("/registers/<pack>/<name>/<record_id>/alike")
def of_record(pack: str, name: str, record_id: str) -> ResponseReturnValue:
    register, table = wanted(pack, name)
    within = min(max(request.args.get("within", WITHIN, type=float), 1), FARTHEST_WITHIN)
    with bounded(application().db) as connection:
        record, _ = query.one(connection, actor=actor(), register=register, table=table, record_id=identifier(record_id, "记录"))
        seen = visible(register, table, actor(), table.c.id)
        found = find_alike(connection, register=register, table=table, seen=seen, values=record.values, within=within, without=record.id)
    return render_template("registers/alike.html", register=register, pack=pack, name=name, record=record, found=found, within=within, compared=compared(register))


@blueprint.post("/registers/<pack>/<name>/alike")
def of_form(pack: str, name: str) -> ResponseReturnValue:
    """The part of a page that warns while a record is being made: nothing when nothing is alike."""
    register, table = wanted(pack, name)
    point, *texts = compared(register)
    data = form_of_register(application(), register, new=True).read_html(request.form)
    values: dict[str, Any] = {one.name: data[one.name] for one in texts if one and data.get(one.name)}
    try:
        if point and data.get(point.name):
            values[point.name] = read_place(data[point.name])
    except Invalid:
        pass  # the form itself says what is wrong with a coordinate
    without = request.args.get("without")
    with bounded(application().db) as connection:
        seen = visible(register, table, actor(), table.c.id)
        found = find_alike(connection, register=register, table=table, seen=seen, values=values, without=identifier(without, "记录") if without else None)
    return render_template("registers/alike_part.html", pack=pack, name=name, found=found[:5], asked=bool(values))
