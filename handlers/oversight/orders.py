"""Who may order whom, and at which level."""
from __future__ import annotations

from typing import Any

from engine.sdk import Invalid, TaskContext, service_task


@service_task(title="核对督办级别和承办单位", mode="inline", pure=True, help="区级由区局立、督办到本区，市级由市局立；给出由哪个角色回复。")
def place_order(context: TaskContext, *, level: str, target: str, district_role: str, field_role: str) -> dict[str, Any]:
    """``reply_role`` for the unit ``target``; refuses a level or a target that is not below whoever orders."""
    at_city = context.case["district_id"] is None
    if level == "district" and at_city:
        raise Invalid("督办级别要改。", fields={"level": "市局立的是市级或者挂牌督办。"})
    if level == "city" and not at_city:
        raise Invalid("督办级别要改。", fields={"level": "区局立的是区级或者挂牌督办，市级由市局立。"})
    unit = context.unit(target)
    if target == str(context.case["unit_id"]):
        raise Invalid("承办单位要改。", fields={"target": "不能督办自己。"})
    if not at_city and (unit["district_id"] != context.case["district_id"] or unit["kind"] == "district_bureau"):
        raise Invalid("承办单位要改。", fields={"target": "区局只能督办本区的基层单位；别的区请报市局督办。"})
    return {"reply_role": district_role if unit["kind"] == "district_bureau" else field_role}
