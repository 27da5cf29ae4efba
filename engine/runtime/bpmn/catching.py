"""What happens when an event that waits comes true."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from SpiffWorkflow.task import Task

from engine.runtime.bpmn.activities import apply_outputs, write_facts
from engine.runtime.bpmn.errors import FlowError
from engine.runtime.bpmn.timers import following
from engine.runtime.bpmn.tokens import LIVE, cancel, cancel_all, enter, find_task, new_task, runs_of, top_of
from engine.runtime.bpmn.values import evaluate
from engine.runtime.bpmn.workflow import scene


def correlation_of(my_task: Task) -> str:
    """The correlation key that a waiting message event listens with; '' when it names none."""
    node = my_task.task_spec.node
    text = node.event.correlation
    if not text:
        return ""
    value = evaluate(text, scene(my_task), element=node.id, title=node.title, process=node.process)
    if value is None:
        raise FlowError(
            f"消息事件「{node.title}」的关联键“{text}”没有值，收不到属于本案的消息。请更正事实后重试。", element=node.id, title=node.title, process=node.process
        )
    return str(value)


def fire(my_task: Task, payload: Mapping[str, Any] | None = None) -> None:
    """The event that ``my_task`` waits for happened: interrupt or re-arm what it stands beside, then let the token go on."""
    internal = my_task.internal_data
    if "host" in internal:
        _beside(my_task)
    elif "trigger" in internal:
        _for_scope(my_task)
    elif "race" in internal:
        _win(my_task)
    receive(my_task, payload or {})
    my_task._ready()


def receive(my_task: Task, payload: Mapping[str, Any]) -> None:
    """Write a payload to facts: as the node's ``gc:output`` says, else the names that the process declares."""
    if not payload:
        return
    if my_task.task_spec.node.outputs:
        apply_outputs(my_task, payload)
        return
    model = my_task.workflow.spec.model
    declared = {**model.facts, **model.results, **model.parameters}
    write_facts(my_task, {name: value for name, value in payload.items() if name in declared})


def _beside(my_task: Task) -> None:
    host = find_task(top_of(my_task), my_task.internal_data.pop("host"))
    top_of(my_task).entered(my_task)
    if host is None or not host.has_state(LIVE):
        return
    if my_task.task_spec.cancel_activity:
        cancel(host)
        return
    _begin_run(my_task)
    _again(my_task, host=str(host.id), data=host.data, **runs_of(host))


def _for_scope(my_task: Task) -> None:
    del my_task.internal_data["trigger"]
    if my_task.task_spec.cancel_activity:
        cancel_all(my_task.workflow, but=my_task)
        return
    _again(my_task, trigger=1, data={})


def _begin_run(my_task: Task) -> None:
    """What follows a non-interrupting event is a run of its own, apart from earlier ones."""
    my_task.internal_data["runs"] = {**my_task.internal_data.get("runs", {}), my_task.task_spec.node.id: my_task.id.hex[:12]}


def _again(my_task: Task, *, data: dict[str, Any], **marks: Any) -> None:
    """Wait anew for the next time; a date or duration comes only once, a cycle as often as it says."""
    timing: dict[str, Any] | None = {}
    if my_task.task_spec.node.event.kind == "timer":
        timing = following(my_task.internal_data, top_of(my_task).now)
    for key in ("due", "left", "every"):
        my_task.internal_data.pop(key, None)
    if timing is not None:
        enter(new_task(my_task.workflow, my_task.task_spec.name, data=data, **marks, **timing))


def _win(my_task: Task) -> None:
    race = my_task.internal_data.pop("race")
    top = top_of(my_task)
    top.took(my_task.workflow, my_task.internal_data.get("via", ""))
    top.entered(my_task)
    for other in list(my_task.workflow.tasks.values()):
        if other.internal_data.get("race") == race:
            cancel(other)


def arm_triggers(workflow: Any) -> None:
    """Start listening for the event sub-processes of a scope."""
    for name in workflow.spec.triggers:
        if workflow.spec.task_specs[name].waits_outside:
            enter(new_task(workflow, name, trigger=1))


def find_catcher(my_task: Task, kind: str, code: str) -> tuple[Task | None, Any, str] | None:
    """Who catches an error, escalation or cancel thrown at ``my_task``: (activity or None for a whole scope, workflow, spec name).

    Innermost first: the activity itself, then event sub-processes of its scope, then the activity that owns the scope, and so on. Siblings
    never hear it.
    """
    current: Task | None = my_task
    while current is not None:
        workflow = current.workflow
        hosts = [current] if current.parent is None or current.parent is workflow.task_tree else [current, current.parent]
        for host in hosts:
            name = _matching(workflow, host.task_spec.boundary, kind, code)
            if name:
                return host, workflow, name
        name = _matching(workflow, workflow.spec.triggers, kind, code)
        if name:
            return None, workflow, name
        current = getattr(workflow, "owner", None)
    return None


def _matching(workflow: Any, names: list[str], kind: str, code: str) -> str:
    fallback = ""
    for name in names:
        event = workflow.spec.task_specs[name].node.event
        if event.kind == kind and event.code == code:
            return name
        if event.kind == kind and not event.code:
            fallback = name
    return fallback


def catch_at(catcher: tuple[Task | None, Any, str], data: Mapping[str, Any]) -> None:
    """Let the found event happen: interrupt its activity or scope if it does, and go on from it."""
    host, workflow, name = catcher
    spec = workflow.spec.task_specs[name]
    marks = runs_of(host) if host is not None else {}
    token = new_task(workflow, name, data={**(host.data if host is not None else {}), **data}, **marks)
    if spec.cancel_activity:
        if host is not None:
            cancel(host)
        else:
            cancel_all(workflow, but=token)
    elif host is not None:
        _begin_run(token)
    top_of(token).entered(token)
    token._ready()


def is_alive(workflow: Any) -> bool:
    """False once the sub-workflow was cancelled from outside."""
    top = workflow.top_workflow
    while workflow is not top:
        if top.subprocesses.get(workflow.parent_task_id) is not workflow:
            return False
        workflow = workflow.owner.workflow
    return True
