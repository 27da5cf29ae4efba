"""Rewrite what the engine can't run as drawn, without changing the ids of anything drawn.

Elements that are put in carry ``gc:generated="true"``; a flow keeps its id when its source moves behind a generated gateway, so the path
taken can be drawn on the original diagram.
"""
from __future__ import annotations

import copy
import re

from lxml import etree

from engine.runtime.bpmn.names import ACTIVITIES, BODIES, EVENTS, bpmn, gc, local, text_of
from engine.runtime.bpmn.rewrites.building import add_flow, add_node, containers, flow_nodes, flows
from engine.runtime.bpmn.rewrites.countersign import countersign
from engine.runtime.bpmn.rewrites.data import carry_data
from engine.runtime.bpmn.rewrites.people import look_up_people
from engine.runtime.bpmn.rewrites.several_events import resolve_definitions, split_events
from engine.runtime.bpmn.timers import CRON

_ISO = re.compile(r"-?P[\dT]|P\Z|R(?:-1|\d*)/|\d{4}-\d\d")
_DATA = ("dataObject", "dataObjectReference", "dataStoreReference", "dataInputAssociation", "dataOutputAssociation", "ioSpecification", "property")


def normalise(root: etree._Element) -> etree._Element:
    """A rewritten copy of ``definitions``."""
    root = copy.deepcopy(root)
    for step in (
        carry_data, _drop_data, _name_flows, look_up_people, countersign, resolve_definitions, split_events, _join_links, _split_implicitly, _start_implicitly, _quote_timers, _type_tasks,
    ):
        step(root)
    return root


def _drop_data(root: etree._Element) -> None:
    """What ``carry_data`` has read is done with; data stores are documentation."""
    for tag in _DATA:
        for element in list(root.iter(bpmn(tag))):
            parent = element.getparent()
            if parent is not None:
                parent.remove(element)


def _name_flows(root: etree._Element) -> None:
    for number, flow in enumerate(root.iter(bpmn("sequenceFlow"))):
        if not flow.get("id"):
            flow.set("id", f"gc_unnamed_flow_{number}")
            flow.set(gc("generated"), "true")


def _join_links(root: etree._Element) -> None:
    """A link throw continues at the link catch of the same name in the same container."""
    for container in list(containers(root)):
        catches = {_link(node): node for node in flow_nodes(container) if local(node) == "intermediateCatchEvent" and _link(node)}
        for node in flow_nodes(container):
            name = _link(node) if local(node) == "intermediateThrowEvent" else None
            if name and name in catches:
                add_flow(container, f"gc_link_{node.get('id')}", node.get("id", ""), catches[name].get("id", ""))
                _remove_link(node)
        for node in catches.values():
            if any(flow.get("targetRef") == node.get("id") for flow in flows(container)):
                _remove_link(node)
                node.tag = bpmn("intermediateThrowEvent")


def _link(node: etree._Element) -> str | None:
    definition = node.find(bpmn("linkEventDefinition"))
    return None if definition is None else definition.get("name") or node.get("name")


def _remove_link(node: etree._Element) -> None:
    definition = node.find(bpmn("linkEventDefinition"))
    if definition is not None:
        node.remove(definition)


def _split_implicitly(root: etree._Element) -> None:
    """Several flows (or a conditional one) out of an activity or event become an explicit gateway behind it."""
    for container in list(containers(root)):
        leaving: dict[str, list[etree._Element]] = {}
        for flow in flows(container):
            leaving.setdefault(flow.get("sourceRef", ""), []).append(flow)
        for node in flow_nodes(container):
            if local(node) not in ACTIVITIES | EVENTS:
                continue
            out = leaving.get(node.get("id", ""), [])
            conditional = any(flow.find(bpmn("conditionExpression")) is not None for flow in out)
            if len(out) > 1 or conditional:
                _insert_gateway(container, node, out, "inclusiveGateway" if conditional else "parallelGateway")


def _insert_gateway(container: etree._Element, node: etree._Element, out: list[etree._Element], kind: str) -> None:
    node_id = node.get("id", "")
    gateway = add_node(container, kind, f"gc_split_{node_id}", node.get("name", ""))
    if node.get("default"):
        gateway.set("default", node.get("default", ""))
        del node.attrib["default"]
    for flow in out:
        flow.set("sourceRef", gateway.get("id", ""))
    add_flow(container, f"gc_to_split_{node_id}", node_id, gateway.get("id", ""))


def _start_implicitly(root: etree._Element) -> None:
    """A body without a start event starts every node that nothing leads to."""
    for container in list(containers(root)):
        nodes = flow_nodes(container)
        if any(local(node) == "startEvent" for node in nodes):
            continue
        targets = {flow.get("targetRef") for flow in flows(container)}
        heads = [node for node in nodes if node.get("id") not in targets and _can_be_first(node)]
        if local(container) == "process" and not heads:
            continue
        start = add_node(container, "startEvent", f"gc_start_{container.get('id')}")
        source = start
        if len(heads) > 1:
            source = add_node(container, "parallelGateway", f"gc_split_start_{container.get('id')}")
            add_flow(container, f"gc_start_flow_{container.get('id')}", start.get("id", ""), source.get("id", ""))
        for head in heads:
            add_flow(container, f"gc_start_{source.get('id')}_{head.get('id')}", source.get("id", ""), head.get("id", ""))


def _can_be_first(node: etree._Element) -> bool:
    tag = local(node)
    if tag == "boundaryEvent" or node.get("isForCompensation") == "true":
        return False
    return not (tag in BODIES and node.get("triggeredByEvent") == "true")


def _quote_timers(root: etree._Element) -> None:
    """Timer texts become either plain ISO 8601 or ``=`` FEEL."""
    for definition in root.iter(bpmn("timerEventDefinition")):
        for part in definition:
            if not isinstance(part.tag, str):
                continue
            text = text_of(part)
            bare = text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
            part.text = bare if _ISO.match(bare) or CRON.match(bare) or not text or text.startswith("=") else "=" + text


def _type_tasks(root: etree._Element) -> None:
    """A plain task with a role or form is a user task, with a handler a service task; otherwise a person has to tick it off."""
    for task in list(root.iter(bpmn("task"))):
        if task.get(gc("handler")):
            task.tag = bpmn("serviceTask")
        elif task.get(gc("decision")):
            task.tag = bpmn("businessRuleTask")
        else:
            task.tag = bpmn("userTask") if task.get(gc("role")) or task.get(gc("form")) else bpmn("manualTask")
