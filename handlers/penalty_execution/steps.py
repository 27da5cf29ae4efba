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


@service_task(title="还欠罚款的处罚决定", mode="inline", pure=True, help="正在执行、还欠罚款、没有在延期分期里的；没有的不能办，说明理由。")
def pick_execution(context: TaskContext, *, record_id: str = "") -> dict[str, Any]:
    """``options`` (id, title) of the executions that may be deferred; of the chosen or the only one ``record_id`` and ``party_id``. Raises Invalid without any."""
    rows = [record(context, str(row["id"])) for row in context.records(EXECUTION) if row["state"] not in ENDS.values()]
    owing = [row for row in rows if row["paid"] < row["fine"]]
    found = [row for row in owing if row["deferred_until"] is None or row["deferred_until"] < context.today]
    if not found:
        until = max((row["deferred_until"] for row in owing), default=None)
        raise Invalid(f"已经批准延期、分期到 {until}，到期仍缴不清的再申请。" if until else "本案没有正在执行、还欠罚款的处罚决定，不能申请延期、分期。")
    chosen = next((row for row in found if str(row["id"]) == record_id), found[0])
    options = [{"id": str(row["id"]), "title": f"{row['party']}　{row['paper']}　欠 {money(row['fine'] - row['paid'])} 元"} for row in found]
    return {"record_id": str(chosen["id"]), "party_id": chosen["party_id"], "options": options}


@service_task(title="执行台账记下结果", mode="inline", reversible=False)
def close_execution(context: TaskContext, *, record_id: str, result: str) -> dict[str, Any]:
    """The execution is over today: ``ended_on``."""
    context.write_record(EXECUTION, {"state": ENDS[result], "result": RESULTS[result], "ended_on": context.today}, record_id=UUID(record_id))
    return {"ended_on": context.today.isoformat()}
