"""消息配置: which events of cases send a message to whom, in whose name and in what words; who has read it and what they answered."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.kernel.errors import Invalid, NotFound
from engine.runtime.message_rules import CATEGORIES, EVENTS, NAMES, PEOPLE, PLACES, Rule, keep_rule, list_rules, stop_rule, trace_of
from engine.web.answers import done
from engine.web.context import actor, application, identifier, now, reading

blueprint = Blueprint("admin_messages", __name__)
FIELDS = ("title", "category", "event", "case_kind", "condition", "sender", "text")


@blueprint.get("/admin/messages")
def page() -> ResponseReturnValue:
    return _page()


@blueprint.post("/admin/messages")
def add() -> ResponseReturnValue:
    actor().require("admin")
    try:
        keep_rule(application(), actor=actor(), rule=_read(), at=now())
    except Invalid as error:
        return _page(error=error), 422
    return done(url_for("admin_messages.page"), "已保存，从现在起生效。")


@blueprint.get("/admin/messages/<rule_id>")
def one(rule_id: str) -> ResponseReturnValue:
    return _one(identifier(rule_id, "消息规则"))


@blueprint.post("/admin/messages/<rule_id>")
def change(rule_id: str) -> ResponseReturnValue:
    """Keep other words, or stop, as the button says."""
    actor().require("admin")
    id = identifier(rule_id, "消息规则")
    try:
        if request.form.get("what") == "stop":
            stop_rule(application(), actor=actor(), rule_id=id, at=now())
        else:
            keep_rule(application(), actor=actor(), rule=_read(), rule_id=id, at=now())
    except Invalid as error:
        return _one(id, error=error), 422
    return done(url_for("admin_messages.one", rule_id=rule_id), "已记下。")


def _read() -> Rule:
    given = {name: request.form.get(name, "").strip() for name in FIELDS}
    roles = [part for part in request.form.get("roles", "").replace("、", " ").split() if part]
    return Rule(receivers=[*request.form.getlist("receivers"), *roles], **given)


def _choices() -> dict[str, Any]:
    packs = application().catalogue.packs.values()
    kinds = {name: kind.title for pack in packs for name, kind in pack.kinds.items()}
    return {"events": EVENTS, "categories": CATEGORIES, "people": PEOPLE, "kinds": kinds, "names": NAMES, "places": PLACES}


def _page(*, error: Invalid | None = None) -> str:
    actor().require("admin")
    with reading() as connection:
        rules = list_rules(connection)
    return render_template("admin/messages.html", rules=rules, error=error, given=request.form if error else {}, chosen=request.form.getlist("receivers"), **_choices())


def _one(id: UUID, *, error: Invalid | None = None) -> str:
    actor().require("admin")
    with reading() as connection:
        found = [row for row in list_rules(connection) if row["id"] == id]
        trace = trace_of(connection, rule_id=id)
    if not found:
        raise NotFound("没有这条消息规则。")
    row: dict[str, Any] = dict(found[0])
    row["roles"] = "、".join(name for name in row["receivers"] if name not in PEOPLE)
    return render_template("admin/message_rule.html", row=row, trace=trace, error=error, given=request.form if error else row,
                           chosen=request.form.getlist("receivers") if error else row["receivers"], **_choices())
