"""委托代办 of one's own, and the hand-over of everything a leaver holds."""
from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.kernel.errors import Conflict, Invalid
from engine.runtime.away import appoint_deputy, appointments, end_deputy
from engine.runtime.hand_over_all import hand_over_all, held_by, require_may_hand_over
from engine.runtime.queries import case_page
from engine.web.answers import done
from engine.web.context import actor, application, identifier, new_key, now, reading, sent_key, today
from engine.web.more_acts import near

blueprint = Blueprint("away", __name__)
STATES = {"now": ("now", "代办中"), "coming": ("none", "还没开始"), "over": ("done", "已到期"), "ended": ("hold", "已收回")}


@blueprint.get("/me/away")
def page() -> ResponseReturnValue:
    return _show({}, "")


def _show(errors: dict[str, str], message: str) -> str:
    with reading() as connection:
        mine, given = appointments(connection, actor=actor(), today=today())
        people = near(connection)
    library = application().library
    titles = {name: library.current("process", name).title for name in library.names("process")}
    return render_template("me/away.html", mine=mine, given=given, people=people, states=STATES, titles=titles, key=new_key(), errors=errors, message=message, form=request.form)


@blueprint.post("/me/away")
def appoint() -> ResponseReturnValue:
    try:
        chosen = request.form.get("people", "")
        if not chosen:
            raise Invalid("请选委托给谁。", fields={"deputy_id": "请选一位同事。"})
        appoint_deputy(
            application(), actor=actor(), deputy_id=identifier(chosen, "同事"), from_on=_day("from_on"), until_on=_day("until_on"),
            processes=request.form.getlist("processes"), reason=request.form.get("reason", ""), key=sent_key(), at=now(),
        )
    except Invalid as error:
        return _show(error.fields, error.message), 422
    except Conflict as error:
        return _show({}, error.message), 409
    return done(url_for("away.page"), "已委托，对方收到了通知。")


def _day(name: str) -> date:
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        raise Invalid("日期没有填对。", fields={name: "请填日期，例如 2026-11-20。"}) from None


@blueprint.post("/me/away/<appointment_id>/end")
def end(appointment_id: str) -> ResponseReturnValue:
    end_deputy(application(), actor=actor(), appointment_id=identifier(appointment_id, "委托"), at=now())
    return done(url_for("away.page"), "委托已收回。")


@blueprint.get("/admin/handover")
def handover() -> ResponseReturnValue:
    """Whose, what there is, and to whom. Without ``from`` only the question whose."""
    leaver = request.args.get("from", "")
    values: dict[str, Any] = {"leaver": None, "held": None}
    with reading() as connection:
        if leaver:
            id = identifier(leaver, "同事")
            require_may_hand_over(connection, actor(), id, at=now())
            names = case_page.people(connection, ids=[id])
            values = {"leaver": {"id": id, "name": names.get(str(id), "")}, "held": held_by(connection, id)}
        return render_template("me/handover.html", people=near(connection), key=new_key(), **values)


@blueprint.post("/admin/handover")
def hand_over() -> ResponseReturnValue:
    chosen = request.form.get("people", "")
    if not chosen:
        raise Invalid("请选交给谁。", fields={"to_person_id": "请选一位同事。"})
    result = hand_over_all(
        application(), actor=actor(), from_person_id=identifier(request.form.get("from", ""), "同事"), to_person_id=identifier(chosen, "同事"),
        reason=request.form.get("reason", ""), key=sent_key(), at=now(),
    )
    told = f"已交接：待办 {result.tasks} 件，征求的意见 {result.asked} 件，承办的案件 {result.cases} 件。"
    refused = f"{len(result.refused)} 件没有交接：{'；'.join(result.refused[:5])}" if result.refused else ""
    again: dict[str, Any] = {"from": request.form.get("from", "")}
    return done(url_for("away.handover", **again), told + refused, kind="late" if refused else "ok")
