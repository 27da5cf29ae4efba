"""统计: what is counted, one statistic as its address asks, and its table as a file."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Table

from engine.kernel.names import name_of, pack_of
from engine.reporting.statistics.asked import ALWAYS, CHARTS, TOPS, Question, read_question
from engine.reporting.statistics.catalogue import get_statistic, statistics_of
from engine.reporting.statistics.count import TIME
from engine.reporting.statistics.declaration import UNIT, Statistic
from engine.reporting.statistics.periods import GRAINS, Period, period_of
from engine.runtime.change_counting import may_change_counting
from engine.runtime.export_statistic import export_statistic
from engine.runtime.queries.statistic_page import Looked, look
from engine.web.context import actor, application, now, reading, today
from engine.web.register_excel import EXCEL
from engine.web.words import figure

blueprint = Blueprint("statistics", __name__)


def wanted(pack: str, name: str) -> tuple[Statistic, Table]:
    """The statistic of an address; raises NotFound."""
    return get_statistic(application().library, f"{pack}.{name}")


@blueprint.get("/statistics")
def page() -> ResponseReturnValue:
    packs = application().catalogue.packs
    groups: dict[str, list[Statistic]] = {}
    for name, (statistic, _) in sorted(statistics_of(application().library).items()):
        pack = pack_of(name)
        groups.setdefault(packs[pack].title if pack in packs else pack, []).append(statistic)
    return render_template("statistics/page.html", groups=groups, pack_of=pack_of, name_of=name_of)


@blueprint.get("/statistics/<pack>/<name>")
def one(pack: str, name: str) -> ResponseReturnValue:
    statistic, table = wanted(pack, name)
    question = read_question(statistic, request.args.items(multi=True), on=today())
    with reading() as connection:
        looked = look(connection, question=question, table=table, actor=actor())
    base = url_for("statistics.one", pack=pack, name=name)
    return render_template(
        "statistics/one.html", statistic=statistic, question=question, looked=looked, answer=looked.answer, pack=pack, name=name, base=base, grains=GRAINS, charts=_charts(looked, question),
        tops=TOPS, behind=list_of(statistic), dimensions=dimensions_of(statistic), quick=quick_picks(), quick_all=ALWAYS, headline=headline(looked, question),
        changes=may_change_counting(actor()), chart=chart_of(looked, question, base), trend=trend_of(looked, base, question), places=map_of(looked, question, base),
    )


@blueprint.post("/statistics/<pack>/<name>/export")
def export(pack: str, name: str) -> ResponseReturnValue:
    """This very table as a file."""
    statistic, table = wanted(pack, name)
    question = read_question(statistic, request.args.items(multi=True), on=today())
    title, content = export_statistic(application(), actor=actor(), question=question, table=table, at=now())
    answer = Response(content, mimetype=EXCEL)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(title)}"
    return answer


def list_of(statistic: Statistic) -> str:
    """The address of the register's list, without what it is narrowed to."""
    return url_for("registers.listed", pack=pack_of(statistic.register.name), name=name_of(statistic.register.name))


def dimensions_of(statistic: Statistic) -> dict[str, str]:
    """{dimension: title}, time last."""
    fields = statistic.register.fields
    return {**{name: fields[name].title if name in fields else "单位" for name in statistic.dimensions}, TIME: "时间"}


def quick_picks() -> list[tuple[str, Period]]:
    """Periods that are asked for most."""
    day = today()
    month, quarter, year = (period_of(day, grain) for grain in ("month", "quarter", "year"))
    week = period_of(day, "week")
    return [
        ("今天", period_of(day, "day")), ("昨天", period_of(day - timedelta(days=1), "day")), ("本周", week), ("上周", week.before()), ("本月", month), ("上月", month.before()),
        ("本季", quarter), ("上季", quarter.before()), ("今年", year), ("去年", year.before()),
    ]


def headline(looked: Looked, question: Question) -> str:
    """What the first figure says in one sentence."""
    measure, cell = looked.answer.measures[0], looked.answer.total.cells[looked.answer.measures[0].name]
    period = question.period.title if question.period else "至今"
    if looked.empty:
        return f"{period}没有数据"
    more = "" if cell.year_growth is None else "，和上年同期持平" if cell.year_growth == 0 else f"，比上年同期{'多' if cell.year_growth > 0 else '少'} {abs(cell.year_growth)}%"
    place = looked.way[-1].name if looked.way else ""
    return f"{period}{place}{measure.title} {figure(cell.value)}{f' {measure.unit}' if measure.unit else ''}{more}"


def _charts(looked: Looked, question: Question) -> Mapping[str, str]:
    """The charts that fit: shares of a whole only for what adds up, the map only for districts."""
    adds = looked.answer.measures[0].over in ("count", "sum")
    return {key: title for key, title in CHARTS.items() if (key != "pie" or adds) and (key != "map" or looked.areas) and (key != "line" or question.by == TIME)}


def chart_of(looked: Looked, question: Question, base: str) -> dict[str, Any] | None:
    """The groups as the chart's data; the table beside it says the same."""
    rows = looked.answer.rows
    if not rows or looked.empty or question.chart == "map":
        return None
    measures = looked.answer.measures
    together = [one for one in measures if one.unit == measures[0].unit][:4] if question.chart != "pie" else measures[:1]
    return {
        "kind": question.chart, "labels": [row.title for row in rows], "unit": measures[0].unit, "links": [f"{base}?{question.into(*row.inside)}" if row.inside else "" for row in rows],
        "series": [{"name": one.title, "values": [_number(row.cells[one.name].value) for row in rows]} for one in together],
    }


def trend_of(looked: Looked, base: str, question: Question) -> dict[str, Any] | None:
    """The first measure over time, with the year before as a thin line."""
    if not looked.trend or looked.empty:
        return None
    measure = looked.answer.measures[0]
    titles = [row.title for row in looked.trend]
    series: list[dict[str, Any]] = [{"name": measure.title, "values": [_number(row.cells[measure.name].value) for row in looked.trend]}]
    if any(looked.past):
        series.append({"name": "上年同期", "values": [_number(value) for value in looked.past], "past": True})
    return {"kind": "trend", "labels": [_short(row.key) for row in looked.trend], "titles": titles, "unit": measure.unit, "series": series, "links": [f"{base}?{question.into(*row.inside)}" if row.inside else "" for row in looked.trend]}


def map_of(looked: Looked, question: Question, base: str) -> dict[str, Any] | None:
    if not looked.areas or looked.empty:
        return None
    measure = looked.answer.measures[0]
    return {
        "kind": "map", "unit": measure.unit, "name": measure.title,
        "areas": [{"code": one.code, "title": one.title, "value": _number(one.value), "link": f"{base}?{question.into(UNIT, one.inside)}" if one.inside else ""} for one in looked.areas],
    }


def _short(code: str) -> str:
    """An axis label: the month, day, week or quarter, with the year where it begins."""
    parts = code.split("..", 1)[0].split("-")
    return parts[0] if len(parts) == 1 else f"{parts[0][2:]}-{parts[1]}" if len(parts) == 2 else f"{parts[1]}-{parts[2]}"


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
