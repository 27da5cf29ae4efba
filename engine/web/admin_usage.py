"""使用率: departments that signed in and worked in a period, as a page and as CSV."""
from __future__ import annotations

import csv
import io
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from engine.access.audit import note
from engine.access.organisation import units_below
from engine.kernel.clock import SHANGHAI
from engine.runtime.queries.usage import Department, departments, rate
from engine.web.admin_forms import require_reader
from engine.web.context import actor, now, reading, today, writing

blueprint = Blueprint("admin_usage", __name__)
LONGEST = 366


@blueprint.get("/admin/organisation/usage")
def page() -> ResponseReturnValue:
    require_reader()
    asked = _asked()
    found = _found(asked)
    with reading() as connection:
        units = [row for row in units_below(connection) if row.kind in ("city_bureau", "district_bureau", "corps")]
    shown = [one for one in found if not asked["unused"] or not one.used]
    return render_template("admin/usage.html", found=shown, rate=rate(found), asked=asked, units=units)


@blueprint.get("/admin/organisation/usage.csv")
def export() -> ResponseReturnValue:
    require_reader()
    asked = _asked()
    with writing() as connection:
        note(connection, actor=actor(), at=now(), action="trace.export", object="usage", network=request.remote_addr or "", detail={"from": str(asked["first"]), "until": str(asked["last"])})
    out = io.StringIO()
    writer = csv.writer(out)
    found = _found(asked)
    used, planned, percent = rate(found)
    writer.writerow(["部门", "种类", "人员", "登录过的", "登录次数", "办理步数", "使用", f"{asked['first']} 至 {asked['last']}，使用率 {used}/{planned}＝{percent}%，{actor().name} {now().astimezone(SHANGHAI):%Y-%m-%d %H:%M} 导出"])
    for one in found:
        writer.writerow([one.name, one.kind, one.people, one.signed_in, one.sign_ins, one.steps, "是" if one.used else "否"])
    answer = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=usage.csv"
    return answer


def _asked() -> dict[str, Any]:
    """The period (the last thirty days when nothing is said), the part of the tree, whether only departments that didn't use it."""
    last = min(_day("until") or today(), today())
    first = min(_day("from") or last - timedelta(days=29), last)
    return {"first": max(first, last - timedelta(days=LONGEST)), "last": last, "path": request.args.get("path", "")[:300], "unused": request.args.get("unused") == "1"}


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def _found(asked: dict[str, Any]) -> list[Department]:
    since, before = (datetime.combine(day, time(), SHANGHAI) for day in (asked["first"], asked["last"] + timedelta(days=1)))
    with reading() as connection:
        return departments(connection, path=asked["path"], first=asked["first"], last=asked["last"], since=since, before=before)
