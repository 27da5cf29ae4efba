"""Handing an application to a colleague for review."""
from __future__ import annotations

from engine.sdk import Invalid, TaskContext, service_task


@service_task(title="核对承接人", mode="inline", pure=True, help="承接人要是担任该角色的科室工作人员，否则不能分派。")
def check_reviewer(context: TaskContext, *, reviewer: str, role: str) -> None:
    """Refuse the act when the person ``reviewer`` doesn't hold ``role`` for the case."""
    if not context.holds(reviewer, role):
        raise Invalid("这位同事不是办理本案的机关科（处）室工作人员，不能承接。", fields={"reviewer": "请选择科室工作人员。"})
