"""A correction of case data: entered by the officer, effective after the head of the office has checked it."""
from __future__ import annotations

from typing import Any

from engine.sdk import Invalid, TaskContext, service_task

ENTRY, APPLICATION = "case_matters.data_correction_entry", "case_matters.data_correction"
REGISTER = "case_filing.penalty_case"


@service_task(title="核对改了获准修改的栏", mode="inline", help="只能改申请时写明的栏，写明的栏都要改。")
def check_correction(context: TaskContext) -> None:
    """Refuse the act unless exactly the fields that the application names were entered."""
    entered, granted = set(_entered(context)), set(context.answers(form=APPLICATION).get("fields", []))
    if entered - granted:
        raise Invalid("只能修改获准修改的栏。", fields=dict.fromkeys(sorted(entered - granted), "申请里没有写这一栏，请留空。"))
    if granted - entered:
        raise Invalid("获准修改的栏还没有填。", fields=dict.fromkeys(sorted(granted - entered), "申请修改这一栏，请填写改成什么。"))


@service_task(title="数据修改生效", mode="inline", reversible=False, help="把核对无误的改动写进案件台账，原值留在历史里。")
def apply_correction(context: TaskContext) -> None:
    """Write the entered values to the case's record, and the cause to its title; the register keeps what they were."""
    values = _entered(context)
    context.write_record(REGISTER, values, record_id=context.case_id)
    if "cause" in values:
        context.work.change_case(title=values["cause"])


def _entered(context: TaskContext) -> dict[str, Any]:
    """Fields of the entry form that were filled in."""
    answers = context.work.fresh_answers.get(ENTRY) or context.answers(form=ENTRY)
    return {name: value for name, value in answers.items() if not name.startswith("$") and value not in (None, "", [])}
