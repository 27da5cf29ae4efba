"""期限配置: what the law sets and how it warns, with history; a new value or warning model is tried out, then kept from its day on."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from engine.deadlines.board import board_root, clock_names
from engine.deadlines.models import behaviour, load_models, models_of
from engine.deadlines.rules import HOURS, UNITS, ClockRule, quantity, rule_of
from engine.deadlines.steps import PEOPLE, WARNINGS, parse_steps
from engine.kernel.errors import Forbidden, Invalid, NotFound
from engine.kernel.names import is_name
from engine.reference.parameters import find_value, history_of
from engine.runtime.change_limit import change_limit, limit_effect, rule_words
from engine.runtime.change_warning import change_warning, warning_effect
from engine.web.answers import done
from engine.web.context import actor, application, now, reading, today

blueprint = Blueprint("clock_limits", __name__)
ROWS = 8
SIDES = {"before": "届满前", "after": "届满后"}


@blueprint.get("/clocks/limits")
def page() -> ResponseReturnValue:
    """Every clock by pack, with what is in force today."""
    groups: dict[str, list[dict[str, Any]]] = {}
    packs = application().catalogue.packs
    with reading() as connection:
        for name in clock_names(connection, on=today()):
            pack = name.name.split(".", 1)[0]
            groups.setdefault(packs[pack].title if pack in packs else pack, []).append(_brief(connection, name.name, name.title))
    return render_template("clocks/limits.html", groups=groups, leads=board_root(actor()) is not None)


def _brief(connection: Connection, name: str, title: str) -> dict[str, Any]:
    found = find_value(connection, name=name, on=today())
    pack, short = name.split(".", 1)
    row: dict[str, Any] = {"title": title, "url": url_for("clock_limits.one", pack=pack, name=short), "amount": "没有生效的值", "law": "", "rule": [], "warns": 0}
    if found is None:
        return row
    rule = rule_of(found)
    does = behaviour(rule, clock=name, models=load_models(connection), on=today())
    return {**row, "amount": quantity(rule.amount, rule.unit), "law": rule.law, "rule": rule_words(rule), "warns": sum(step.kind in WARNINGS for step in does.steps)}


@blueprint.get("/clocks/limits/<pack>/<name>")
def one(pack: str, name: str) -> ResponseReturnValue:
    return _show(pack, name)


@blueprint.post("/clocks/limits/<pack>/<name>/value")
def value(pack: str, name: str) -> ResponseReturnValue:
    """Try a value out, or keep it, as the button says."""
    _require_admin()
    full = _full(pack, name)
    try:
        asked = _asked_value(full)
        if request.form.get("what") == "keep":
            change_limit(application(), actor=actor(), at=now(), **asked)
            return done(url_for("clock_limits.one", pack=pack, name=name), f"已保存，{asked['valid_from']} 起开始的期限按新的计算。")
        with reading() as connection:
            effect = limit_effect(connection, on=today(), **asked)
    except Invalid as error:
        return _show(pack, name, message=error.message, errors=error.fields, tab="value"), 422
    return _show(pack, name, effect=effect, tab="value")


@blueprint.post("/clocks/limits/<pack>/<name>/warning")
def warning(pack: str, name: str) -> ResponseReturnValue:
    """Try a warning model out, or keep it, as the button says."""
    _require_admin()
    full = _full(pack, name)
    try:
        asked: dict[str, Any] = {"clock": full, "soon": _soon(), "steps": _steps(), "valid_from": _day("valid_from")}
        if request.form.get("what") == "keep":
            change_warning(application(), actor=actor(), at=now(), source=request.form.get("source", ""), **asked)
            return done(url_for("clock_limits.one", pack=pack, name=name), f"预警模型已保存，{asked['valid_from']} 起生效，正在计算的期限也按它提醒。")
        with reading() as connection:
            tried = warning_effect(connection, clock=full, soon=asked["soon"], steps=asked["steps"], on=today(), at=now())
    except Invalid as error:
        return _show(pack, name, message=error.message, errors=error.fields, tab="warning"), 422
    return _show(pack, name, tried=tried, tab="warning")


def _require_admin() -> None:
    if "admin" not in actor().rights:
        raise Forbidden("只有系统管理员能调整期限和预警，您可以查看现在的规定和历史。")


def _full(pack: str, name: str) -> str:
    if not (is_name(pack) and is_name(name)):
        raise NotFound("没有这项期限。")
    return f"{pack}.{name}"


def _show(
    pack: str, name: str, *, message: str = "", errors: Mapping[str, str] | None = None, effect: Any = None, tried: Any = None, tab: str = ""
) -> str:
    full = _full(pack, name)
    with reading() as connection:
        history = history_of(connection, name=full)
        if not history or history[0].unit not in UNITS | HOURS:
            raise NotFound("没有这项期限。")
        current = find_value(connection, name=full, on=today()) or history[0]
        models, rule = models_of(connection, clock=full), rule_of(current)
        does = behaviour(rule, clock=full, models=load_models(connection), on=today())
    packs = application().catalogue.packs
    return render_template(
        "clocks/limit.html", pack=pack, name=name, pack_title=packs[pack].title if pack in packs else pack, current=current, rule=rule, words=rule_words(rule), does=does,
        history=[(row, quantity(int(row.value or 0), row.unit) if row.value else "") for row in history], models=[(row, _model_words(row["model"])) for row in models],
        quantity=quantity, form=request.form, message=message, errors=errors or {}, effect=effect, tried=tried, tab=tab, people=PEOPLE, sides=SIDES, warnings=WARNINGS,
        rows=_form_rows(does), soon=_parts(request.form.get("soon_amount"), request.form.get("soon_unit"), does.soon), admin="admin" in actor().rights,
        unit_word=(UNITS | HOURS)[rule.unit], units=_units(rule), leads=board_root(actor()) is not None,
    )


def _units(rule: ClockRule) -> dict[str, str]:
    return {"hour": "小时", "working_day": "个工作日", "day": "日"} if rule.in_hours else {"working_day": "个工作日", "day": "日"}


def _parts(amount: str | None, unit: str | None, current: str) -> tuple[str, str]:
    if amount is not None:
        return amount, unit or "working_day"
    first, _, second = current.partition(" ")
    return first, second or "working_day"


def _model_words(model: Mapping[str, Any]) -> list[str]:
    soon = [f"{model['soon'].replace(' working_day', ' 个工作日').replace(' day', ' 日').replace(' hour', ' 小时')}起亮黄灯"] if model.get("soon") else []
    return [*soon, *(f"{step.when_words}{step.does_words}{f'：{step.text}' if step.text else ''}" for step in parse_steps(model.get("steps") or []))]


def _form_rows(does: Any) -> list[dict[str, Any]]:
    """The rows of the form: what was sent, else what is in force, then empty ones."""
    if "row-0-side" in request.form:
        rows = [{"amount": request.form.get(f"row-{n}-amount", ""), "unit": request.form.get(f"row-{n}-unit"), "side": request.form.get(f"row-{n}-side"), "kind": request.form.get(f"row-{n}-kind"),
                 "who": request.form.getlist(f"row-{n}-who"), "text": request.form.get(f"row-{n}-text", "")} for n in range(ROWS)]
        return [{**row, "n": n} for n, row in enumerate(rows)]
    rows = [{"amount": step.amount, "unit": step.unit, "side": "before" if step.side == "before" else "after", "kind": step.kind, "who": list(step.names), "text": step.text}
            for step in does.steps if step.kind in WARNINGS][:ROWS]
    rows += [{"amount": "", "unit": "working_day", "side": "before", "kind": "remind", "who": [], "text": ""} for _ in range(min(3, ROWS - len(rows)))]
    return [{**row, "n": n} for n, row in enumerate(rows)]


def _steps() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for n in range(ROWS):
        amount, text = request.form.get(f"row-{n}-amount", "").strip(), request.form.get(f"row-{n}-text", "").strip()
        kind, who = request.form.get(f"row-{n}-kind", "remind"), request.form.getlist(f"row-{n}-who")
        if not amount and not who and not text:
            continue
        if not amount.isdigit():
            raise Invalid(f"第 {n + 1} 条提醒要写天数（整数，届满当日写 0）。")
        unit, side = request.form.get(f"row-{n}-unit", "working_day"), request.form.get(f"row-{n}-side", "before")
        when = "end" if side == "after" and int(amount) == 0 else f"{int(amount)} {unit} {side}"
        if kind in ("soon", "late"):
            found.append({"when": when, "light": kind})
            continue
        if not who:
            raise Invalid(f"第 {n + 1} 条提醒要选提醒谁。")
        found.append({"when": when, kind: who, **({"text": text[:200]} if text else {})})
    return found


def _soon() -> str:
    amount = request.form.get("soon_amount", "").strip()
    if amount and not amount.isdigit():
        raise Invalid("黄灯提前量要写整数。", fields={"soon_amount": "请写整数，不写就是最后一天。"})
    return f"{int(amount)} {request.form.get('soon_unit', 'working_day')}" if amount else ""


def _day(field: str) -> date:
    try:
        return date.fromisoformat(request.form.get(field, ""))
    except ValueError:
        raise Invalid("请填生效日期。", fields={field: "请填日期，如 2027-01-01。"}) from None


def _number(field: str, what: str) -> int | None:
    text = request.form.get(field, "").strip()
    if not text:
        return None
    if not text.isdigit():
        raise Invalid(f"{what}要写整数。", fields={field: "请写整数。"})
    return int(text)


def _asked_value(full: str) -> dict[str, Any]:
    amount = _number("value", "期限")
    if amount is None:
        raise Invalid("请填期限。", fields={"value": "请写整数。"})
    extension = {key: _number(f"extension_{key}", word) for key, word in (("times", "延长次数"), ("amount", "每次延长"), ("total", "合计延长"))}
    with reading() as connection:
        history = history_of(connection, name=full)
    if not history:
        raise NotFound("没有这项期限。")
    kept = (history[0].rule.get("extension") or {}) if history else {}
    merged = {**{key: kept[key] for key in ("unit", "roles") if key in kept}, **{key: number for key, number in extension.items() if number is not None}}
    times = _number("suspension_times", "暂停次数")
    detail: dict[str, Any] = {"extension": merged or None, "suspension": None if times is None else {"times": times}}
    if history[0].unit not in HOURS:
        detail |= {"count_first_day": request.form.get("count_first_day") == "yes", "roll_rest_day": request.form.get("roll_rest_day") == "yes"}
    return {"clock": full, "value": amount, "valid_from": _day("valid_from"), "source": request.form.get("source", ""), "detail": detail}
