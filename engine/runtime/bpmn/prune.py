"""Drop what is over. Tokens are flat, so whatever is finished and not the root has no reader left."""
from __future__ import annotations

from typing import Any

from engine.runtime.bpmn.tokens import LIVE


def prune(top: Any) -> None:
    """Remove finished tasks and the workflows of finished owners from the instance."""
    for owner_id, inner in list(top.subprocesses.items()):
        if inner.completed or not inner.owner.has_state(LIVE):
            del top.subprocesses[owner_id]
    for workflow in (top, *top.subprocesses.values()):
        _prune_workflow(workflow)


def _prune_workflow(workflow: Any) -> None:
    root = workflow.task_tree
    keep = {identifier: task for identifier, task in workflow.tasks.items() if task is root or task.has_state(LIVE)}
    if len(keep) == len(workflow.tasks):
        return
    workflow.tasks = keep
    for task in keep.values():
        task._children = [child for child in task._children if child in keep]
    workflow.last_task = None
