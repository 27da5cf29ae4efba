"""统计: what is counted, one statistic as its address asks, and its table as a file."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import quote

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Table

from engine.kernel.names import name_of, pack_of
from engine.reporting.statistics.asked import ALWAYS, CHARTS, TOPS, Question, read_question
from engine.reporting.statistics.catalogue import get_statistic, statistics_of
from engine.reporting.statistics.count import TIME
from engine.reporting.statistics.declaration import Statistic
from engine.reporting.statistics.granted import known_to
from engine.reporting.statistics.periods import GRAINS, Period, period_of
from engine.runtime.change_counting import may_change_counting
from engine.runtime.export_statistic import export_statistic
from engine.runtime.queries.statistic_map import unit_dimensions
from engine.runtime.queries.statistic_page import Looked, look
from engine.web import dashboards
from engine.web.context import actor, application, now, reading, today
from engine.web.register_excel import EXCEL
from engine.web.statistic_charts import chart_of, list_of, map_of, trend_of
from engine.web.words import figure

blueprint = Blueprint("statistics", __name__)


def wanted(pack: str, name: str) -> tuple[Statistic, Table]:
    """The statistic of an address; raises NotFound."""
    statistic, table = get_statistic(application().library, f"{pack}.{name}")
    return known_to(statistic, actor()), table


@blueprint.get("/statistics")
def page() -> ResponseReturnValue:
    packs = application().catalogue.packs
    groups: dict[str, list[Statistic]] = {}
    for name, (statistic, _) in sorted(statistics_of(application().library).items()):
        pack = pack_of(name)
        groups.setdefault(packs[pack].title if pack in packs else pack, []).append(statistic)
    with reading() as connection:
        boards = dashboards.mine(connection)
    return render_template("statistics/page.html", groups=groups, boards=boards, pack_of=pack_of, name_of=name_of)


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
        changes=may_change_counting(actor()), themes=unit_dimensions(statistic), chart=chart_of(looked, question, base), trend=trend_of(looked, base, question), places=map_of(looked, question, base),
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
