"""案件: the list of cases I may see, with advanced conditions and kept lists."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.deadlines.board import LIGHTS
from engine.deadlines.queries import nearest_clocks
from engine.kernel.errors import Invalid
from engine.registers.conditions import told_condition
from engine.registers.views import remove_view, save_view, views_of
from engine.runtime.queries import cases as query
from engine.runtime.queries.case_conditions import CASES, NAME, read_tree, words_of, write_tree
from engine.runtime.queries.pages import Option
from engine.storage.bounded import bounded
from engine.web.answers import done
from engine.web.condition_tree import Subject, condition_of, draw, opened, pressed
from engine.web.context import actor, application, identifier, now, today, writing

blueprint = Blueprint("cases", __name__)


@blueprint.get("/cases")
def page() -> ResponseReturnValue:
    filters = _asked()
    with bounded(application().db, seconds=5) as connection:
        found = query.listed(connection, actor=actor(), filters=filters, after=request.args.get("after"), before=request.args.get("n", 0, type=int), on=today())
        told = nearest_clocks(connection, case_ids=[row.id for row in found.rows], on=today())
        units = query.units(connection, actor=actor())
        views = views_of(connection, person_id=actor().person_id, register=NAME)
    kinds = _kinds()
    options = [Option(value=name, title=title) for name, title in kinds.items()]
    said = told_condition(filters.where, words_of(kinds, {one.value: one.title for one in units})) if filters.where else ""
    return render_template(
        "cases/page.html", cases=found, filters=filters, kinds=kinds, kind_options=options, unit_options=units, told=told, views=views, said_where=said, here_query=_address(filters),
        where_text=write_tree(filters.where),
    )


def _kinds() -> Mapping[str, str]:
    return {name: kind.title for pack in application().catalogue.packs.values() for name, kind in pack.kinds.items()}


def _asked() -> query.Filters:
    """What this request's address asks of the list; raises Invalid."""
    state, kind, unit = (request.args.get(name, "") for name in ("state", "kind", "unit"))
    light = request.args.get("light", "")
    if (state or "open") not in query.STATES or light not in ("", *LIGHTS):
        raise Invalid("这个地址里的筛选条件不认识，请从案件列表重新选。", code="bad_filter")
    return query.Filters(state=state or "open", kind=kind, unit=identifier(unit, "单位") if unit else None, light=light, where=read_tree(request.args.get("w", "")))


def _address(filters: query.Filters) -> str:
    """The list's address behind the question mark, each list with one way to write it."""
    pairs = {
        "state": filters.state if filters.state != "open" else "", "kind": filters.kind, "unit": str(filters.unit or ""), "light": filters.light, "w": write_tree(filters.where),
    }
    return urlencode({name: value for name, value in pairs.items() if value})


@blueprint.get("/cases/conditions")
def conditions() -> ResponseReturnValue:
    return draw(_subject(), opened(_asked().where))


@blueprint.post("/cases/conditions")
def press() -> ResponseReturnValue:
    """One press: add, take away, or look at the cases with these conditions."""
    act, tree = pressed(CASES)
    if act != "show":
        return draw(_subject(), tree)
    try:
        values: dict[str, Any] = {name: value for name, value in request.args.items() if name in ("state", "kind", "unit", "light")}
        return redirect(url_for("cases.page", **values, w=write_tree(condition_of(tree, CASES)) or None))
    except Invalid as problem:
        return draw(_subject(), tree, problem=problem.message), 422


def _subject() -> Subject:
    tail = f"?{asked}" if (asked := _address(_asked())) else ""
    back = url_for("cases.page") + tail
    return Subject(register=CASES, section="cases", crumbs=[(back, "案件")], back=back, action=url_for("cases.press") + tail, choices={"kind": list(_kinds().items())})


@blueprint.post("/cases/views")
def keep_view() -> ResponseReturnValue:
    """Keep the list as it stands under a name."""
    asked = _address(_asked())
    with writing() as connection:
        save_view(connection, person_id=actor().person_id, register=NAME, title=request.form.get("title", ""), query=asked, at=now())
    return done(url_for("cases.page") + (f"?{asked}" if asked else ""), "已存为常用。")


@blueprint.post("/cases/views/<view_id>/remove")
def drop_view(view_id: str) -> ResponseReturnValue:
    with writing() as connection:
        remove_view(connection, person_id=actor().person_id, view_id=identifier(view_id, "常用列表"))
    return done(url_for("cases.page"), "已从常用里去掉。")
