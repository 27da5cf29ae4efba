"""What must hold in every stored state."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.task import Task

from engine.runtime.bpmn import codec
from engine.runtime.bpmn.blocks import Blocks
from engine.runtime.bpmn.errors import BrokenState
from engine.runtime.bpmn.gateways import Joining
from engine.runtime.bpmn.loops import Repeated
from engine.runtime.bpmn.prune import prune
from engine.runtime.bpmn.scopes import SubProcess
from engine.runtime.bpmn.tokens import LIVE, find_task
from engine.runtime.bpmn.waits import collect_waits

if TYPE_CHECKING:
    from engine.runtime.bpmn.machine import Machine


def check(machine: Machine) -> None:
    """Raise BrokenState listing every violation."""
    top = machine._top
    prune(top)
    wrong: list[str] = []
    for workflow in (top, *top.subprocesses.values()):
        _check_workflow(workflow, wrong)
        _check_exclusive(workflow, machine.process.process_of(workflow.spec.model.process).blocks, wrong)
    if top.completed and (top.subprocesses or top.live()):
        wrong.append("the instance is completed but has tokens")
    if wrong:
        raise BrokenState("; ".join(wrong))
    again = codec.load_state(codec.dump_state(top), machine.process.specs, now=top.now)
    if collect_waits(again) != collect_waits(top):
        raise BrokenState("the waits differ after saving and loading")


def _check_workflow(workflow: Any, wrong: list[str]) -> None:
    top = workflow.top_workflow
    if not workflow.completed and not workflow.live():
        wrong.append(f"{workflow.spec.name} has no token and isn't completed")
    for task in workflow.tasks.values():
        if task is not workflow.task_tree:
            problem = _problem(task, top)
            if problem:
                wrong.append(f"{task.task_spec.name}: {problem}")


def _problem(task: Task, top: Any) -> str:
    workflow, internal, spec = task.workflow, task.internal_data, task.task_spec
    parent = task.parent
    if parent is not workflow.task_tree and not (isinstance(parent.task_spec, Repeated) and parent.state == TaskState.STARTED):
        return "its parent is no running wrapper"
    if "parked" in internal:
        return ""
    if task.state == TaskState.FUTURE or task.state == TaskState.READY and not spec.manual:
        return "it could run but didn't"
    if isinstance(spec, SubProcess) and task.id not in top.subprocesses:
        return "its body is missing"
    if isinstance(spec, Repeated) and "fanout" not in internal and not any(child.has_state(LIVE) for child in task.children):
        return "it has no instance left"
    if "host" in internal:
        host = find_task(top, internal["host"])
        if host is None or not host.has_state(LIVE):
            return "it waits beside an activity that is over"
    if task.state == TaskState.WAITING and not isinstance(spec, Joining):
        kind = spec.node.event.kind if spec.node.event else ""
        if kind == "timer" and "due" not in internal:
            return "its timer has no time"
    return ""


def _check_exclusive(workflow: Any, blocks: Blocks, wrong: list[str]) -> None:
    """No two tokens where only one can be: neither on one task nor on places of which a block allows one at a time."""
    if blocks.leaks:
        return
    tasks = [task for task in workflow.live() if task.parent is workflow.task_tree and _counts(task, blocks)]
    for number, first in enumerate(tasks):
        for second in tasks[number + 1:]:
            if not _together(first, second, blocks):
                wrong.append(f"two tokens in a sequential region: {first.task_spec.name} and {second.task_spec.name}")


def _counts(task: Task, blocks: Blocks) -> bool:
    """False for tokens that stand beside the flow: racing events, compensation handlers, event sub-processes."""
    node = task.task_spec.node
    return not ({"race", "compensates"} & task.internal_data.keys() or node.triggered_by_event) and node.id in blocks.paths


def _together(first: Task, second: Task, blocks: Blocks) -> bool:
    one, two = blocks.paths[first.task_spec.node.id], blocks.paths[second.task_spec.node.id]
    if isinstance(first.task_spec, Joining) and first.task_spec is second.task_spec:
        return first.internal_data.get("via") != second.internal_data.get("via") or _repeatable(one, blocks)
    shared = set(one) & set(two)
    if any(one[split] != two[split] for split in shared):
        return True
    if _repeatable(one, blocks) or _repeatable(two, blocks):
        return True
    waits_for_first = isinstance(second.task_spec, Joining) and any(blocks.joins[split] == second.task_spec.node.id for split in one)
    waits_for_second = isinstance(first.task_spec, Joining) and any(blocks.joins[split] == first.task_spec.node.id for split in two)
    return waits_for_first or waits_for_second


def _repeatable(path: dict[str, frozenset[str]], blocks: Blocks) -> bool:
    """True inside the way of a non-interrupting boundary event, which may run several times beside everything else."""
    return any(split in blocks.repeatable for split in path)


def live_tokens(top: Any) -> list[tuple[str, str, str]]:
    """(engine id, node, state) of every live token."""
    names = {TaskState.FUTURE: "future", TaskState.WAITING: "waiting", TaskState.READY: "ready", TaskState.STARTED: "started"}
    return [
        (str(task.id), task.task_spec.node.id, names[task.state])
        for workflow in (top, *top.subprocesses.values()) for task in workflow.tasks.values() if task is not workflow.task_tree and task.has_state(LIVE)
    ]
