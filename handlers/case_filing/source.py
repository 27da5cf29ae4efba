"""Giving a clue back to the system that pushed it."""
from __future__ import annotations

from typing import Any

from engine.sdk import TaskContext, service_task
from integrations.clue_source.client import ClueSource
from integrations.clue_source.messages import ReturnedClue


@service_task(
    title="退回来源系统", mode="queued", reversible=False, help="把不合格的线索连同理由退回推送它的系统。来源不接收时报告 source_refused。",
)
def return_to_source(context: TaskContext, *, source: str, external_id: str, reason: str) -> dict[str, Any]:
    """Return the clue ``external_id`` and give the source's ``receipt``; the effect key makes a retry harmless."""
    client: ClueSource = context.connector("clue_source")
    clue = ReturnedClue(source=source, external_id=external_id, reason=reason, returned_on=context.today)
    return {"receipt": client.return_clue(clue, key=context.effect_key).number}
