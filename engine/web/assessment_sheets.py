"""评分表 of an assessment, edited in the browser: points, formulas, standards, items by hand; every change is a version for later rounds."""
from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.kernel.errors import Invalid
from engine.reporting.assessments.catalogue import get_assessment
from engine.reporting.assessments.declaration import Assessment
from engine.reporting.assessments.several import RULES
from engine.reporting.assessments.sheet import KINDS
from engine.reporting.statistics.catalogue import get_statistic
from engine.runtime.assessments.sheets import save_sheet, sheet_history, sheet_in_force
from engine.runtime.change_counting import may_change_counting
from engine.web.answers import done
from engine.web.context import actor, application, now, reading

blueprint = Blueprint("assessment_sheets", __name__)
FREE, MOST = 3, 60
PARTS = ("key", "title", "kind", "points", "weight", "formula", "standard")


def wanted(pack: str, name: str) -> Assessment:
    return get_assessment(application().library, f"{pack}.{name}")


@blueprint.get("/assessment-sheets/<pack>/<name>")
def page(pack: str, name: str) -> ResponseReturnValue:
    return _show(pack, name)


@blueprint.post("/assessment-sheets/<pack>/<name>")
def keep(pack: str, name: str) -> ResponseReturnValue:
    assessment, items = wanted(pack, name), sent_items()
    try:
        version = save_sheet(application(), actor=actor(), assessment=assessment, items=items, note=request.form.get("note", ""), at=now())
    except Invalid as problem:
        return _show(pack, name, items=items, message=problem.message, errors=problem.fields, note=request.form.get("note", "")), 422
    return done(url_for("assessment_sheets.page", pack=pack, name=name), f"已存为第 {version} 版，以后开的考核按它评分；已经开的不变。")


def sent_items() -> list[dict[str, Any]]:
    """Items as the form sent them; a line without a title is left out. Figures go as ``name=statistic/measure``, one a line."""
    found = []
    for place in range(MOST):
        line = {part: request.form.get(f"i{place}.{part}", "").strip() for part in PARTS}
        if not line["title"]:
            continue
        pairs = (one.partition("=") for one in request.form.get(f"i{place}.figures", "").splitlines() if one.strip())
        figures = {name.strip(): where.strip() for name, _, where in pairs}
        found.append({"several": _several(place), **{part: value for part, value in line.items() if value or part != "weight"}, "figures": figures})
    return found


def _several(place: int) -> dict[str, Any] | None:
    """How several people score the line, as the form sent it: weights go as ``role=number``, one a line."""
    rule, least = (request.form.get(f"i{place}.{part}", "").strip() for part in ("rule", "least"))
    if not rule:
        return None
    pairs = (one.partition("=") for one in request.form.get(f"i{place}.weights", "").splitlines() if one.strip())
    weights = {role.strip(): weight.strip() for role, _, weight in pairs}
    return {"rule": rule, **({"least": least} if least else {}), **({"weights": weights} if weights else {})}


def _show(pack: str, name: str, **more: Any) -> str:
    assessment = wanted(pack, name)
    with reading() as connection:
        version, items = sheet_in_force(connection, application().library, assessment)
        history = sheet_history(connection, assessment)
    plain = [one.plain() for one in items]
    names = sorted({one.statistic for item in (*assessment.items, *items) for one in item.figures.values()})
    statistics = {full: get_statistic(application().library, full)[0] for full in names}
    return render_template(
        "assessments/sheet.html", assessment=assessment, version=version, history=history, pack=pack, name=name, kinds=KINDS, rules=RULES, statistics=statistics, free=FREE, may=may_change_counting(actor()),
        **{"items": plain, "message": "", "errors": {}, "note": "", **more},
    )
