"""A process spec of ours and the table from BPMN elements to spec classes."""
from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.control import SimpleBpmnTask
from SpiffWorkflow.bpmn.specs.event_definitions import (
    CancelEventDefinition,
    ConditionalEventDefinition,
    CycleTimerEventDefinition,
    DurationTimerEventDefinition,
    ErrorEventDefinition,
    EscalationEventDefinition,
    MessageEventDefinition,
    NoneEventDefinition,
    SignalEventDefinition,
    TerminateEventDefinition,
    TimeDateEventDefinition,
)

from engine.runtime.bpmn import activities, events, gateways, scopes
from engine.runtime.bpmn.model import Model, Node
from engine.runtime.bpmn.tokens import Token

SPEC_CLASSES: dict[str, type] = {
    "userTask": activities.UserTask, "manualTask": activities.ManualTask, "task": activities.ManualTask, "serviceTask": activities.ServiceTask,
    "businessRuleTask": activities.RuleTask, "scriptTask": activities.ScriptTask, "sendTask": events.SendTask, "receiveTask": events.ReceiveTask,
    "callActivity": scopes.CallActivity, "subProcess": scopes.SubProcess, "transaction": scopes.Transaction, "exclusiveGateway": gateways.Exclusive,
    "parallelGateway": gateways.Parallel, "inclusiveGateway": gateways.Inclusive, "eventBasedGateway": gateways.EventGateway, "startEvent": events.StartEvent,
    "endEvent": events.EndEvent, "intermediateCatchEvent": events.CatchEvent, "intermediateThrowEvent": events.ThrowEvent, "boundaryEvent": events.BoundaryEvent,
}
_TIMERS = {"date": TimeDateEventDefinition, "duration": DurationTimerEventDefinition, "cycle": CycleTimerEventDefinition}


class Root(Token, SimpleBpmnTask):
    """The task that every token of a workflow hangs under; passed from the start."""


class ProcessSpec(BpmnProcessSpec):
    """The spec of a process or body. ``standalone``: it has facts of its own; ``event_body``: it is the body of an event
    sub-process; ``triggers``: its event sub-processes; ``locals``: facts that live in this body; ``generated``: flows never drawn."""

    def __init__(self, name: str, model: Model, *, standalone: bool, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        del self.task_specs["Start"]
        self.start = Root(self, "Start")
        self.model = model
        self.standalone = standalone
        self.event_body = False
        self.starts: list[str] = []
        self.triggers: list[str] = []
        self.locals: tuple[str, ...] = ()
        self.generated: frozenset[str] = frozenset(flow.id for flow in model.flows.values() if flow.generated)


def event_definition(node: Node) -> Any:
    """The Spiff event definition of an event node."""
    event = node.event
    if event is None or event.kind in ("none", "compensate", "link"):
        return NoneEventDefinition()
    if event.kind == "timer":
        return _TIMERS[event.timer or "duration"](node.id, event.text)
    if event.kind == "conditional":
        return ConditionalEventDefinition(event.text)
    simple = {"terminate": TerminateEventDefinition, "cancel": CancelEventDefinition}
    if event.kind in simple:
        return simple[event.kind]()
    if event.kind in ("error", "escalation"):
        coded = ErrorEventDefinition if event.kind == "error" else EscalationEventDefinition
        return coded(event.name, event.code or None)
    return MessageEventDefinition(event.name) if event.kind == "message" else SignalEventDefinition(event.name)
