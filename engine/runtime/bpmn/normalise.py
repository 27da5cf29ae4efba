"""Rewrite what the engine can't run as drawn, without changing the ids of anything drawn.

Elements that are put in carry ``gc:generated="true"``; a flow keeps its id when its source moves behind a generated gateway, so the path
taken can be drawn on the original diagram.
"""
from __future__ import annotations

import copy
import re
from collections.abc import Iterator

from lxml import etree

from engine.runtime.bpmn.names import ACTIVITIES, BODIES, CONTAINERS, EVENTS, FLOW_NODES, bpmn, gc, local, text_of

_ISO = re.compile(r"P[\dT]|R\d*/|\d{4}-\d\d")
_DATA = ("dataObject", "dataObjectReference", "dataStoreReference", "dataInputAssociation", "dataOutputAssociation", "ioSpecification", "property")


def normalise(root: etree._Element) -> etree._Element:
    """A rewritten copy of ``definitions``."""
    root = copy.deepcopy(root)
    for step in (_drop_data, _name_flows, _join_links, _split_implicitly, _start_implicitly, _quote_timers, _type_tasks):
        step(root)
    return root


def _containers(root: etree._Element) -> Iterator[etree._Element]:
    for element in root.iter():
        if local(element) in CONTAINERS:
            yield element


def _flow_nodes(container: etree._Element) -> list[etree._Element]:
    return [child for child in container if local(child) in FLOW_NODES]


def _flows(container: etree._Element) -> list[etree._Element]:
    return [child for child in container if child.tag == bpmn("sequenceFlow")]


def _drop_data(root: etree._Element) -> None:
    """Data objects, stores and associations are documentation: facts are the data of a process."""
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
    for container in list(_containers(root)):
        catches = {_link(node): node for node in _flow_nodes(container) if local(node) == "intermediateCatchEvent" and _link(node)}
        for node in _flow_nodes(container):
            name = _link(node) if local(node) == "intermediateThrowEvent" else None
            if name and name in catches:
                _add_flow(container, f"gc_link_{node.get('id')}", node.get("id", ""), catches[name].get("id", ""))
                _remove_link(node)
        for node in catches.values():
            if any(flow.get("targetRef") == node.get("id") for flow in _flows(container)):
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
    for container in list(_containers(root)):
        leaving: dict[str, list[etree._Element]] = {}
        for flow in _flows(container):
            leaving.setdefault(flow.get("sourceRef", ""), []).append(flow)
        for node in _flow_nodes(container):
            if local(node) not in ACTIVITIES | EVENTS:
                continue
            flows = leaving.get(node.get("id", ""), [])
            conditional = any(flow.find(bpmn("conditionExpression")) is not None for flow in flows)
            if len(flows) > 1 or conditional:
                _insert_gateway(container, node, flows, "inclusiveGateway" if conditional else "parallelGateway")


def _insert_gateway(container: etree._Element, node: etree._Element, flows: list[etree._Element], kind: str) -> None:
    node_id = node.get("id", "")
    gateway = etree.SubElement(container, bpmn(kind))
    gateway.set("id", f"gc_split_{node_id}")
    gateway.set(gc("generated"), "true")
    if node.get("name"):
        gateway.set("name", node.get("name", ""))
    if node.get("default"):
        gateway.set("default", node.get("default", ""))
        del node.attrib["default"]
    for flow in flows:
        flow.set("sourceRef", gateway.get("id", ""))
    _add_flow(container, f"gc_to_split_{node_id}", node_id, gateway.get("id", ""))


def _start_implicitly(root: etree._Element) -> None:
    """A body without a start event starts every node that nothing leads to."""
    for container in list(_containers(root)):
        nodes = _flow_nodes(container)
        if any(local(node) == "startEvent" for node in nodes):
            continue
        targets = {flow.get("targetRef") for flow in _flows(container)}
        heads = [node for node in nodes if node.get("id") not in targets and _can_be_first(node)]
        if local(container) == "process" and not heads:
            continue
        start = etree.SubElement(container, bpmn("startEvent"))
        start.set("id", f"gc_start_{container.get('id')}")
        start.set(gc("generated"), "true")
        source = start
        if len(heads) > 1:
            source = etree.SubElement(container, bpmn("parallelGateway"))
            source.set("id", f"gc_split_start_{container.get('id')}")
            source.set(gc("generated"), "true")
            _add_flow(container, f"gc_start_flow_{container.get('id')}", start.get("id", ""), source.get("id", ""))
        for head in heads:
            _add_flow(container, f"gc_start_{source.get('id')}_{head.get('id')}", source.get("id", ""), head.get("id", ""))


def _can_be_first(node: etree._Element) -> bool:
    tag = local(node)
    if tag == "boundaryEvent" or node.get("isForCompensation") == "true":
        return False
    return not (tag in BODIES and node.get("triggeredByEvent") == "true")


def _add_flow(container: etree._Element, identifier: str, source: str, target: str) -> None:
    flow = etree.SubElement(container, bpmn("sequenceFlow"))
    flow.set("id", identifier)
    flow.set("sourceRef", source)
    flow.set("targetRef", target)
    flow.set(gc("generated"), "true")


def _quote_timers(root: etree._Element) -> None:
    """Timer texts become either plain ISO 8601 or ``=`` FEEL."""
    for definition in root.iter(bpmn("timerEventDefinition")):
        for part in definition:
            if not isinstance(part.tag, str):
                continue
            text = text_of(part)
            bare = text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
            part.text = bare if _ISO.match(bare) or not text or text.startswith("=") else "=" + text


def _type_tasks(root: etree._Element) -> None:
    """A plain task with a role or form is a user task, with a handler a service task; otherwise a person has to tick it off."""
    for task in list(root.iter(bpmn("task"))):
        if task.get(gc("handler")):
            task.tag = bpmn("serviceTask")
        elif task.get(gc("decision")):
            task.tag = bpmn("businessRuleTask")
        else:
            task.tag = bpmn("userTask") if task.get(gc("role")) or task.get(gc("form")) else bpmn("manualTask")
