"""口径: how a statistic counts, since when and why; another rule is tried out over the last months, then kept from its day on."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from engine.kernel.errors import Invalid
from engine.registers.conditions import Condition, told_condition
from engine.registers.declaration import Field
from engine.reporting.statistics.declaration import Rule, Statistic
from engine.reporting.statistics.rules import added_rules, with_rules
from engine.runtime.change_counting import change_counting, may_change_counting, require_change_counting, try_counting
from engine.web.answers import done
from engine.web.condition_rows import GROUPS, HOW, WORDS, Column, Line, columns_of, lines_of, read_lines, sent_lines
from engine.web.context import actor, application, now, reading, today
from engine.web.statistics import wanted

blueprint = Blueprint("statistic_rules", __name__)


@blueprint.get("/statistics/<pack>/<name>/rules")
def page(pack: str, name: str) -> ResponseReturnValue:
    return _show(pack, name, measure=request.args.get("measure", ""))


@blueprint.post("/statistics/<pack>/<name>/rules")
def change(pack: str, name: str) -> ResponseReturnValue:
    """Try a rule out, or keep it, as the button says."""
    require_change_counting(actor())
    statistic, table = wanted(pack, name)
    measure, lines = request.form.get("measure", ""), sent_lines(request.form)
    sent: dict[str, Any] = {"measure": measure, "lines": lines, "how": request.form.get("how", "any"), "since": request.form.get("since", ""), "source": request.form.get("source", "")}
    try:
        with reading() as connection:
            where = read_lines(request.form, columns_of(connection, statistic.register), statistic.register)
            since = _day(sent["since"])
            if request.form.get("what") != "keep":
                tried = try_counting(connection, statistic=statistic, table=table, actor=actor(), measure=measure, since=since, where=where, on=today())
                return _show(pack, name, **sent, tried=tried)
        change_counting(application(), statistic=statistic, actor=actor(), measure=measure, since=since, where=where, source=sent["source"], at=now())
    except Invalid as problem:
        return _show(pack, name, **sent, message=problem.message, errors=problem.fields), 422
    return done(url_for("statistic_rules.page", pack=pack, name=name, measure=measure), f"已保存，{since} 起的记录按新口径统计，以前的不变。")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("请写新口径从哪天起。", fields={"since": "选一个日期。"}) from None


def _show(pack: str, name: str, *, measure: str, lines: Sequence[Line] | None = None, how: str = "any", **more: Any) -> str:
    statistic, _ = wanted(pack, name)
    with reading() as connection:
        added, columns = added_rules(connection, statistic=statistic), columns_of(connection, statistic.register)
        counted = with_rules(statistic, added)
        offered = [one for one in statistic.measures.values() if one.over != "share"]
        chosen = measure if measure in {one.name for one in offered} else offered[0].name
        if lines is None:
            rules = counted.measures[chosen].rules
            how, lines = lines_of(rules[-1].where if rules else None, columns)
        said = _sayer(connection, columns)
        base = said(statistic.where) if statistic.where is not None else ""
        rules_of = {one.name: [(rule.since, said(rule.where), rule.source) for rule in counted.measures[one.name].rules or (Rule(since=None, where=None),)] for one in offered}
        history = [(one, said(one.where)) for one in reversed(added)]
    return render_template(
        "statistics/rules.html", statistic=statistic, pack=pack, name=name, offered=offered, measure=chosen, lines=lines, how=how, columns=columns, groups=GROUPS, hows=HOW, words=WORDS,
        rules_of=rules_of, base=base, history=history, may=may_change_counting(actor()), shares=_shares(statistic), **{"tried": None, "message": "", "errors": {}, "since": "", "source": "", **more},
    )


def _sayer(connection: Connection, columns: Sequence[Column]) -> Callable[[Condition | None], str]:
    titles: Mapping[str, Mapping[str, str]] = {one.field.name: dict(one.options) for one in columns}

    def title(field: Field, value: str) -> str:
        return titles.get(field.name, {}).get(value, value)

    return lambda condition: "全部都算" if condition is None else told_condition(condition, title)


def _shares(statistic: Statistic) -> list[tuple[str, str]]:
    """(title, how it is reckoned) of measures that others make up."""
    found = []
    for one in statistic.measures.values():
        if one.parts:
            part, whole = (statistic.measures[name].title for name in one.parts)
            found.append((one.title, f"{part} ÷ {whole} × 100%"))
    return found
