"""保管与销毁: rules with their law, cases whose time is over, the list of destruction."""
from __future__ import annotations

from datetime import date

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.access import alarms
from engine.kernel.errors import Forbidden, Invalid
from engine.runtime import retention
from engine.web.admin_security import require_reader
from engine.web.answers import done
from engine.web.context import actor, application, identifier, now, reading, today

blueprint = Blueprint("admin_retention", __name__)
STATES = {"proposed": ("wait", "待决定"), "done": ("done", "已销毁"), "kept": ("hold", "继续保管")}


@blueprint.get("/admin/retention")
def page() -> ResponseReturnValue:
    return _page()


@blueprint.post("/admin/retention/rules")
def add() -> ResponseReturnValue:
    actor().require(alarms.SECURITY)
    try:
        given = request.form
        retention.add_rule(
            application(), actor=actor(), subject=given.get("subject", ""), years=given.get("years", 0, type=int), forever="forever" in given, law=given.get("law", ""),
            valid_from=_day(given.get("from", "")), at=now(),
        )
    except Invalid as error:
        return _page(error=error.message), 422
    return done(url_for("admin_retention.page"), "已记下。")


@blueprint.post("/admin/retention/proposals")
def propose() -> ResponseReturnValue:
    count = retention.propose(application(), actor=actor(), case_ids=[identifier(text, "案件") for text in request.form.getlist("case")], at=now())
    return done(url_for("admin_retention.page"), f"已提请销毁 {count} 件，由审计员决定。" if count else "没有选中到期的案件。")


@blueprint.post("/admin/retention/proposals/<destruction_id>")
def decide(destruction_id: str) -> ResponseReturnValue:
    destroy = request.form.get("what") == "destroy"
    try:
        retention.decide(
            application(), actor=actor(), destruction_id=identifier(destruction_id, "销毁"), destroy=destroy, reason=request.form.get("reason", ""), at=now(),
        )
    except Invalid as error:
        return _page(error=error.message), 422
    except Forbidden as error:
        return _page(error=error.message), 403
    return done(url_for("admin_retention.page"), "已销毁，办理经过和审计记录保留。" if destroy else "继续保管。")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("请写明从哪一天起。") from None


def _kinds() -> dict[str, str]:
    """{<pack>.<kind>: title} of every kind of case."""
    found = {}
    for pack, manifest in sorted(application().catalogue.packs.items()):
        found.update({f"{pack}.{name.rpartition('.')[2]}": kind.title for name, kind in manifest.kinds.items()})
    return found


def _page(*, error: str = "") -> str:
    require_reader()
    with reading() as connection:
        values = {"rules": retention.rules(connection), "due": retention.due_cases(connection, on=today()), "listed": retention.listed(connection)}
    rights = actor().rights
    return render_template(
        "admin/retention.html", **values, states=STATES, error=error, kinds=_kinds(), may_propose=alarms.SECURITY in rights, may_decide=alarms.AUDITOR in rights,
    )
