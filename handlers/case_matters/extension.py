"""Whether a case may be extended, and by which of the two procedures (《市场监督管理行政处罚程序规定》第六十四条)."""
from __future__ import annotations

from engine.sdk import Invalid, TaskContext, service_task

CLOCK = "case_filing.case_handling"


@service_task(title="核对没有延长过", mode="inline", pure=True, help="案件办理期限正在计算，而且没有延长过，才能申请延期。")
def require_first_extension(context: TaskContext) -> None:
    """Refuse the act unless the clock of the case runs and has not been extended."""
    if _extensions(context) > 0:
        raise Invalid("本案已经延期过一次，再延长请办理“继续延长办案期限”。")


@service_task(title="核对已经延长过", mode="inline", pure=True, help="案件办理期限延长过一次，才能申请继续延长。")
def require_extended(context: TaskContext) -> None:
    """Refuse the act unless the clock of the case runs and has been extended."""
    if _extensions(context) == 0:
        raise Invalid("本案还没有延期过，请先办理“案件延期”。")


def _extensions(context: TaskContext) -> int:
    clock = context.clock(CLOCK)
    if not clock:
        raise Invalid("本案没有正在计算的案件办理期限，不能延长。")
    if clock["state"] == "suspended":
        raise Invalid("案件办理期限已经暂停，恢复以后才能延长。")
    if clock["due_on"] < context.today:
        raise Invalid(f"案件办理期限已于{clock['due_on']}届满，不能再延长。")
    return int(clock["extensions"])
