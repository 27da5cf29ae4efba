"""期限: the board by unit, what falls due in the days ahead, and the clocks one by one."""
from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from engine.deadlines import board as query
from engine.deadlines.listed import COUNTED, listed_clocks
from engine.kernel.errors import Forbidden, Invalid, NotFound
from engine.runtime.queries.pages import Option
from engine.web.context import actor, reading, today

blueprint = Blueprint("clock_board", __name__)
SORTS = ("late", "soon", "ok", "hold", "all", "name")
SPANS = (7, 14, 30, 60)
PAGE = 30


@blueprint.get("/clocks")
def page() -> ResponseReturnValue:
    """By unit, downwards; who leads nothing sees their own clocks instead."""
    root = query.board_root(actor())
    if root is None:
        return clocks()
    sort = request.args.get("sort", "late")
    if sort not in SORTS:
        raise Invalid("这个地址里的排序不认识，请从看板重新选。", code="bad_sort")
    with reading() as connection:
        names = query.clock_names(connection, on=today())
        found = query.board(connection, root=root, at=request.args.get("at"), on=today(), clock=request.args.get("clock") or None, sort=sort)
    if found is None:
        raise NotFound("没有这个单位，或者不在您能看的范围里。")
    return render_template("clocks/board.html", board=found, sort=sort, **_common(names))


def _common(names: list[query.ClockName]) -> dict[str, Any]:
    return {"clock": request.args.get("clock", ""), "options": [Option(value=n.name, title=n.title) for n in names], "leads": query.board_root(actor()) is not None}


@blueprint.get("/clocks/forecast")
def forecast() -> ResponseReturnValue:
    root = query.board_root(actor())
    if root is None:
        raise Forbidden("到期预测按单位汇总，供负责人和机关科室查看。您自己的期限在“清单”里。")
    days = request.args.get("days", 14, type=int)
    if days not in SPANS:
        raise Invalid("请从列出的天数里选。", code="bad_span")
    with reading() as connection:
        names = query.clock_names(connection, on=today())
        found = query.forecast(connection, root=root, at=request.args.get("at"), on=today(), days=days, clock=request.args.get("clock") or None)
    if found is None:
        raise NotFound("没有这个单位，或者不在您能看的范围里。")
    return render_template("clocks/forecast.html", ahead=found, days=days, spans=SPANS, most=max([*found.totals, 1]), at=request.args.get("at"), **_common(names))


@blueprint.get("/clocks/list")
def clocks() -> ResponseReturnValue:
    light, below = request.args.get("light", ""), request.args.get("at", "")
    if light and light not in query.LIGHTS:
        raise Invalid("这个地址里的筛选条件不认识，请从列表重新选。", code="bad_filter")
    with reading() as connection:
        names = query.clock_names(connection, on=today())
        rows, total = listed_clocks(
            connection, actor=actor(), on=today(), names=names, light=light, clock=request.args.get("clock", ""), below=below, first=_day(request.args.get("day")), after=_after(), size=PAGE,
        )
    more = rows[PAGE - 1] if len(rows) > PAGE else None
    following = f"{more.due_on or date.max}~{more.id}" if more else None
    return render_template("clocks/list.html", rows=rows[:PAGE], total=total, limit=COUNTED, light=light, at=below, next=following, day=request.args.get("day"), **_common(names))


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid("日期应写成 2026-03-02。", code="bad_day") from None


def _after() -> tuple[date, UUID] | None:
    text = request.args.get("after")
    if not text:
        return None
    try:
        day, id = text.split("~")
        return date.fromisoformat(day), UUID(id)
    except ValueError:
        raise Invalid("这一页的地址不完整，请从第一页重新翻。", code="bad_page") from None

