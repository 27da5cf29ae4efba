"""From normalised XML to Spiff specs: a BpmnParser that first makes every task spec, then connects them, so depth and loops cost nothing."""
from __future__ import annotations

from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.parser.ProcessParser import ProcessParser
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.util import full_tag

from engine.runtime.bpmn import events, loops
from engine.runtime.bpmn.gateways import Choice, Inclusive, Joining
from engine.runtime.bpmn.model import Model, Node
from engine.runtime.bpmn.names import BODIES, FLOW_NODES, local
from engine.runtime.bpmn.specs import SPEC_CLASSES, ProcessSpec, event_definition


class NodeParser(TaskParser):
    """Makes the task spec of one element, unconnected."""

    def parse_node(self) -> Any:
        self.task = self.create_task()
        return self.task

    def create_task(self) -> Any:
        node = self.process_parser.model.nodes[self.bpmn_id]
        return self.spec_class(self.spec, self.bpmn_id, **self.arguments(node))

    def arguments(self, node: Node) -> dict[str, Any]:
        """Constructor arguments of the spec class."""
        arguments: dict[str, Any] = {"node": node, "lane": node.lane or None, "bpmn_name": node.title, "description": node.kind}
        if node.event is not None:
            arguments["event_definition"] = event_definition(node)
        if node.kind == "boundaryEvent":
            arguments["cancel_activity"] = node.interrupting
        if node.kind == "scriptTask":
            arguments["script"] = ""
        if node.kind in BODIES:
            arguments["subworkflow_spec"] = body_name(self.process_parser.model, node.id)
        if node.kind == "callActivity":
            arguments["subworkflow_spec"] = self.process_parser.parser.called(node)
        return arguments


class BodyParser(ProcessParser):
    """Parses the body of a process or sub-process into a ``ProcessSpec``."""

    model: Model

    def create_spec(self) -> ProcessSpec:
        top = local(self.node) == "process"
        name = self.model.process if top else body_name(self.model, self.node.get("id"))
        return ProcessSpec(name, self.model, standalone=top, description=self.get_name(), filename=self.filename)

    def _parse(self) -> None:
        self.spec = self.create_spec()
        self.add_tasks()

    def add_tasks(self) -> None:
        for element in self.node:
            if local(element) in FLOW_NODES:
                self.parse_node(element)
        specs = self.spec.task_specs
        inside = self.model.inside("" if local(self.node) == "process" else self.node.get("id"))
        for node in inside:
            if node.loop is not None:
                wrap(self.spec, node)
        for node in inside:
            self._connect(node, specs)
        for node in inside:
            if node.triggered_by_event:
                add_trigger(self.spec, self.model, node)
        self.spec.event_body = self.node.get("triggeredByEvent") == "true"
        self.spec.locals = tuple(self.model.locals.get(self.node.get("id"), ())) if not self.spec.standalone else ()
        self.spec.starts = [node.id for node in inside if node.kind == "startEvent"]
        for spec in specs.values():
            if isinstance(spec, Inclusive):
                spec.reachable_from = {flow: upstream(self.spec, self.model.flows[flow].source, spec.name) for flow in spec.incoming}

    def _connect(self, node: Node, specs: dict[str, Any]) -> None:
        spec = specs[node.id]
        if node.attached_to in specs:
            specs[node.attached_to].boundary.append(node.id)
        if isinstance(spec, Joining):
            spec.incoming = list(node.incoming)
        for flow_id in node.outgoing:
            flow = self.model.flows[flow_id]
            spec.add_flow(flow_id, specs[flow.target])
            if isinstance(spec, Choice):
                spec.titles[flow_id] = flow.title
                if flow.condition is not None:
                    spec.conditions[flow_id] = flow.condition


class DiagramParser(BpmnParser):
    """Spiff's parser with our element parsers and specs; ``calls`` maps a call activity's id to the qualified process."""

    PROCESS_PARSER_CLASS = BodyParser
    OVERRIDE_PARSER_CLASSES = {full_tag(tag): (NodeParser, cls) for tag, cls in SPEC_CLASSES.items()}

    def __init__(self, model: Model, calls: dict[str, str]) -> None:
        super().__init__()
        self.model = model
        self.calls = calls

    def called(self, node: Node) -> str:
        """The reference of the process that a call activity calls."""
        return self.calls[node.id]

    def specs(self, process: etree._Element) -> dict[str, ProcessSpec]:
        """Every spec of the process by name: its own and one per body inside."""
        found: dict[str, ProcessSpec] = {}
        for element in process.iter():
            if element is process or local(element) in BODIES:
                parser = self.PROCESS_PARSER_CLASS(self, element, self.namespaces, self.data_stores, filename=self.model.process)
                parser.model = self.model
                spec = parser.get_spec()
                found[spec.name] = spec
        return found


def body_name(model: Model, node_id: str) -> str:
    """The name of a sub-process's spec: unique over all processes of an instance."""
    return f"{model.process}/{node_id}"


def wrap(spec: ProcessSpec, node: Node) -> None:
    """Put a repeating wrapper in the place of a task spec; the original becomes the spec of one instance."""
    original = spec.task_specs.pop(node.id)
    child = f"{node.id} [child]"
    cls = loops.StandardLoop if node.loop is not None and node.loop.kind == "standard" else loops.MultiInstance
    extra: dict[str, Any] = {"maximum": None, "condition": None, "test_before": False} if cls is loops.StandardLoop else {}
    wrapper = cls(spec, node.id, task_spec=child, node=node, bpmn_name=node.title, lane=node.lane or None, **extra)
    assert node.loop is not None
    wrapper.loop = node.loop
    original.name = child
    spec.task_specs[child] = original


def add_trigger(spec: ProcessSpec, model: Model, node: Node) -> None:
    """Make an event sub-process start by an event that waits for as long as its scope lives."""
    start = next(inner for inner in model.inside(node.id) if inner.kind == "startEvent")
    name = f"{node.id} [trigger]"
    trigger = events.Trigger(spec, name, node=start, event_definition=event_definition(start), cancel_activity=start.interrupting)
    trigger.flows.append((f"gc_trigger_{node.id}", node.id))
    spec.generated |= {f"gc_trigger_{node.id}"}
    spec.triggers.append(name)


def _before(spec: ProcessSpec) -> dict[str, set[str]]:
    """The specs from which a token comes directly to each, kept with the spec: it is complete by then."""
    before: dict[str, set[str]] = {}
    for name, task_spec in spec.task_specs.items():
        for target in [target for _, target in getattr(task_spec, "flows", [])] + getattr(task_spec, "boundary", []):
            before.setdefault(target, set()).add(name)
    spec.__dict__["before"] = before
    return before


def upstream(spec: ProcessSpec, source: str, gateway: str) -> frozenset[str]:
    """The specs from which a token can come to ``source`` without passing ``gateway``, ``source`` among them."""
    before = spec.__dict__.get("before") or _before(spec)
    seen: set[str] = set()
    stack = [source]
    while stack:
        name = stack.pop()
        if name not in seen and name != gateway:
            seen.add(name)
            stack.extend(before.get(name, ()))
    return frozenset(seen)


