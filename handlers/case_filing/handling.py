"""What the walk of a clue notes on the way."""
from __future__ import annotations

from typing import Any

from engine.sdk import TaskContext, service_task


@service_task(title="记下处理意见和承办人", mode="inline", pure=True, help="记下承办人提出的处理意见，以及承办人是谁：审批中的申请、退回都到他手里。")
def note_decision(context: TaskContext, *, decision: str) -> dict[str, Any]:
    """The facts ``decision`` and ``handler``, the id of the officer whose act this is."""
    return {"decision": decision, "handler": str(context.actor_id) if context.actor_id else None}
