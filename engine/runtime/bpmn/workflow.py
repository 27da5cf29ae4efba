"""The workflow of an instance and its sub-workflows: Spiff's classes with flat tokens, our facts and a step queue."""
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.task import Task

from engine.expressions.builtin_temporal import AT
from engine.runtime.bpmn.errors import FlowError
from engine.runtime.bpmn.journal import Ids
from engine.runtime.bpmn.tokens import LIVE

Decide = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


class _Flat:
    """Both kinds of workflow: a finished root without prediction, facts of its own or none.

    ``compensable``: [activity, handler] of completed activities in order; ``last_data``: what the token that ended last carried.
    """

    facts: dict[str, Any] | None = None
    last_data: dict[str, Any]
    compensable: list[list[str]]

    def plant(self: Any) -> None:
        """Give the workflow its root, already passed."""
        self.task_tree = Task(self, self.spec.start, state=TaskState.COMPLETED)
        self.last_data = {}
        self.compensable = []

    def live(self: Any) -> list[Task]:
        """Tokens that keep the workflow alive: not the events that merely wait beside an activity or for the whole scope."""
        return [t for t in self.tasks.values() if t.has_state(LIVE) and "host" not in t.internal_data and "trigger" not in t.internal_data]

    def _task_completed_notify(self: Any, task: Task) -> None:
        self.last_task = task


class Top(_Flat, BpmnWorkflow):
    """The workflow of the whole instance."""

    def __init__(self, spec: Any, subprocess_specs: dict[str, Any], *, now: datetime, decide: Decide | None = None) -> None:
        super().__init__(spec, subprocess_specs, deserializing=True)
        self.ids = Ids()
        self.now = now
        self.decide = decide
        self.queue: deque[Task] = deque()
        self.errors: list[FlowError] = []
        self.flows_taken: list[str] = []
        self.nodes_entered: list[str] = []
        self.nodes_left: list[str] = []
        self.nodes_cancelled: list[str] = []
        self.thrown: list[dict[str, Any]] = []
        self.dirty: list[Any] = []
        self.marks: dict[str, Any] = {}
        self.fanned: dict[str, list[Any]] = {}

    def create_subprocess(self, my_task: Task, spec_name: str) -> Sub:
        inner = Sub(self.subprocess_specs[spec_name], my_task, self)
        self.subprocesses[my_task.id] = inner
        return inner

    def resume(self, inner: Sub) -> None:
        """Let a body that ran out of tokens go on."""
        self.subprocesses[inner.owner.id] = inner
        inner.completed = False

    def took(self, workflow: Any, flow_id: str) -> None:
        if flow_id not in workflow.spec.generated:
            self.flows_taken.append(place_of(workflow, flow_id))

    def entered(self, task: Task) -> None:
        self._note(self.nodes_entered, task)

    def left(self, task: Task) -> None:
        self._note(self.nodes_left, task)

    def cancelled(self, task: Task) -> None:
        if "host" not in task.internal_data:
            self._note(self.nodes_cancelled, task)

    @staticmethod
    def _note(notes: list[str], task: Task) -> None:
        if not task.task_spec.node.generated:
            notes.append(place_of(task.workflow, task.task_spec.node.id))

    def touched(self, workflow: Any) -> None:
        if workflow not in self.dirty:
            self.dirty.append(workflow)


class Sub(_Flat, BpmnSubWorkflow):
    """The workflow inside a sub-process or called process."""

    def __init__(self, spec: Any, owner: Task, top: Top) -> None:
        self.owner = owner
        super().__init__(spec, owner.id, top, deserializing=True)

    @property
    def parent_workflow(self) -> Any:
        return self.owner.workflow


def scope_of(workflow: Any) -> str:
    """The call activities above a workflow, outermost first, joined by '/'; '' in the process of the instance itself."""
    above: list[str] = []
    while hasattr(workflow, "owner"):
        if workflow.spec.standalone:
            above.append(workflow.owner.task_spec.node.id)
        workflow = workflow.owner.workflow
    return "/".join(reversed(above))


def place_of(workflow: Any, element: str) -> str:
    """An element's id as drawn, behind the call activities above it: ``element`` or ``call/element``."""
    scope = scope_of(workflow)
    return f"{scope}/{element}" if scope else element


def is_called(workflow: Any) -> bool:
    """True for a workflow that sees only its own facts: the instance itself (also one of a single item) or a called process."""
    return workflow.spec.standalone or not hasattr(workflow, "owner")


def facts_of(task: Task) -> dict[str, Any]:
    """Everything an expression at ``task`` sees."""
    layers: list[Mapping[str, Any]] = [task.data]
    workflow = task.workflow
    while True:
        if workflow.facts is not None:
            layers.append(workflow.facts)
        if is_called(workflow):
            break
        layers.append(workflow.owner.data)
        workflow = workflow.owner.workflow
    merged: dict[str, Any] = {}
    for layer in reversed(layers):
        merged.update(layer)
    return merged


def scene(task: Task) -> dict[str, Any]:
    """What an expression at ``task`` is evaluated over: declared names are null until they have a value; FEEL's ``now`` is the machine's."""
    return {**task.workflow.spec.model.names, **facts_of(task), AT: task.workflow.top_workflow.now}


def fact_store(task: Task, name: str) -> dict[str, Any]:
    """The dict that the fact ``name`` written at ``task`` goes to: of the nearest scope that has it, the process at the latest."""
    if "index" in task.internal_data:
        return task.data
    workflow = task.workflow
    while workflow.facts is None or not (name in workflow.spec.locals or keeps_all(workflow)):
        workflow = workflow.owner.workflow
    return workflow.facts


def keeps_all(workflow: Any) -> bool:
    """True for a process, a called process and an instance of a multi-instance body: whatever is written there stays there."""
    return is_called(workflow) or "index" in workflow.owner.internal_data


def spec_model(task: Task) -> Any:
    """The model of the process that the node of ``task`` belongs to."""
    return task.workflow.spec.model
