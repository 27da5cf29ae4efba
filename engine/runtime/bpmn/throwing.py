"""What happens when an event is thrown."""
from __future__ import annotations

from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.task import Task

from engine.runtime.bpmn.activities import inputs_of
from engine.runtime.bpmn.catching import catch_at, find_catcher, fire, is_alive
from engine.runtime.bpmn.compensation import start_undo
from engine.runtime.bpmn.errors import FlowError
from engine.runtime.bpmn.tokens import cancel_all, top_of
from engine.runtime.bpmn.values import evaluate
from engine.runtime.bpmn.workflow import scene


def prepare(my_task: Task) -> None:
    """Check before the token moves that what is thrown can be: an error needs somebody who catches it."""
    node = my_task.task_spec.node
    event = node.event
    if event is None:
        return
    if event.kind == "error" and find_catcher(my_task, "error", event.code) is None:
        raise FlowError(
            f"错误结束事件「{node.title}」抛出的错误“{event.code or event.name}”没有边界事件捕获。请在外层子流程或调用活动上加错误边界事件。",
            element=node.id, title=node.title, process=node.process, kind="error_uncaught",
        )
    if event.kind == "message":
        my_task.internal_data["payload"] = inputs_of(my_task) if node.inputs else {}
        seen = scene(my_task)
        key = evaluate(event.correlation, seen, element=node.id, title=node.title, process=node.process) if event.correlation else None
        my_task.internal_data["key"] = "" if key is None else str(key)


def throw(my_task: Task) -> bool:
    """Throw what the node carries; False when its own scope was ended by that."""
    event = my_task.task_spec.node.event
    workflow = my_task.workflow
    kind = event.kind if event is not None else "none"
    if kind == "message":
        _outside(my_task, payload=my_task.internal_data.get("payload", {}), key=my_task.internal_data.get("key", ""))
    elif kind == "signal":
        _outside(my_task, payload={}, key="")
        broadcast(top_of(my_task), event.name)
    elif kind == "terminate":
        cancel_all(workflow)
        return False
    elif kind in ("error", "escalation", "cancel"):
        catcher = find_catcher(my_task, kind, event.code)
        if kind == "cancel":
            cancel_all(workflow)
        if catcher is not None:
            catch_at(catcher, {"error_code": event.code} if kind == "error" else {})
    return is_alive(workflow)


def compensate_next(my_task: Task) -> bool:
    """Start the next compensation handler that the event asks for, latest completed activity first; False when none is left.

    A cancel end event compensates its whole transaction.
    """
    event, workflow = my_task.task_spec.node.event, my_task.workflow
    if event is None or event.kind not in ("compensate", "cancel"):
        return False
    scope = workflow
    if workflow.spec.event_body and hasattr(workflow, "owner"):
        scope = workflow.owner.workflow
    wanted = [entry for entry in scope.compensable if event.kind == "cancel" or event.name in ("", entry[0])]
    if not wanted:
        return False
    scope.compensable.remove(wanted[-1])
    start_undo(scope, wanted[-1], compensates=str(my_task.id))
    return True


def _outside(my_task: Task, *, payload: dict[str, Any], key: str) -> None:
    node = my_task.task_spec.node
    top_of(my_task).thrown.append({
        "kind": node.event.kind, "name": node.event.name, "correlation": key, "payload": payload, "node": node.id, "engine_id": str(my_task.id),
    })


def broadcast(top: Any, name: str) -> int:
    """Let every event of this instance that waits for the signal fire; how many did."""
    waiting = []
    for workflow in (top, *top.subprocesses.values()):
        hearers = _hearers(workflow.spec, name)
        waiting += [
            task for task in (workflow.tasks.values() if hearers else ())
            if task.task_spec.name in hearers and task.state == TaskState.WAITING and "parked" not in task.internal_data
        ]
    count = 0
    for task in waiting:
        if task.state == TaskState.WAITING:
            fire(task)
            count += 1
    return count


def _hearers(spec: Any, name: str) -> frozenset[str]:
    """Names of the task specs of a body that wait for the signal; looked for once."""
    known: dict[str, frozenset[str]] = spec.__dict__.setdefault("hearers", {})
    if name not in known:
        known[name] = frozenset(one.name for one in spec.task_specs.values() if _hears(one, name))
    return known[name]


def _hears(task_spec: Any, name: str) -> bool:
    event = getattr(task_spec, "node", None) and task_spec.node.event
    return bool(event and event.kind == "signal" and event.name == name and hasattr(task_spec, "waits_outside"))
