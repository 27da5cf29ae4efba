"""组织: the tree of units, one unit with its posts and history, and what an administrator does with it."""
from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.access.organisation import BUREAUS, UNIT_KINDS, get_unit, unit_tree, units_below
from engine.runtime.organising import certificates, units
from engine.runtime.organising.people import posts_offered
from engine.runtime.organising.perform import ADMIN
from engine.runtime.queries import organisation as query
from engine.web.admin_forms import act, chosen, day, require_reader, require_right, said, tried
from engine.web.context import actor, application, identifier, new_key, reading, today

blueprint = Blueprint("admin_organisation", __name__)


@blueprint.get("/admin/organisation")
def page() -> ResponseReturnValue:
    """The whole tree, closed units only when asked for; certificates that run out."""
    require_reader()
    with reading() as connection:
        tree = unit_tree(connection, active_only="closed" not in request.args)
        values = {"tree": tree, "counts": query.headcounts(connection, on=today()), "expiring": certificates.expiring(connection, on=today(), limit=50)}
    return render_template(
        "admin/organisation.html", kinds=UNIT_KINDS, bureaus=BUREAUS, may=ADMIN in actor().rights, key=new_key(), certificate_kinds=certificates.KINDS, today=today(), **values,
    )


@blueprint.get("/admin/organisation/units/<unit_id>")
def unit(unit_id: str) -> ResponseReturnValue:
    require_reader()
    return _unit(unit_id)


def _unit(unit_id: str, message: str = "", errors: dict[str, str] | None = None) -> str:
    id = identifier(unit_id, "单位")
    with reading() as connection:
        row = get_unit(connection, unit_id=id)
        every = units_below(connection)
        values: dict[str, Any] = {
            "unit": row, "above": get_unit(connection, unit_id=row.parent_id) if row.parent_id else None, "below": [one for one in units_below(connection, path=row.path, active_only=False) if one.parent_id == id],
            "seats": query.seats_of(connection, unit_id=id, on=today()), "past": query.seats_of(connection, unit_id=id, on=today(), past=True),
            "names": query.names_by_day(connection, unit_id=id), "history": query.history(connection, unit_id=id),
            "left": units.what_is_left(connection, row, on=today()), "posts": posts_offered(connection),
            "places": [one for one in every if one.bureau == row.bureau and not one.path.startswith(row.path) and one.id != row.parent_id],
        }
    return render_template(
        "admin/unit.html", kinds=UNIT_KINDS, bureaus=BUREAUS, may=ADMIN in actor().rights, key=new_key(), today=today(), message=message, errors=errors or {}, **values,
    )


@blueprint.post("/admin/organisation/units")
def add() -> ResponseReturnValue:
    """A unit below ``parent``, or on top without one."""
    require_right(ADMIN)
    parent = said("parent")

    def do() -> str:
        units.add_unit(
            application(), parent_id=identifier(parent, "单位") if parent else None, bureau=said("bureau"), kind=said("kind"), code=said("code"), name=said("name"),
            short_name=said("short_name"), number_word=said("number_word"), area_code=said("area_code"), **act(),
        )
        return f"已设立“{said('name')}”。"

    here = url_for("admin_organisation.unit", unit_id=parent) if parent else url_for("admin_organisation.page")
    return tried(do, location=here, again=lambda message, errors: _unit(parent, message, errors) if parent else _problem(message))


def _problem(message: str) -> str:
    return render_template("admin/problem.html", message=message, back=url_for("admin_organisation.page"))


@blueprint.post("/admin/organisation/units/<unit_id>/<any(rename, move, close, reopen):what>")
def change(unit_id: str, what: str) -> ResponseReturnValue:
    require_right(ADMIN)
    id = identifier(unit_id, "单位")

    def do() -> str:
        app, common = application(), act(unit_id=id)
        if what == "rename":
            units.rename_unit(app, name=said("name"), short_name=said("short_name"), from_on=day("from_on", "生效日期"), kind=said("kind") or None, number_word=said("number_word"), **common)
            return "已修改。以前的文书和案件仍显示当时的名称。"
        if what == "move":
            units.move_unit(app, parent_id=chosen("parent", "上级单位"), **common)
            return "已移动，下属单位一起移了过去。"
        if what == "close":
            units.close_unit(app, **common)
            return "已撤销，历史都在，可以恢复。"
        units.reopen_unit(app, **common)
        return "已恢复。"

    return tried(do, location=url_for("admin_organisation.unit", unit_id=id), again=lambda message, errors: _unit(unit_id, message, errors))
