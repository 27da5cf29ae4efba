"""审计报表: figures by day and group as a chart and a table, to Excel's CSV, whole days carried off, queries kept under a name."""
from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from engine.access import alarms, audit_report
from engine.access.audit import note
from engine.access.audit_report import GROUPS, OTHER, Report
from engine.kernel.errors import Invalid
from engine.web.answers import done
from engine.web.context import actor, application, identifier, now, reading, today, writing
from engine.web.words import stamp

blueprint = Blueprint("admin_audit_report", __name__)
TITLES = {**{name: title for name, (title, _) in GROUPS.items()}, OTHER: "其他"}


@blueprint.get("/admin/audit/report")
def page() -> ResponseReturnValue:
    found = _report()
    return render_template("admin/audit_report.html", report=found, titles=TITLES, bars=list(_bars(found)))


@blueprint.get("/admin/audit/report.csv")
def sheet() -> ResponseReturnValue:
    """The table of the page; that it was taken out is on record."""
    found = _report()
    _record("trace.export", "audit.report", found)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["日期", *TITLES.values(), "合计", f"{actor().name} {stamp(now())} 导出"])
    for day, counts in found.days:
        writer.writerow([day.isoformat(), *(counts.get(name, 0) for name in TITLES), sum(counts.values())])
    answer = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=audit-report.csv"
    return answer


@blueprint.post("/admin/audit/dump")
def carry_off() -> ResponseReturnValue:
    """Every record of the span with its hash, as gzipped JSON lines; the records here stay."""
    found = _report()
    _record("trace.export", "audit.dump", found)
    engine = application().db

    def pieces() -> Iterator[bytes]:
        with engine.connect() as connection:
            yield from audit_report.dump(connection, first=found.first, last=found.last)

    answer = Response(stream_with_context(pieces()), mimetype="application/gzip")
    answer.headers["Content-Disposition"] = f"attachment; filename=audit-{found.first}-{found.last}.jsonl.gz"
    return answer


@blueprint.post("/admin/audit/views")
def keep() -> ResponseReturnValue:
    """Keep the list as it is narrowed now under a name."""
    actor().require(alarms.AUDITOR)
    query = urlencode(list(request.args.items(multi=True)))
    with writing() as connection:
        audit_report.keep_view(connection, person_id=actor().person_id, title=request.form.get("title", ""), query=query, at=now())
    return done(f"{url_for('admin_audit.page')}?{query}", "查询已留下，就在筛选的下面。")


@blueprint.post("/admin/audit/views/<view_id>/drop")
def drop(view_id: str) -> ResponseReturnValue:
    actor().require(alarms.AUDITOR)
    with writing() as connection:
        audit_report.drop_view(connection, person_id=actor().person_id, view_id=identifier(view_id, "查询"))
    return done(url_for("admin_audit.page"), "已删掉。")


def _report() -> Report:
    actor().require(alarms.AUDITOR)
    last = _day(request.values.get("until", "")) or today()
    first = _day(request.values.get("from", "")) or last - timedelta(days=29)
    with reading() as connection:
        return audit_report.report(connection, first=first, last=last)


def _record(action: str, subject: str, found: Report) -> None:
    with writing() as connection:
        note(connection, actor=actor(), at=now(), action=action, object=subject, network=request.remote_addr or "", detail={"from": str(found.first), "until": str(found.last)})


def _bars(found: Report) -> Iterator[tuple[date, int, list[tuple[str, float, float]]]]:
    """Of each day the total and its stacked pieces: (group, where it starts from below, how high), in hundredths of the highest day."""
    for day, counts in found.days:
        at, pieces = 0.0, []
        for name in TITLES:
            height = 100 * counts.get(name, 0) / (found.highest or 1)
            if height:
                pieces.append((name, round(at, 3), round(height, 3)))
                at += height
        yield day, sum(counts.values()), pieces


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid("日期应写成 2026-11-20 的样子。") from None
