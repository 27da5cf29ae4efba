"""The states of an execution, and whether a court may be asked."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from engine.sdk import Invalid, TaskContext, service_task
from handlers.penalty_execution.money import EXECUTION, money, owes, record

RESULTS = {"performed": "已履行", "court": "人民法院强制执行", "ended": "终结执行"}
ENDS = {"performed": "performed", "court": "ended", "ended": "ended"}


@service_task(title="执行台账记下状态", mode="inline", reversible=False)
def note_state(context: TaskContext, *, record_id: str, state: str) -> None:
    """The execution stands at ``state``."""
    context.write_record(EXECUTION, {"state": state}, record_id=UUID(record_id))


@service_task(title="记下催告", mode="inline", reversible=False)
def note_demand(context: TaskContext, *, record_id: str, demanded_on: str, demand_until: str) -> None:
    """When the 催告书 was served and until when it leaves time."""
    context.write_record(EXECUTION, {"demanded_on": demanded_on, "demand_until": demand_until, "state": "demanded"}, record_id=UUID(record_id))


@service_task(title="能不能申请法院强制执行", mode="inline", reversible=False, help="按决策表 court_application：催告满十个工作日、期限届满、不超过三个月。不能申请的，说明理由。")
def check_court(context: TaskContext, *, record_id: str) -> dict[str, Any]:
    """``subject`` (who owes what) and ``court_until``; raises Invalid with the reason when the court can't be asked today."""
    row = record(context, record_id)
    term_end = row["deferred_until"] or row["litigation_until"]
    window = context.last_day("court_window", start=term_end)
    owed = owes(context, row)
    found = context.decide("court_application", {
        "outstanding": str(owed["outstanding"]), "demand_until": row["demand_until"], "term_end": term_end, "window_until": window, "on": context.today,
    })
    if not found["allowed"]:
        raise Invalid(str(found["reason"]))
    subject = f"{row['party']}，{row['paper']}，罚没款{money(row['fine'])}元，加处罚款{money(owed['additional'])}元，欠缴{money(owed['outstanding'])}元"
    return {"subject": subject, "court_until": window.isoformat()}


@service_task(title="执行台账记下结果", mode="inline", reversible=False)
def close_execution(context: TaskContext, *, record_id: str, result: str) -> dict[str, Any]:
    """The execution is over today: ``ended_on``."""
    context.write_record(EXECUTION, {"state": ENDS[result], "result": RESULTS[result], "ended_on": context.today}, record_id=UUID(record_id))
    return {"ended_on": context.today.isoformat()}
