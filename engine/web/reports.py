"""报告: draft an issue for a period, edit its text, issue it, read it; the text of the template edited in the browser."""
from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import select

from engine.kernel.errors import Invalid, NotFound
from engine.kernel.names import name_of, pack_of
from engine.reporting.reports.declaration import Report
from engine.reporting.reports.paper import body_of
from engine.reporting.reports.text import blocks_of
from engine.reporting.statistics.catalogue import get_statistic
from engine.reporting.statistics.periods import Period, period_of, read_period
from engine.runtime.change_counting import may_change_counting
from engine.runtime.reports import draft, issue
from engine.storage.tables.statistics import report_issue, report_reader
from engine.web.answers import done
from engine.web.context import actor, application, identifier, new_key, now, reading, sent_key, today
from engine.web.statistic_charts import list_of

blueprint = Blueprint("reports", __name__)
LISTED, PERIODS = 50, 13
TYPES = {"word": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "pdf": "application/pdf"}
STATES = {"draft": ("soon", "起草中"), "approving": ("now", "审签中"), "issuing": ("now", "签发中"), "issued": ("ok", "已签发")}


def wanted(pack: str, name: str) -> Report:
    return draft.get_report(application().library, f"{pack}.{name}")


@blueprint.get("/reports")
def page() -> ResponseReturnValue:
    """What the reader may draft, and the newest issues that they may see."""
    reports = draft.reports_of(application().library)
    t = report_issue.c
    with reading() as connection:
        makes = [one for one in reports.values() if draft.may_make(connection, report=one, actor=actor(), at=now())]
        mine = report_reader.alias("mine")
        columns = (t.id, t.report, t.title, t.state, t.by_name, t.at, t.issued_at, mine.c.read_at, mine.c.sent_at)
        statement = select(*columns).join_from(report_issue, mine, (mine.c.issue_id == t.id) & (mine.c.person_id == actor().person_id), isouter=True)
        issues = connection.execute(statement.where(draft.visible_issues(actor())).order_by(t.at.desc()).limit(LISTED)).mappings().all()
    return render_template(
        "reports/page.html", makes=makes, reports=reports.values(), issues=issues, states=STATES, periods=periods_of, pack_of=pack_of, name_of=name_of, may=may_change_counting(actor()), most=LISTED,
    )


def periods_of(report: Report) -> list[Period]:
    """The current period and the last twelve, the last whole one first in mind."""
    found = [period_of(today(), report.period)]
    while len(found) < PERIODS:
        found.append(found[-1].before())
    return found


@blueprint.post("/reports/<pack>/<name>/make")
def make(pack: str, name: str) -> ResponseReturnValue:
    id = draft.make_issue(application(), actor=actor(), report=wanted(pack, name), period=request.form.get("period", ""), at=now())
    return done(url_for("reports.one", issue_id=id), "已经起草，数字取于此刻，不会再变。文字可以改，改好交签发人签发。")


@blueprint.get("/reports/<pack>/<name>/template")
def template(pack: str, name: str) -> ResponseReturnValue:
    return _template(wanted(pack, name))


@blueprint.post("/reports/<pack>/<name>/template")
def keep_template(pack: str, name: str) -> ResponseReturnValue:
    """Try the text out for the last period, or keep it, as the button says."""
    report, body = wanted(pack, name), request.form.get("body", "")
    try:
        if request.form.get("what") == "keep":
            version = draft.save_text(application(), actor=actor(), report=report, body=body, note=request.form.get("note", ""), at=now())
            return done(url_for("reports.template", pack=pack, name=name), f"已存为第 {version} 版，以后起草的按它写。")
        tried = _try(report, body)
    except Invalid as problem:
        return _template(report, body=body, message=problem.message, note=request.form.get("note", "")), 422
    return _template(report, body=body, tried=tried, note=request.form.get("note", ""))


def _try(report: Report, body: str) -> Markup:
    period = period_of(today() - timedelta(days=1), report.period)
    with reading() as connection:
        source = draft.Snapshot(connection, library=application().library, report=report, period=period, actor=actor(), at=now())
        text = draft.fill(body.replace("\r\n", "\n"), source, period=period.title, unit=actor().unit_name, today=f"{today():%Y-%m-%d}")
    return Markup(body_of(blocks_of(text), source.parts))


def _template(report: Report, *, body: str | None = None, **more: Any) -> str:
    with reading() as connection:
        version, text = draft.text_in_force(connection, report)
        history = draft.history_of(connection, report)
    statistics = {short: get_statistic(application().library, full)[0] for short, full in report.statistics.items()}
    return render_template(
        "reports/template.html", report=report, body=text if body is None else body, version=version, history=history, statistics=statistics, pack=pack_of(report.name), name=name_of(report.name),
        may=may_change_counting(actor()), **{"message": "", "tried": None, "note": "", **more},
    )


@blueprint.get("/reports/issues/<issue_id>")
def one(issue_id: str) -> ResponseReturnValue:
    return _show(identifier(issue_id, "报告"))


def _show(id: Any, **more: Any) -> str:
    issue.mark_read(application(), actor=actor(), issue_id=id, at=now())
    with reading() as connection:
        row = draft.find_issue(connection, actor=actor(), issue_id=id)
        draft.require_readable(application().library, row, actor())
        report = draft.reports_of(application().library).get(row["report"])
        by_process = report is not None and bool(report.approval)
        issues = row["state"] == "draft" and report is not None and not by_process and draft.may_issue(connection, report=report, actor=actor(), unit_id=row["unit_id"], at=now())
        edits = draft.may_edit(connection, library=application().library, row=row, actor=actor(), at=now())
        readers = issue.receipts(connection, issue_id=id) if row["state"] == "issued" else []
    text = more.get("body", row["body"])
    mine = row["by_id"] == actor().person_id
    values = {
        "row": row, "title": row["title"], "body": text, "period": read_period(row["period"]).title, "paper": Markup(body_of(blocks_of(text), row["figures"]["parts"])),
        "may_edit": edits, "may_issue": issues and not mine, "may_submit": by_process and mine and row["state"] == "draft", "by_process": by_process, "key": new_key(), "mine": mine, "readers": readers, "states": STATES, "figures": _figures(row), "message": "",
    }
    return render_template("reports/issue.html", **{**values, **more})


def _figures(row: Any) -> list[dict[str, str]]:
    """The figures that the text named, each with the list behind it as it is today."""
    found = []
    for told in row["figures"]["figures"]:
        try:
            statistic, _ = get_statistic(application().library, told["statistic"])
        except NotFound:
            continue
        measure = statistic.measures.get(told["measure"])
        if measure is not None and told["what"] == "value":
            found.append({"title": f"{statistic.title}：{measure.title}", "value": told["value"] or "无", "unit": measure.unit, "link": f"{list_of(statistic)}?{told['behind']}" if told["behind"] else ""})
    return list({one["title"]: one for one in found}.values())


@blueprint.post("/reports/issues/<issue_id>/<any(save, issue, submit):act>")
def handle(issue_id: str, act: str) -> ResponseReturnValue:
    id = identifier(issue_id, "报告")
    if act == "issue":
        issue.issue_report(application(), actor=actor(), issue_id=id, at=now())
        return done(url_for("reports.one", issue_id=id), "已签发，后台正在生成 PDF 和 Word，生成后发给收件人。")
    if act == "submit":
        case_id = issue.submit_issue(application(), actor=actor(), issue_id=id, key=sent_key(), at=now())
        return done(url_for("case_page.case", case_id=case_id), "已送审。")
    title, body = request.form.get("title", ""), request.form.get("body", "")
    try:
        draft.save_issue(application(), actor=actor(), issue_id=id, title=title, body=body, rev=request.form.get("rev", -1, type=int), at=now())
    except Invalid as problem:
        return _show(id, title=title, body=body, message=problem.message), 422
    return done(url_for("reports.one", issue_id=id), "已保存。")


@blueprint.get("/reports/issues/<issue_id>/file/<any(word, pdf):kind>")
def file(issue_id: str, kind: str) -> ResponseReturnValue:
    id = identifier(issue_id, "报告")
    with reading() as connection:
        row = draft.find_issue(connection, actor=actor(), issue_id=id)
    draft.require_readable(application().library, row, actor())
    sm3, name = issue.file_of(row, kind)
    answer: Response = send_file(application().blobs.path(sm3), mimetype=TYPES[kind])
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return answer
