"""The conclusion of an approval."""
from __future__ import annotations

from typing import Any

from engine.sdk import TaskContext, service_task


@service_task(title="记下批准结论", mode="inline", pure=True, help="记下已获批准，以及批准的日期。")
def record_approval(context: TaskContext) -> dict[str, Any]:
    """The facts ``approved`` (true) and ``decision_date`` (ISO day of this act in Asia/Shanghai)."""
    return {"approved": True, "decision_date": context.today.isoformat()}
