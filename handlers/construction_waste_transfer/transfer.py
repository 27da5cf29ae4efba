"""Where a transfer comes from and may go."""
from __future__ import annotations

from typing import Any

from engine.sdk import Invalid, TaskContext, service_task


@service_task(title="核对移交去向", mode="inline", help="跨区的要移交给别的区局，跨街镇的要移交给本区别的中队；记下移出的区局。")
def check_target(context: TaskContext, *, kind: str, target_district: str | None = None, target_squad: str | None = None) -> dict[str, Any]:
    """``origin_district``, the id of the bureau that transfers; refuses a transfer to oneself."""
    own_district, own_squad = context.case["district_id"], context.case["unit_id"]
    if own_district is None:
        raise Invalid("移交申请由区局的中队提出，您所在的单位不能移交。")
    if kind == "cross_district" and str(target_district) == str(own_district):
        raise Invalid("移交去向要改。", fields={"target_district": "这就是本区；在本区内换中队的，移交类别请选“跨街镇移交”。"})
    if kind == "cross_street" and str(target_squad) == str(own_squad):
        raise Invalid("移交去向要改。", fields={"target_squad": "这就是本中队，不用移交。"})
    return {"origin_district": str(own_district)}
