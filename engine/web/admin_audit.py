"""审计: alarms, the trail narrowed by who, what, when and which case, verification on demand, traces of what was taken out."""
from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Row

from engine.access import alarms, audit_queries, audit_report
from engine.access.audit import note
from engine.access.guarding import order_check
from engine.kernel.clock import SHANGHAI
from engine.kernel.errors import Invalid
from engine.web.answers import done
from engine.web.context import actor, application, identifier, now, reading, writing

blueprint = Blueprint("admin_audit", __name__)
AUDITOR = alarms.AUDITOR


@blueprint.get("/admin/audit")
def page() -> ResponseReturnValue:
    return _page()


@blueprint.post("/admin/audit/verify")
def verify() -> ResponseReturnValue:
    """Order a verification of everything; the worker does it."""
    actor().require(AUDITOR)
    with writing() as connection:
        order_check(application(), connection)
    return done(url_for("admin_audit.page"), "正在从第一条核对起，结果几秒后出现在下面；有问题会成为告警。")


@blueprint.post("/admin/audit/alarms/<alarm_id>")
def close(alarm_id: str) -> ResponseReturnValue:
    actor().require(AUDITOR)
    try:
        with writing() as connection:
            alarms.close_alarm(connection, actor=actor(), alarm_id=identifier(alarm_id, "告警"), reason=request.form.get("reason", ""), at=now())
    except Invalid as error:
        return _page(error=error.message), 422
    return done(url_for("admin_audit.page"), "已记下查明的原因，告警结束。")


@blueprint.get("/admin/audit/records.csv")
def export() -> ResponseReturnValue:
    """The list as it is narrowed, up to MOST rows; that it was taken out is on record."""
    actor().require(AUDITOR)
    asked = _asked()
    with writing() as connection:
        note(connection, actor=actor(), at=now(), action="trace.export", object="audit", network=request.remote_addr or "", detail={"query": request.query_string.decode()[:500]})
    with reading() as connection:
        rows = audit_queries.records(connection, asked, limit=audit_queries.MOST)[: audit_queries.MOST]
    answer = Response("\ufeff" + "".join(_lines(rows)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=audit.csv"
    return answer


def _lines(rows: Sequence[Row[Any]]) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["链", "序号", "时间", "姓名", "动作", "对象", "案件", "详情", f"{actor().name} {now().astimezone(SHANGHAI):%Y-%m-%d %H:%M} 导出"])
    for row in rows:
        values = row._mapping
        cells = [values["chain"], values["seq"], values["at"].astimezone(SHANGHAI).isoformat(), values["actor_name"], values["action"], values["object"], values["case_id"] or "", values["detail"]]
        writer.writerow([_harmless(str(cell)) for cell in cells])
    yield out.getvalue()


def _harmless(text: str) -> str:
    """A cell that a spreadsheet would run as a formula stands as text."""
    return "'" + text if text[:1] in "=+-@\t\r" else text


def _asked() -> audit_queries.Asked:
    given = request.args
    case = given.get("case", "").strip()
    return audit_queries.Asked(
        kind=given.get("kind", ""), name=given.get("name", "").strip()[:50], case_id=_uuid(case) if case else None, first=_day(given.get("from", "")),
        last=_day(given.get("until", "")), after=_after(given.get("after", "")),
    )


def _uuid(text: str) -> UUID:
    """A case's id, or the last part of its page's address."""
    return identifier(text.rstrip("/").rpartition("/")[2], "案件")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid("日期应写成 2026-11-20 的样子。") from None


def _after(text: str) -> tuple[datetime, str, int] | None:
    at, _, place = text.partition("|")
    chain, _, seq = place.rpartition("|")
    try:
        return (datetime.fromisoformat(at), chain, int(seq)) if text else None
    except ValueError:
        raise Invalid("这一页的地址不完整，请从第一页翻起。") from None


def _page(*, error: str = "") -> str:
    actor().require(AUDITOR)
    asked = _asked()
    with reading() as connection:
        rows = audit_queries.records(connection, asked)
        state, open_alarms = audit_queries.state(connection), alarms.alarms(connection)
        views = audit_report.views(connection, person_id=actor().person_id)
    shown, more = rows[: audit_queries.PAGE], len(rows) > audit_queries.PAGE
    after = f"{shown[-1].at.isoformat()}|{shown[-1].chain}|{shown[-1].seq}" if more else ""
    return render_template(
        "admin/audit.html", rows=shown, after=after, state=state, alarms=open_alarms, kinds=audit_queries.KINDS, word_of=audit_queries.word_of, asked=asked,
        levels=alarms.LEVELS, alarm_kinds=alarms.KINDS, error=error, views=views,
    )
