"""The behaviour every task spec of ours shares: flat tokens.

Stock SpiffWorkflow keeps a tree of everything that happened and predicts everything that may happen; every step walks it. Here a task exists
only while a token is on it: nothing is predicted, a new token hangs under the root (an instance of a multi-instance under its wrapper), a
finished one is dropped. Joins, boundary events and races find each other by ids kept in ``internal_data``:

``via``     flow the token came by        ``host``   activity a boundary event waits beside
``race``    event-based gateway           ``index``  position of a multi-instance child
``runs``    which run of which non-interrupting event the token belongs to
``compensates``  throwing event that a compensation handler runs for      ``undo``  sub-process reopened to undo what is in it
``parked``  message of a failure: the token stands still until ``Machine.retry``
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from SpiffWorkflow import TaskState
from SpiffWorkflow.task import Task

from engine.runtime.bpmn.errors import FlowError
from engine.runtime.bpmn.model import Node

if TYPE_CHECKING:
    from engine.runtime.bpmn.workflow import Top

LIVE = TaskState.FUTURE | TaskState.WAITING | TaskState.READY | TaskState.STARTED


class Token:
    """Mixin before a Spiff task spec class."""

    node: Node

    def __init__(self, *args: Any, node: Node | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if node is not None:
            self.node = node
        self.flows: list[tuple[str, str]] = []
        self.boundary: list[str] = []

    def add_flow(self, flow_id: str, target: Any) -> None:
        """Lead ``flow_id`` to the spec ``target``."""
        self.flows.append((flow_id, target.name))
        self._outputs.append(target.name)  # type: ignore[attr-defined]
        target._inputs.append(self.name)  # type: ignore[attr-defined]

    # What follows replaces methods of SpiffWorkflow.specs.base.TaskSpec.

    def test(self) -> None:
        return None

    def _predict(self, my_task: Task, seen: Any = None, looked_ahead: int = 0, mask: int = 0) -> None:
        return None

    def _update(self, my_task: Task) -> None:
        if my_task.state != TaskState.FUTURE or "parked" in my_task.internal_data:
            return
        top = top_of(my_task)
        if is_drawn(my_task):
            top.entered(my_task)
        try:
            ready = self._update_hook(my_task)
        except FlowError as error:
            park(my_task, error)
            return
        if "undo" not in my_task.internal_data:
            for name in self.boundary:
                arm(my_task, name)
        if ready and my_task.has_state(LIVE):
            my_task._ready()

    def _update_hook(self, my_task: Task) -> bool:
        return True

    def _on_ready(self, my_task: Task) -> None:
        if not self.manual:  # type: ignore[attr-defined]
            top_of(my_task).queue.append(my_task)

    def _run(self, my_task: Task) -> bool | None:
        return self._run_hook(my_task)

    def _run_hook(self, my_task: Task) -> bool | None:
        return True

    def _on_complete(self, my_task: Task) -> None:
        disarm(my_task)
        remember(my_task)
        my_task.workflow.last_data = my_task.data
        if "index" not in my_task.internal_data and "round" not in my_task.internal_data:
            top_of(my_task).left(my_task)
        wrapper = my_task.parent
        if "compensates" in my_task.internal_data:
            throw = find_task(top_of(my_task), my_task.internal_data["compensates"])
            if throw is not None and throw.has_state(LIVE):
                throw.task_spec.compensated(throw)
        elif wrapper is not None and hasattr(wrapper.task_spec, "instance_done"):
            wrapper.task_spec.instance_done(wrapper, my_task)
        elif "undo" not in my_task.internal_data:
            self._leave(my_task)
        top_of(my_task).touched(my_task.workflow)

    def _leave(self, my_task: Task) -> None:
        for flow_id, target in self.flows:
            spawn(my_task, flow_id, target)

    def _on_cancel(self, my_task: Task) -> None:
        return None


def is_drawn(task: Task) -> bool:
    """True for a token that counts as having reached its element: not an instance of a repeated one, not an event that only waits beside."""
    return not any(mark in task.internal_data for mark in ("index", "round", "host", "race", "trigger"))


def top_of(task: Task) -> Top:
    """The workflow of the whole instance."""
    return task.workflow.top_workflow


def new_task(workflow: Any, spec_name: str, *, parent: Task | None = None, data: dict[str, Any] | None = None, **internal: Any) -> Task:
    """A FUTURE token of ``spec_name`` under ``parent`` (default: the root), not yet entered."""
    task = Task(workflow, workflow.spec.task_specs[spec_name], parent or workflow.task_tree, state=TaskState.FUTURE, id=workflow.top_workflow.ids.next())
    task.data = dict(data or {})
    task.internal_data = internal
    return task


def enter(task: Task) -> Task:
    """Let the token take effect on its element."""
    task.task_spec._update(task)
    return task


def spawn(my_task: Task, flow_id: str, target: str) -> Task:
    """Move a token along a flow."""
    top_of(my_task).took(my_task.workflow, flow_id)
    return enter(new_task(my_task.workflow, target, data=my_task.data, via=flow_id, **runs_of(my_task)))


def runs_of(my_task: Task) -> dict[str, Any]:
    """The mark of the runs a token belongs to, to hand on to its successors."""
    runs = my_task.internal_data.get("runs")
    return {"runs": runs} if runs else {}


def park(my_task: Task, error: FlowError) -> None:
    """Keep a token that failed where it is and report the error."""
    my_task.internal_data["parked"] = error.message
    my_task.internal_data["parked_kind"] = error.kind
    if not my_task.has_state(TaskState.READY | TaskState.STARTED):
        my_task._set_state(TaskState.WAITING)
        my_task.internal_data["parked_entry"] = 1
    node = my_task.task_spec.node
    error.element, error.title, error.process = error.element or node.id, error.title or node.title, error.process or node.process
    error.engine_id = str(my_task.id)
    top_of(my_task).errors.append(error)


def arm(host: Task, spec_name: str) -> None:
    """Put a waiting boundary event beside ``host``; errors, escalations and the like wait without a token."""
    spec = host.workflow.spec.task_specs[spec_name]
    if spec.waits_outside:
        enter(new_task(host.workflow, spec_name, data=host.data, host=str(host.id), **runs_of(host)))


def hosted(host: Task) -> list[Task]:
    """The live boundary events that wait beside ``host``."""
    key = str(host.id)
    return [task for task in host.workflow.tasks.values() if task.internal_data.get("host") == key and task.has_state(LIVE)]


def disarm(host: Task) -> None:
    """Cancel the boundary events beside ``host``."""
    if host.task_spec.boundary:
        for task in hosted(host):
            cancel(task)


def remember(my_task: Task) -> None:
    """Note a completed activity that has a compensation handler, or holds some."""
    if "undo" in my_task.internal_data:
        return
    for name in my_task.task_spec.boundary:
        event = my_task.workflow.spec.task_specs[name].node.event
        if event.kind == "compensate" and event.text:
            my_task.workflow.compensable.append([my_task.task_spec.node.id, event.text])
            return
    if "undoable" in my_task.internal_data:
        my_task.workflow.compensable.append([my_task.task_spec.node.id, "", *my_task.internal_data["undoable"]])


def cancel(task: Task) -> None:
    """Cancel a live token with its instances, boundary events and sub-workflow."""
    if not task.has_state(LIVE):
        return
    task._set_state(TaskState.CANCELLED)
    top = top_of(task)
    inner = top.subprocesses.pop(task.id, None)
    if inner is not None:
        cancel_all(inner)
    for child in task.children:
        if child is not None:
            cancel(child)
    disarm(task)
    top.cancelled(task)
    top.touched(task.workflow)


def cancel_all(workflow: Any, *, but: Task | None = None) -> None:
    """Cancel every live token of ``workflow`` (and below), but one."""
    for task in list(workflow.tasks.values()):
        if task is not but and task.has_state(LIVE):
            cancel(task)


def find_task(top: Any, engine_id: str) -> Task | None:
    """The task with this engine id in the instance or one of its sub-workflows."""
    try:
        key = UUID(engine_id)
    except ValueError:
        return None
    for workflow in (top, *top.subprocesses.values()):
        if key in workflow.tasks:
            return workflow.tasks[key]
    return None
