"""异常: automatic steps and assignments that failed; an operator retries or skips them with a reason."""
from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.kernel.errors import Invalid, NotFound
from engine.runtime import start_failures
from engine.runtime.incidents import OPERATOR, retry_incident, skip_incident
from engine.runtime.queries import incidents as query
from engine.runtime.queries import jobs as job_query
from engine.web.answers import done
from engine.web.context import actor, application, identifier, new_key, now, reading, sent_key

blueprint = Blueprint("incidents", __name__)
KINDS = {"service": "自动步骤出错", "assignment": "找不到办理人", "expression": "条件算不出来", "error_uncaught": "报错没有人接", "timer": "定时出错"}
STATES = {"open": ("late", "待处理"), "retried": ("done", "已重试"), "skipped": ("hold", "已跳过"), "resolved": ("done", "已恢复")}


@blueprint.get("/incidents")
def page() -> ResponseReturnValue:
    actor().require(OPERATOR)
    case = request.args.get("case")
    open_only = request.args.get("show") != "all"
    with reading() as connection:
        rows = query.listed(connection, actor=actor(), open_only=open_only, case_id=identifier(case, "案件") if case else None)
        starts = start_failures.listed(connection, actor=actor(), open_only=open_only) if not case else []
    return render_template("incidents/page.html", rows=rows, starts=starts, open_only=open_only, kinds=KINDS, states=STATES, key=new_key())


@blueprint.get("/incidents/<incident_id>")
def one(incident_id: str) -> ResponseReturnValue:
    return _show(incident_id)


@blueprint.post("/incidents/<incident_id>")
def handle(incident_id: str) -> ResponseReturnValue:
    """Retry or skip, as the button says."""
    id = identifier(incident_id, "异常")
    reason = request.form.get("reason", "")
    verb = skip_incident if request.form.get("what") == "skip" else retry_incident
    try:
        verb(application(), actor=actor(), incident_id=id, reason=reason, key=sent_key(), at=now())
    except Invalid as error:
        return _show(incident_id, errors=error.fields, reason=reason), 422
    return done(url_for("incidents.page"), "已跳过，流程往下走了。" if verb is skip_incident else "已重试，结果稍后会显示在案件里；再出错会重新列在这里。")


@blueprint.post("/incidents/starts/<failure_id>/<what>")
def handle_start(failure_id: str, what: str) -> ResponseReturnValue:
    """Retry or skip a case that should have begun by itself."""
    actor().require(OPERATOR)
    verbs = {"retry": (start_failures.retry_start, "已重新排队，马上再试；再不成功会重新列在这里。"), "skip": (start_failures.skip_start, "已跳过，不再发起。")}
    if what not in verbs:
        raise NotFound("没有这个操作。")
    verb, words = verbs[what]
    verb(application(), actor=actor(), failure_id=identifier(failure_id, "发起"), reason=request.form.get("reason", ""), at=now())
    return done(url_for("incidents.page"), words)


def _show(incident_id: str, *, errors: dict[str, str] | None = None, reason: str = "") -> str:
    actor().require(OPERATOR)
    with reading() as connection:
        row = query.one(connection, actor=actor(), incident_id=identifier(incident_id, "异常"))
        row["next_try"] = job_query.next_try(connection, effect_id=str(row["effect_id"])) if row["effect_id"] else None
    definition = application().library.definition(row["definition_id"])
    return render_template(
        "incidents/one.html", row=row, definition=definition, kinds=KINDS, states=STATES, errors=errors or {}, reason=reason, key=new_key(),
    )
