"""目标: what a measure should reach, its lights, since when and why; another one from a day on."""
from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.kernel.errors import Invalid
from engine.reporting.statistics.targets import added_targets
from engine.runtime.change_counting import change_target, may_change_counting, require_change_counting
from engine.web.answers import done
from engine.web.context import actor, application, now, reading
from engine.web.statistics import wanted

blueprint = Blueprint("statistic_targets", __name__)


@blueprint.get("/statistics/<pack>/<name>/targets")
def page(pack: str, name: str) -> ResponseReturnValue:
    return _show(pack, name)


@blueprint.post("/statistics/<pack>/<name>/targets")
def change(pack: str, name: str) -> ResponseReturnValue:
    require_change_counting(actor())
    statistic, _ = wanted(pack, name)
    sent = {key: request.form.get(key, "").strip() for key in ("measure", "since", "good", "fair", "less", "source")}
    try:
        change_target(
            application(), statistic=statistic, actor=actor(), measure=sent["measure"], since=_day(sent["since"]), good=_number(sent["good"], "good"), fair=_number(sent["fair"], "fair"),
            less=sent["less"] == "yes", source=sent["source"], at=now(),
        )
    except Invalid as problem:
        return _show(pack, name, sent=sent, message=problem.message, errors=problem.fields), 422
    return done(url_for("statistic_targets.page", pack=pack, name=name), f"已保存，{sent['since']} 起结束的期间按新目标亮灯，以前的不变。")


def _show(pack: str, name: str, **more: Any) -> str:
    statistic, _ = wanted(pack, name)
    with reading() as connection:
        added = added_targets(connection, statistic=statistic)
    return render_template(
        "statistics/targets.html", statistic=statistic, pack=pack, name=name, added=added, may=may_change_counting(actor()), **{"sent": {}, "message": "", "errors": {}, **more},
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("请写新目标从哪天起。", fields={"since": "选一个日期。"}) from None


def _number(text: str, field: str) -> Decimal | None:
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or abs(value) > 10**12:
        raise Invalid("目标写数字。", fields={field: "写数字，例如 90。"})
    return value
