"""What a running instance waits for, as plain data for the rows that are queried."""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.task import Task

from engine.kernel.names import pack_of
from engine.runtime.bpmn.activities import ManualTask, RuleTask, ServiceTask, UserTask, attribute, inputs_of
from engine.runtime.bpmn.errors import FlowError
from engine.runtime.bpmn.gateways import Joining
from engine.runtime.bpmn.lint import drawn
from engine.runtime.bpmn.tokens import LIVE, find_task
from engine.runtime.bpmn.values import qualified
from engine.runtime.bpmn.workflow import facts_of, place_of, scene, scope_of


@dataclass(frozen=True, kw_only=True)
class Wait:
    """One place where the instance stands still.

    engine_id  the token (text UUID)       node, title  the element as drawn      process  ``<pack>.<name>`` the node stands in
    scope      call activities above it, '/'-separated        index  position in a multi-instance, from 0, else None
    facts      everything visible there
    """

    engine_id: str
    node: str
    title: str
    process: str
    scope: str
    index: int | None
    facts: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class UserWait(Wait):
    """A person has to act."""


@dataclass(frozen=True, kw_only=True)
class ServiceWait(Wait):
    """A handler (``handler``) or decision (``decision``) has to answer; ``mode`` is inline, queued or '' for the handler's default."""

    handler: str
    decision: str
    mode: str
    inputs: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TimerWait(Wait):
    """Due at ``due_at`` (UTC); ``clock`` names the legal clock it follows, to the end of its last day or (``on_last_day``) to its
    beginning; ``beside`` the activity it is attached to."""

    due_at: datetime
    clock: str
    on_last_day: bool
    cycle: bool
    beside: str


@dataclass(frozen=True, kw_only=True)
class SubscriptionWait(Wait):
    """Listens for a message (with a correlation key) or a signal."""

    kind: str
    name: str
    correlation: str


@dataclass(frozen=True, kw_only=True)
class FanoutWait(Wait):
    """Waits for ``total`` items that are cases of their own; ``body`` is the spec that the activity stands in."""

    total: int
    body: str


@dataclass(frozen=True, kw_only=True)
class ParkedWait(Wait):
    """Failed and stands still until it is retried or skipped."""

    message: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Waits:
    """Everything the instance waits for, in the order the tokens came."""

    user_tasks: list[UserWait] = field(default_factory=list)
    services: list[ServiceWait] = field(default_factory=list)
    timers: list[TimerWait] = field(default_factory=list)
    subscriptions: list[SubscriptionWait] = field(default_factory=list)
    parked: list[ParkedWait] = field(default_factory=list)
    fanouts: list[FanoutWait] = field(default_factory=list)


def collect_waits(top: Any) -> Waits:
    """Walk the live tokens of an instance."""
    waits = Waits()
    for workflow in (top, *top.subprocesses.values()):
        for task in workflow.tasks.values():
            if task is not workflow.task_tree:
                _collect(task, waits)
    return waits


def _collect(task: Task, waits: Waits) -> None:
    spec, internal = task.task_spec, task.internal_data
    if "parked" in internal:
        waits.parked.append(ParkedWait(**_common(task), message=internal["parked"], kind=internal.get("parked_kind", "expression")))
    elif "fanout" in internal:
        waits.fanouts.append(FanoutWait(**_common(task), total=internal["fanout"], body=task.workflow.spec.name))
    elif task.state == TaskState.READY and isinstance(spec, UserTask | ManualTask):
        waits.user_tasks.append(UserWait(**_common(task)))
    elif task.state == TaskState.STARTED and isinstance(spec, ServiceTask):
        try:
            waits.services.append(_service(task))
        except FlowError as error:
            waits.parked.append(ParkedWait(**_common(task), message=error.message, kind=error.kind))
    elif task.state == TaskState.WAITING and getattr(spec, "waits_outside", False):
        _event(task, waits)


def _service(task: Task) -> ServiceWait:
    common = _common(task)
    node = task.task_spec.node
    pack = pack_of(node.process)
    handler = attribute(node.attributes.get("handler", ""), scene(task), node)
    decision = attribute(node.attributes.get("decision", ""), scene(task), node) if isinstance(task.task_spec, RuleTask) else ""
    return ServiceWait(
        **common, handler=qualified(handler, "handler", pack), decision=qualified(decision, "decision", pack), mode=node.attributes.get("mode", ""), inputs=inputs_of(task),
    )


def _event(task: Task, waits: Waits) -> None:
    node, internal = task.task_spec.node, task.internal_data
    event = node.event
    if event.kind == "timer":
        due = datetime.fromisoformat(internal["due"])
        host = find_task(task.workflow.top_workflow, internal["host"]) if "host" in internal else None
        beside = host.task_spec.node.id if host is not None else ""
        clock = attribute(event.clock, scene(task), node) if event.clock else ""
        waits.timers.append(TimerWait(
            **_common(task), due_at=due, clock=clock, on_last_day=event.fires == "last_day", cycle="every" in internal, beside=beside,
        ))
    elif event.kind in ("message", "signal"):
        waits.subscriptions.append(SubscriptionWait(**_common(task), kind=event.kind, name=event.name, correlation=internal.get("key", "")))


def _common(task: Task) -> dict[str, Any]:
    node = task.task_spec.node
    return {
        "engine_id": str(task.id), "node": node.id, "title": node.title, "process": node.process, "scope": scope_of(task.workflow),
        "index": instance_of(task), "facts": facts_of(task),
    }


def places(top: Any) -> list[tuple[str, bool]]:
    """(element as drawn, whether it is a join) where the instance stands: not what waits beside an activity, not the bodies around."""
    found = []
    for workflow in (top, *top.subprocesses.values()):
        for task in workflow.live():
            inside = task.id in top.subprocesses or any(child.has_state(LIVE) for child in task.children)
            if not inside or "parked" in task.internal_data:
                found.append((place_of(workflow, drawn(task.task_spec.node.id)), isinstance(task.task_spec, Joining)))
    return found


def instance_of(task: Task) -> int | None:
    """The position of the innermost multi-instance that the token is in (same process), from 0."""
    current: Task | None = task
    while current is not None:
        if "index" in current.internal_data:
            return int(current.internal_data["index"])
        workflow = current.workflow
        current = None if workflow.spec.standalone else getattr(workflow, "owner", None)
    return None
