"""数据交换: what is exchanged with outside systems, how far, what was not taken, and 对账 of a day."""
from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.kernel.errors import Invalid, TryAgain
from engine.runtime.exchange import listed
from engine.runtime.exchange.compare import Compared, compare_day, fetch_missing
from engine.runtime.exchange.run_exchange import OPERATOR, connected, exchange_now, steer_exchange
from engine.runtime.queries.pages import decode, encode
from engine.web.answers import done
from engine.web.context import actor, application, now, reading, today

blueprint = Blueprint("exchanges", __name__)
STATES = {"": "全部", "refused": "没有接收", "done": "已接收"}


@blueprint.get("/exchanges")
def page() -> ResponseReturnValue:
    actor().require(OPERATOR)
    app = application()
    with reading() as connection:
        counted, states = listed.counts(connection), listed.states(connection)
        rows = [
            {"one": one, "state": states.get(name, listed.NEVER), "connected": connected(app, one), "simulated": _simulated(one.system), "system": _title(one.system), "done": counted.get((name, "done"), 0), "refused": counted.get((name, "refused"), 0)}
            for name, one in sorted(listed.exchanges_of(app.catalogue).items())
        ]
    return render_template("exchanges/page.html", rows=rows)


def _title(system: str) -> str:
    found = application().connectors.find(system)
    return found.title if found else system


def _simulated(system: str) -> bool:
    found = application().connectors.find(system)
    return found is not None and found.config(application().settings).simulated


@blueprint.get("/exchanges/<name>")
def one(name: str) -> ResponseReturnValue:
    actor().require(OPERATOR)
    exchange = listed.get_exchange(application().catalogue, name)
    state = request.args.get("state", "")
    if state not in STATES:
        raise Invalid("没有这一类，请从列出的里选。", code="bad_filter")
    place = decode(request.args["after"], length=2) if request.args.get("after") else None
    after = (datetime.fromisoformat(str(place[0])), UUID(str(place[1]))) if place else None
    with reading() as connection:
        rows = listed.items(connection, exchange=name, state=state, after=after)
        held = listed.state_of(connection, name)
    shown = rows[: listed.SIZE]
    following = encode([shown[-1]["at"].isoformat(), shown[-1]["id"]]) if len(rows) > listed.SIZE else None
    day = _day()
    compared, problem = _compared(name, day) if request.args.get("day") else (None, "")
    return render_template(
        "exchanges/one.html", exchange=exchange, system=_title(exchange.system), simulated=_simulated(exchange.system), connected=connected(application(), exchange), held=held, rows=shown,
        following=following, state=state, states=STATES, day=day, compared=compared, problem=problem,
    )


def _day() -> date:
    try:
        return date.fromisoformat(request.args["day"]) if request.args.get("day") else today() - timedelta(days=1)
    except ValueError:
        raise Invalid("日期写成 2026-11-20。", code="bad_filter") from None


def _compared(name: str, day: date) -> tuple[Compared | None, str]:
    try:
        return compare_day(application(), name=name, day=day), ""
    except TryAgain as problem:
        return None, str(problem)


@blueprint.post("/exchanges/<name>/<any(run, stop, resume, fetch):act>")
def handle(name: str, act: str) -> ResponseReturnValue:
    """run: now; stop and resume; fetch: what 对账 found missing or refused."""
    back = url_for("exchanges.one", name=name, day=request.form.get("day") or None)
    if act == "run":
        queued = exchange_now(application(), actor=actor(), name=name, at=now())
        return done(back, "已排队，马上交换。" if queued else "正在交换，稍后刷新看结果。")
    if act == "fetch":
        try:
            looked = fetch_missing(application(), actor=actor(), name=name, keys=request.form.getlist("key"), at=now())
        except TryAgain as problem:
            return done(back, f"没有取到：{problem}", kind="warn")
        return done(back, f"取了 {looked} 条，结果见下面的记录。")
    steer_exchange(application(), actor=actor(), name=name, stop=act == "stop", reason=request.form.get("reason", ""), at=now())
    return done(back, "已停止，恢复以前不再交换。" if act == "stop" else "已恢复。")
