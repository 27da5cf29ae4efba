"""专题图: one measure of a statistic on the map, by district or street, in ranges; every figure leads to its list."""
from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.kernel.errors import Invalid, NotFound
from engine.reference.boundaries import LEVELS
from engine.reporting.statistics.asked import Question, read_question
from engine.reporting.statistics.ranges import WAYS
from engine.runtime.queries.areas import boundaries
from engine.runtime.queries.statistic_map import Themed, theme, unit_dimensions
from engine.storage.bounded import bounded
from engine.web.context import actor as reader
from engine.web.context import application, reading, today
from engine.web.statistic_charts import list_of
from engine.web.statistics import dimensions_of, quick_picks, wanted

blueprint = Blueprint("statistic_map", __name__)
OWN = ("level", "district", "way", "ends")
DIGITS = 5


@blueprint.get("/maps/areas/<level>.json")
def outlines(level: str) -> ResponseReturnValue:
    """The outlines in use as GeoJSON, to a metre: ``district`` narrows to one."""
    if level not in LEVELS:
        raise NotFound("没有这种区域。")
    with reading() as connection:
        found = boundaries(connection, level=level, district=request.args.get("district", "")[:6])
    features = [{"type": "Feature", "properties": {"code": one.code, "name": one.name}, "geometry": {"type": one.outline["type"], "coordinates": _rounded(one.outline["coordinates"])}} for one in found]
    answer = Response(orjson.dumps({"type": "FeatureCollection", "features": features}), mimetype="application/geo+json")
    answer.add_etag()
    return answer.make_conditional(request)


def _rounded(value: Any) -> Any:
    return [_rounded(one) for one in value] if isinstance(value, list) else round(value, DIGITS)


@blueprint.get("/statistics/<pack>/<name>/map")
def page(pack: str, name: str) -> ResponseReturnValue:
    statistic, table = wanted(pack, name)
    held = unit_dimensions(statistic)
    if not held:
        raise NotFound("这个统计没有按单位的分组，不能上图。")
    pairs = [(key, value) for key, value in request.args.items(multi=True) if key not in OWN]
    if not any(key == "by" for key, _ in pairs):
        pairs.append(("by", held[0]))
    question = read_question(statistic, pairs, on=today())
    own = {key: request.args.get(key, "")[:60] for key in OWN}
    own["way"] = own["way"] or "equal"
    if own["level"] not in ("", *LEVELS) or own["way"] not in WAYS:
        raise Invalid("这个地址里的图形不认识，请从页面重新选。", code="bad_chart")
    problem: Invalid | None = None
    with bounded(application().db, seconds=10) as connection:
        try:
            themed = theme(connection, question=question, table=table, actor=reader(), **own)
        except Invalid as error:
            if own["way"] != "own":
                raise
            problem, themed = error, theme(connection, question=question, table=table, actor=reader(), **{**own, "way": "equal"})
    base = url_for("statistic_map.page", pack=pack, name=name)
    return render_template(
        "statistics/map.html", statistic=statistic, question=question, themed=themed, own=own, problem=problem, pack=pack, name=name, base=base, behind=list_of(statistic), quick=quick_picks(),
        held={key: title for key, title in dimensions_of(statistic).items() if key in held}, ways=WAYS, levels=LEVELS, told=_told(themed, question, base), but=lambda **changes: _but(question, own, changes),
    ), 422 if problem else 200


def _but(question: Question, own: dict[str, str], changes: dict[str, Any]) -> str:
    """This map's address with some of it changed; names of ``OWN`` are the map's, the rest the question's."""
    mine = {**own, **{key: value for key, value in changes.items() if key in OWN}}
    asked = question.but(**{key: value for key, value in changes.items() if key not in OWN})
    return "&".join(part for part in (asked, urlencode({key: value for key, value in mine.items() if value})) if part)


def _told(themed: Themed, question: Question, base: str) -> dict[str, Any]:
    """What the map draws: the rank of each area with its words and where it leads."""
    unit = f" {themed.measure.unit}" if themed.measure.unit else ""
    return {
        "level": themed.level, "classes": len(themed.ends), "outlines": url_for("statistic_map.outlines", level="street", district=themed.district or None) if themed.level == "street" else "",
        "areas": {
            one.row.key: {
                "rank": one.rank, "title": one.row.title, "said": "无" if one.cell.value is None else f"{one.cell.value:,f}{unit}", "behind": f"{list_of(question.statistic)}?{one.cell.behind}" if one.cell.behind else "",
                "inside": f"{base}?{_but(question, {}, {'level': 'street', 'district': one.row.key})}" if themed.level == "district" and one.row.key in themed.streets else "",
            }
            for one in themed.shades
        },
    }
