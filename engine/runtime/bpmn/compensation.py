"""Undo completed activities, latest first: by their handler, and a completed sub-process by what was completed inside it.

``compensable`` of a scope holds ``[activity, handler]``, or ``[sub-process, "", entries inside, facts of its own]`` for a sub-process without
a handler: undoing that opens its body again with those entries, where its compensation event sub-process or its handlers run.
"""
from __future__ import annotations

from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.task import Task

from engine.runtime.bpmn.tokens import enter, new_task, top_of


def keep(my_task: Task, inner: Any) -> None:
    """Note on a sub-process that completes what could be undone inside it."""
    internal = my_task.internal_data
    if internal.keys() & {"undo", "index", "round"} or my_task.task_spec.node.triggered_by_event:
        return
    if inner.compensable or undo_body(inner):
        internal["undoable"] = [inner.compensable, inner.facts]


def start_undo(scope: Any, entry: list[Any], **marks: Any) -> Task:
    """Start the handler of an entry of ``compensable`` (or reopen its sub-process)."""
    if entry[1]:
        return enter(new_task(scope, entry[1], **marks))
    return enter(new_task(scope, entry[0], undo=entry[2:], **marks))


def begin_undo(my_task: Task) -> None:
    """Reopen the body of a completed sub-process to undo what is in it."""
    entries, facts = my_task.internal_data["undo"]
    top = top_of(my_task)
    inner = top.create_subprocess(my_task, my_task.task_spec.spec)
    inner.plant()
    inner.facts, inner.compensable = facts, list(entries)
    my_task.internal_data["undo"] = []
    my_task._set_state(TaskState.STARTED)
    body = undo_body(inner)
    if body:
        enter(new_task(inner, body))
    else:
        undo_next(inner)
    top.touched(inner)


def undo_next(inner: Any) -> bool:
    """Undo the latest entry that is left in a reopened body; False when none is left or its own event sub-process does it."""
    if undo_body(inner) or not inner.compensable:
        return False
    start_undo(inner, inner.compensable.pop())
    return True


def undo_body(workflow: Any) -> str:
    """The compensation event sub-process of a body, '' when it has none."""
    for name in workflow.spec.triggers:
        spec = workflow.spec.task_specs[name]
        if spec.node.event.kind == "compensate":
            return str(spec.flows[0][1])
    return ""
