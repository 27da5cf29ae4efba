"""Build the model of a process from its normalised XML."""
from __future__ import annotations

from lxml import etree

from engine.runtime.bpmn.model import Event, Flow, Loop, Model, Name, Node
from engine.runtime.bpmn.names import ACTIVITIES, BODIES, FLOW_NODES, GC_URI, attributes_of, bpmn, gc, local, text_of

_EVENT_KINDS = {
    "timerEventDefinition": "timer", "messageEventDefinition": "message", "signalEventDefinition": "signal", "errorEventDefinition": "error",
    "escalationEventDefinition": "escalation", "terminateEventDefinition": "terminate", "cancelEventDefinition": "cancel",
    "conditionalEventDefinition": "conditional", "compensateEventDefinition": "compensate", "linkEventDefinition": "link",
}
_TIMERS = {"timeDate": "date", "timeDuration": "duration", "timeCycle": "cycle"}


def build_model(process: etree._Element, *, name: str) -> Model:
    """The model of one ``bpmn:process``; ``name`` is its reference ``<pack>.<name>``."""
    model = Model(id=process.get("id", ""), title=" ".join((process.get("name") or process.get("id") or "").split()), process=name, attributes=_gc_attributes(process))
    for group, into in (("parameter", model.parameters), ("result", model.results), ("fact", model.facts)):
        for element in _extensions(process, group):
            declared = _name(element)
            into[declared.name] = declared
    lanes = _lanes(process)
    _walk(model, process, "", lanes)
    _associate(model, process)
    for flow in model.flows.values():
        if flow.source in model.nodes:
            model.nodes[flow.source].outgoing.append(flow.id)
        if flow.target in model.nodes:
            model.nodes[flow.target].incoming.append(flow.id)
    model.declare()
    return model


def _walk(model: Model, body: etree._Element, scope: str, lanes: dict[str, str]) -> None:
    stack = [(body, scope)]
    while stack:
        container, inside = stack.pop()
        for element in container:
            tag = local(element)
            if tag == "sequenceFlow" and element.tag == bpmn(tag):
                flow = _flow(element)
                model.flows[flow.id] = flow
            elif tag in FLOW_NODES and element.tag == bpmn(tag):
                node = _node(element, tag, model.process, inside, lanes)
                model.nodes[node.id] = node
                if tag in BODIES:
                    stack.append((element, node.id))
                    for declared in map(_name, _extensions(element, "fact")):
                        model.locals.setdefault(node.id, []).append(declared.name)
                        model.facts.setdefault(declared.name, declared)


def _associate(model: Model, process: etree._Element) -> None:
    """A compensation boundary event names its handler by an association; it becomes the event's ``text``."""
    for association in process.iter(bpmn("association")):
        ends = (association.get("sourceRef", ""), association.get("targetRef", ""))
        for event_id, handler in (ends, ends[::-1]):
            node = model.nodes.get(event_id)
            if node is not None and node.kind == "boundaryEvent" and node.event is not None and node.event.kind == "compensate" and handler in model.nodes:
                node.event.text = handler


def _flow(element: etree._Element) -> Flow:
    condition = element.find(bpmn("conditionExpression"))
    text = text_of(condition) if condition is not None else ""
    return Flow(
        id=element.get("id", ""), source=element.get("sourceRef", ""), target=element.get("targetRef", ""), condition=strip_equals(text) or None,
        title=element.get("name", ""), generated=element.get(gc("generated")) == "true",
    )


def _node(element: etree._Element, tag: str, process: str, scope: str, lanes: dict[str, str]) -> Node:
    node = Node(
        id=element.get("id", ""), kind=tag, title=" ".join((element.get("name") or "").split()) or element.get("id", ""), process=process, scope=scope,
        lane=lanes.get(element.get("id", ""), lanes.get(scope, "")), generated=element.get(gc("generated")) == "true", attributes=_gc_attributes(element),
        attached_to=element.get("attachedToRef", "") if tag == "boundaryEvent" else "", called=element.get("calledElement", ""), default=element.get("default", ""),
        triggered_by_event=tag in BODIES and element.get("triggeredByEvent") == "true",
        compensates=tag in ACTIVITIES and element.get("isForCompensation") == "true",
    )
    node.interrupting = element.get("cancelActivity", element.get("isInterrupting", "true")) != "false"
    node.outcomes = [attributes_of(e) for e in _extensions(element, "outcome")]
    node.fields = {e.get("name", ""): e.get("right", "") for e in _extensions(element, "field")}
    node.field_default = next((e.get("default") for e in _extensions(element, "fields")), None)
    node.returns = next((e.get("to", "").split() for e in _extensions(element, "returns")), None)
    node.correct = next((attributes_of(e) for e in _extensions(element, "correct")), None)
    node.shows = [attributes_of(e) for e in _extensions(element, "show")]
    node.inputs = [attributes_of(e) for e in _extensions(element, "input")]
    node.outputs = [attributes_of(e) for e in _extensions(element, "output")]
    node.sets = [attributes_of(e) for e in _extensions(element, "set")]
    node.event = _event(element, tag)
    node.loop = _loop(element) if tag in ACTIVITIES else None
    return node


def _event(element: etree._Element, tag: str) -> Event | None:
    if tag in ("receiveTask", "sendTask"):
        return Event(kind="message", name=_referenced(element, element.get("messageRef"), "message").get("name", ""), correlation=element.get(gc("correlation"), ""))
    if not tag.endswith("Event"):
        return None
    for child in element:
        kind = _EVENT_KINDS.get(local(child))
        if kind:
            return _definition(element, child, kind)
    return Event()


def _definition(element: etree._Element, child: etree._Element, kind: str) -> Event:
    event = Event(kind=kind, correlation=element.get(gc("correlation"), ""), clock=element.get(gc("clock"), ""), fires=element.get(gc("fires"), ""))
    if kind in ("message", "signal", "error", "escalation"):
        target = _referenced(element, child.get(kind + "Ref"), kind)
        event.name = target.get("name", "")
        event.code = target.get(kind + "Code", "")
    elif kind == "timer":
        for part in child:
            if local(part) in _TIMERS:
                event.timer, event.text = _TIMERS[local(part)], text_of(part)
    elif kind == "conditional":
        condition = child.find(bpmn("condition"))
        event.text = strip_equals(text_of(condition)) if condition is not None else ""
    elif kind == "compensate":
        event.name = child.get("activityRef", "")
    return event


def _loop(element: etree._Element) -> Loop | None:
    multiple = element.find(bpmn("multiInstanceLoopCharacteristics"))
    if multiple is not None:
        return Loop(
            kind="sequential" if multiple.get("isSequential") == "true" else "parallel", cardinality=_feel(multiple, "loopCardinality"),
            collection=strip_equals(multiple.get(gc("collection"), "")) or _feel(multiple, "loopDataInputRef"), item=multiple.get(gc("item")) or _item(multiple, "inputDataItem"),
            results=multiple.get(gc("results")) or _feel(multiple, "loopDataOutputRef"),
            result=strip_equals(multiple.get(gc("result"), "")) or _item(multiple, "outputDataItem"), condition=_feel(multiple, "completionCondition"),
            fanout=multiple.get(gc("fanout"), ""), label=strip_equals(multiple.get(gc("label"), "")), unit=multiple.get(gc("unit"), ""),
            items=multiple.get(gc("items"), "").strip(),
        )
    standard = element.find(bpmn("standardLoopCharacteristics"))
    if standard is None:
        return None
    maximum = standard.get("loopMaximum", "")
    return Loop(
        kind="standard", condition=_feel(standard, "loopCondition"), maximum=int(maximum) if maximum.isdigit() else None, test_before=standard.get("testBefore") == "true",
    )


def _feel(element: etree._Element, tag: str) -> str:
    child = element.find(bpmn(tag))
    return strip_equals(text_of(child)) if child is not None else ""


def _item(element: etree._Element, tag: str) -> str:
    child = element.find(bpmn(tag))
    return child.get("name") or child.get("id") or "" if child is not None else ""


def _referenced(element: etree._Element, identifier: str | None, tag: str) -> dict[str, str]:
    if not identifier:
        return {}
    identifier = identifier.rsplit(":", 1)[-1]
    for target in element.getroottree().getroot().iterchildren(bpmn(tag)):
        if target.get("id") == identifier:
            return attributes_of(target)
    return {}


def _extensions(element: etree._Element, tag: str) -> list[etree._Element]:
    holder = element.find(bpmn("extensionElements"))
    return [] if holder is None else list(holder.iter(gc(tag)))


def _gc_attributes(element: etree._Element) -> dict[str, str]:
    prefix = "{" + GC_URI + "}"
    return {str(key)[len(prefix):]: str(value) for key, value in element.attrib.items() if str(key).startswith(prefix) and str(key) != gc("generated")}


def _name(element: etree._Element) -> Name:
    return Name(
        name=element.get("name", ""), type=element.get("type", "text"), title=element.get("title", ""), required=element.get("required") == "true", default=element.get("default"),
    )


def _lanes(process: etree._Element) -> dict[str, str]:
    lanes: dict[str, str] = {}
    for reference in process.iter(bpmn("flowNodeRef")):
        lane = reference.getparent()
        if lane is not None and reference.text:
            lanes[reference.text.strip()] = lane.get("name", "")
    return lanes


def strip_equals(text: str) -> str:
    """FEEL text without the leading ``=`` that editors write."""
    return text[1:].strip() if text.startswith("=") else text
