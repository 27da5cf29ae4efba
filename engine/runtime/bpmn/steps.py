"""The engine's own steps: run what is ready until only waits are left."""
from __future__ import annotations

from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.task import Task

from engine.runtime.bpmn.catching import fire, is_alive
from engine.runtime.bpmn.errors import FlowError, IllegalTarget
from engine.runtime.bpmn.gateways import Choice, Inclusive
from engine.runtime.bpmn.loops import Repeated
from engine.runtime.bpmn.tokens import LIVE, cancel, cancel_all, park, top_of
from engine.runtime.bpmn.values import evaluate
from engine.runtime.bpmn.workflow import Top, scene

MAX_STEPS = 10_000
MAX_READY = 1_000


def run_to_waits(top: Top) -> None:
    """Run until nothing moves by itself; a loop without a wait is stopped with an error on one of its elements."""
    steps = 0
    while True:
        while top.queue:
            task = top.queue.popleft()
            if task.state != TaskState.READY or "parked" in task.internal_data:
                continue
            steps += 1
            if steps > MAX_STEPS or len(top.queue) > MAX_READY or len(top.subprocesses) > MAX_READY:
                _stop(top, task)
                continue
            run_one(task)
        if not (_finish_workflows(top) or _fire_joins(top) or _fire_conditions(top)):
            return


def run_one(task: Task) -> None:
    """Run one ready task; a failure parks it."""
    try:
        task.run()
    except FlowError as error:
        park(task, error)


def _stop(top: Top, task: Task) -> None:
    """Everything that would have moved stands still where it is, so that nothing is lost when somebody repairs it."""
    for one in (task, *top.queue):
        if one.state == TaskState.READY and "parked" not in one.internal_data:
            park(one, _endless(one))
    top.queue.clear()


def _endless(task: Task) -> FlowError:
    node = task.task_spec.node
    message = f"流程在「{node.title}」处连续自动运行超过 {MAX_STEPS} 步，或同时有超过 {MAX_READY} 个令牌，仍没有停下：这里有一个没有等待环节的循环。请修改流程图。"
    return FlowError(message, element=node.id, title=node.title)


def _finish_workflows(top: Top) -> bool:
    """Complete bodies (deepest first) and the instance when no token is left in them."""
    moved = False
    dirty = sorted(top.dirty, key=lambda workflow: workflow.depth, reverse=True)
    top.dirty.clear()
    for workflow in dirty:
        if workflow.completed or not is_alive(workflow) or workflow.live():
            continue
        workflow.completed = moved = True
        for task in workflow.tasks.values():
            if task.has_state(LIVE):
                task._set_state(TaskState.CANCELLED)
        if workflow is not top:
            owner = workflow.owner
            top.subprocesses.pop(owner.id, None)
            finish_owner(owner, workflow)
    return moved and bool(top.queue or top.dirty)


def finish_owner(owner: Task, inner: Any) -> None:
    """Hand the results of a finished body to its activity."""
    try:
        owner.task_spec.finished(owner, inner)
    except FlowError as error:
        top_of(owner).resume(inner)
        park(owner, error)


def _fire_joins(top: Top) -> bool:
    for workflow in (top, *top.subprocesses.values()):
        waiting = {task.task_spec for task in workflow.tasks.values() if task.state == TaskState.WAITING and isinstance(task.task_spec, Inclusive)}
        for spec in sorted(waiting, key=lambda spec: spec.name):
            if spec.try_fire(workflow):
                return True
    return False


def _fire_conditions(top: Top) -> bool:
    """Fire conditional events whose condition became true since it was last looked at."""
    for workflow in (top, *top.subprocesses.values()):
        for task in list(workflow.tasks.values()):
            event = getattr(task.task_spec, "node", None) and task.task_spec.node.event
            if task.state == TaskState.WAITING and event and event.kind == "conditional" and "parked" not in task.internal_data and _became_true(task):
                fire(task)
                return True
    return False


def _became_true(task: Task) -> bool:
    node = task.task_spec.node
    try:
        value = evaluate(node.event.text, scene(task), element=node.id, title=node.title, process=node.process)
    except FlowError as error:
        park(task, error)
        return False
    before = task.internal_data.get("was", False)
    task.internal_data["was"] = value is True
    return value is True and not before


def skip(task: Task, flow: str | None) -> None:
    """Complete a parked token without its effect."""
    spec, internal = task.task_spec, task.internal_data
    if isinstance(spec, Choice):
        chosen = flow or spec.node.default
        if chosen not in [flow_id for flow_id, _ in spec.flows]:
            names = "、".join(spec.titles.get(flow_id) or flow_id for flow_id, _ in spec.flows)
            raise IllegalTarget(f"请指明从网关「{spec.node.title}」走哪一个分支：{names}。")
        internal["chosen"] = [chosen]
    for mark in ("parked", "parked_kind", "parked_entry"):
        internal.pop(mark, None)
    for child in task.children:
        cancel(child)
    inner = top_of(task).subprocesses.pop(task.id, None)
    if inner is not None:
        cancel_all(inner)
    if any(mark in internal for mark in ("host", "race", "trigger")):
        fire(task)
    else:
        task.complete()


def unpark(task: Task) -> None:
    """Let a parked token try again."""
    internal = task.internal_data
    internal.pop("parked", None)
    internal.pop("parked_kind", None)
    if internal.pop("parked_entry", None):
        task._set_state(TaskState.FUTURE)
        task.task_spec._update(task)
    elif isinstance(task.task_spec, Repeated) and task.state == TaskState.STARTED:
        task.task_spec.count(task)
    elif task.state == TaskState.STARTED and task.id in top_of(task).subprocesses:
        top_of(task).touched(top_of(task).subprocesses[task.id])
    elif task.state == TaskState.READY and not task.task_spec.manual:
        top_of(task).queue.append(task)
