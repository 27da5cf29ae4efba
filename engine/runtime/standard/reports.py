"""A periodic report as steps of a procedure: drafted, taken into approval, given back, issued."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, update

from engine.kernel.errors import BusinessError, Invalid
from engine.kernel.names import pack_of, qualify
from engine.runtime.handlers import service_task
from engine.runtime.reports.draft import APPROVING, DRAFT, draft_issue, get_report, require_draft, require_open
from engine.runtime.reports.issue import send_out
from engine.runtime.task_context import TaskContext
from engine.storage.tables.statistics import report_issue


@service_task(title="起草报告", mode="inline", reversible=False)
def draft_report(context: TaskContext, *, report: str, period: str) -> dict[str, str]:
    """Draft an issue of ``report`` about ``period`` in the name of whoever takes this step, with the figures they see. Results: ``issue`` (id), ``title``."""
    if context.work.actor is None:
        raise BusinessError("nobody", "起草报告要由人办理的一步带出，不能由系统自己开始。")
    declared = get_report(context.app.library, qualify(report, pack_of(context.process)))
    id = draft_issue(context.connection, library=context.app.library, actor=context.work.actor, report=declared, period=str(period), at=context.at)
    return {"issue": str(id), "title": _issue(context, str(id))["title"]}


@service_task(title="报告进入审签", mode="inline")
def take_report(context: TaskContext, *, issue: str) -> dict[str, str]:
    """From now on this case approves the draft ``issue`` (id): only whoever has a step of it in hand edits the text. Result: ``title``."""
    row = _issue(context, issue)
    require_draft(row)
    _move(context, row, state=APPROVING, case_id=context.case_id)
    return {"title": row["title"]}


@service_task(title="报告退回起草", mode="inline")
def give_back_report(context: TaskContext, *, issue: str) -> None:
    """The report isn't issued by this case: it is its drafter's again."""
    row = _issue(context, issue)
    _require_own(context, row)
    _move(context, row, state=DRAFT, case_id=None)


@service_task(title="签发报告", mode="inline", reversible=False)
def issue_report(context: TaskContext, *, issue: str) -> None:
    """Issued by whoever takes this step, who isn't its drafter: PDF and Word are made in the background and sent to the audience; nothing changes any more."""
    if context.work.actor is None:
        raise BusinessError("nobody", "签发要由人办理的一步带出，不能由系统自己开始。")
    row = _issue(context, issue)
    _require_own(context, row)
    send_out(context.app, context.connection, row=row, actor=context.work.actor, at=context.at)


def _issue(context: TaskContext, issue: str) -> RowMapping:
    """The issue, locked."""
    try:
        id = UUID(str(issue))
    except ValueError:
        raise Invalid("没有这一期报告。", code="no_issue") from None
    row = context.connection.execute(select(report_issue).where(report_issue.c.id == id).with_for_update()).mappings().one_or_none()
    if row is None:
        raise Invalid("没有这一期报告。", code="no_issue")
    return row


def _require_own(context: TaskContext, row: RowMapping) -> None:
    require_open(row)
    if row["case_id"] != context.case_id:
        raise Invalid("这一期报告不在这一件里审签。", code="other_case")


def _move(context: TaskContext, row: RowMapping, **values: Any) -> None:
    context.work.undo.append({"op": "report", "id": str(row["id"]), "state": row["state"], "case_id": str(row["case_id"]) if row["case_id"] else None})
    context.connection.execute(update(report_issue).where(report_issue.c.id == row["id"]).values(**values))
