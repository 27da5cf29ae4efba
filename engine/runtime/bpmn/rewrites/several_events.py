"""An event with several triggers becomes several events with one each; an event definition that is referred to is put in place."""
from __future__ import annotations

import copy

from lxml import etree

from engine.runtime.bpmn.names import EVENTS, bpmn, gc, local
from engine.runtime.bpmn.rewrites.building import add_flow, add_node, containers, event_definitions, flow_nodes, flows

_LAST = ("terminateEventDefinition", "errorEventDefinition", "cancelEventDefinition")


def resolve_definitions(root: etree._Element) -> None:
    """``eventDefinitionRef`` names a definition at the top of the file: a copy of it takes the reference's place."""
    shared = {item.get("id", ""): item for item in root if local(item).endswith("EventDefinition")}
    for reference in list(root.iter(bpmn("eventDefinitionRef"))):
        found = shared.get((reference.text or "").strip().rsplit(":", 1)[-1])
        parent = reference.getparent()
        if found is not None and parent is not None:
            parent.append(copy.deepcopy(found))
            parent.remove(reference)


def may_split(event: etree._Element) -> bool:
    """False for the few that can't be drawn apart: triggers that must all come beside an activity or at a start, two ways to end at once."""
    together = event.get("parallelMultiple") == "true"
    if sum(local(item) in _LAST for item in event_definitions(event)) > 1:
        return False
    parent = event.getparent()
    inside_handler = parent is not None and parent.get("triggeredByEvent") == "true"
    if local(event) == "startEvent":
        return not together and not inside_handler
    return local(event) != "boundaryEvent" or not together


def split_events(root: etree._Element) -> None:
    """Draw events with several triggers apart."""
    for container in list(containers(root)):
        for event in flow_nodes(container):
            if local(event) in EVENTS and len(event_definitions(event)) > 1 and may_split(event):
                (_throw if "Throw" in local(event) or local(event) == "endEvent" else _catch)(container, event)


def _throw(container: etree._Element, event: etree._Element) -> None:
    """One throw after the other; what ends the scope comes last and stays in the event itself."""
    definitions = sorted(event_definitions(event), key=lambda item: local(item) in _LAST)
    name = event.get("id", "")
    first = ""
    before = ""
    for number, definition in enumerate(definitions[:-1], start=1):
        extra = add_node(container, "intermediateThrowEvent", f"gc_{name}_{number}", event.get("name") or name)
        extra.append(definition)
        first = first or extra.get("id", "")
        if before:
            add_flow(container, f"gc_from_{before}", before, extra.get("id", ""))
        before = extra.get("id", "")
    _lead(container, name, first)
    add_flow(container, f"gc_from_{before}", before, name)


def _catch(container: etree._Element, event: etree._Element) -> None:
    """The first trigger stays with the event, each further one gets an event of its own; they meet behind it."""
    name, tag = event.get("id", ""), local(event)
    together = event.get("parallelMultiple") == "true"
    extras = []
    for number, definition in enumerate(event_definitions(event)[1:], start=2):
        extra = add_node(container, tag, f"gc_{name}_{number}", event.get("name") or name)
        for key in ("attachedToRef", "cancelActivity", gc("correlation"), gc("clock")):
            if event.get(key) is not None:
                extra.set(key, event.get(key, ""))
        extra.append(definition)
        extras.append(extra)
    if any(flow.get("sourceRef") == name for flow in flows(container)):
        _meet(container, event, extras, "parallelGateway" if together else "exclusiveGateway")
    if tag == "intermediateCatchEvent":
        _fork(container, event, extras, "parallelGateway" if together else "eventBasedGateway")


def _meet(container: etree._Element, event: etree._Element, extras: list[etree._Element], kind: str) -> None:
    name = event.get("id", "")
    meeting = add_node(container, kind, f"gc_meet_{name}")
    for flow in flows(container):
        if flow.get("sourceRef") == name:
            flow.set("sourceRef", meeting.get("id", ""))
    for one in [event, *extras]:
        add_flow(container, f"gc_meet_from_{one.get('id')}", one.get("id", ""), meeting.get("id", ""))


def _fork(container: etree._Element, event: etree._Element, extras: list[etree._Element], kind: str) -> None:
    name = event.get("id", "")
    sources = [flow.get("sourceRef") for flow in flows(container) if flow.get("targetRef") == name]
    races = [node for node in flow_nodes(container) if local(node) == "eventBasedGateway" and node.get("id") in sources]
    if races and kind == "eventBasedGateway":
        for extra in extras:
            add_flow(container, f"gc_race_{extra.get('id')}", races[0].get("id", ""), extra.get("id", ""))
        return
    fork = add_node(container, kind, f"gc_fork_{name}")
    _lead(container, name, fork.get("id", ""))
    for one in [event, *extras]:
        add_flow(container, f"gc_fork_to_{one.get('id')}", fork.get("id", ""), one.get("id", ""))


def _lead(container: etree._Element, old: str, new: str) -> None:
    for flow in flows(container):
        if flow.get("targetRef") == old and flow.get(gc("generated")) != "true":
            flow.set("targetRef", new)
