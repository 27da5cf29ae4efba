"""The register of coercive measures: what is in force on a case, recorded, extended and released."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from engine.sdk import Invalid, TaskContext, service_task

REGISTER = "coercive_measure"
EXECUTION = "coercive_measures.measure_execution"
NONE_LEFT = {
    "extend": "本案没有可以延期的强制措施：在施的都已延长过，或者期限已经届满。",
    "release": "本案没有在施的强制措施，不需要解除。",
}


@service_task(title="列出在施的措施", mode="inline", pure=True, help="延期时只列没有延长过、还没有届满的；解除时列全部在施的。")
def list_measures(context: TaskContext, *, purpose: str) -> dict[str, Any]:
    """``measures`` one a line, their ``numbers``, and the ``measure_number`` when it is the only one; refuses the act when there is none."""
    found = [one for one in _in_force(context) if purpose != "extend" or (one["state"] == "in_force" and one["until"] >= context.today)]
    if not found:
        raise Invalid(NONE_LEFT[purpose])
    numbers = [one["number"] for one in found]
    lines = [f"{one['number']}　{one['target'][:40]}　至{one['until']}" for one in found]
    return {"measures": "\n".join(lines)[:600], "numbers": numbers, "measure_number": numbers[0] if len(numbers) == 1 else None}


@service_task(title="取出这项措施", mode="inline", pure=True, help="按决定书文号找到台账记录和它的期限。")
def find_measure(context: TaskContext, *, number: str) -> dict[str, Any]:
    """``measure_id`` of the measure in force that was ordered by the decision ``number``, and its ``clock``: the law is the name of its dated parameter."""
    for one in _in_force(context):
        if one["number"] == number:
            return {"measure_id": str(one["id"]), "clock": one["law"]}
    raise Invalid("本案没有这个文号的在施强制措施。", fields={"measure_number": "请照抄列出的文号。"})


@service_task(title="记入强制措施台账", mode="inline", reversible=False, help="把措施、期限和物品清单记入台账。")
def record_measure(context: TaskContext, *, number: str, kind: str, law: str, target: str, until: str) -> None:
    """A new record with the day of execution and the goods that the officer has just entered."""
    entered = context.work.fresh_answers.get(EXECUTION) or context.answers(form=EXECUTION)
    context.write_record(REGISTER, {
        "number": number, "kind": kind, "law": law, "target": target, "executed_on": entered["executed_on"], "until": until, "state": "in_force",
        "goods": entered.get("goods") or [],
    })


@service_task(title="台账记下延长", mode="inline", reversible=False)
def note_extension(context: TaskContext, *, measure_id: str, until: str) -> None:
    """The new last day of the measure."""
    context.write_record(REGISTER, {"until": until, "state": "extended"}, record_id=UUID(measure_id))


@service_task(title="台账记下解除", mode="inline", reversible=False)
def note_release(context: TaskContext, *, measure_id: str, released_on: str) -> None:
    """The measure is over."""
    context.write_record(REGISTER, {"released_on": released_on, "state": "released"}, record_id=UUID(measure_id))


def _in_force(context: TaskContext) -> list[dict[str, Any]]:
    return [one for one in context.records(REGISTER) if one["state"] in ("in_force", "extended")]
