"""Put elements into a diagram."""
from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.runtime.bpmn.names import CONTAINERS, FLOW_NODES, bpmn, gc, local


def containers(root: etree._Element) -> Iterator[etree._Element]:
    """The processes and bodies of a file."""
    for element in root.iter():
        if local(element) in CONTAINERS:
            yield element


def flow_nodes(container: etree._Element) -> list[etree._Element]:
    """The flow nodes directly in a body."""
    return [child for child in container if local(child) in FLOW_NODES]


def flows(container: etree._Element) -> list[etree._Element]:
    """The sequence flows directly in a body."""
    return [child for child in container if child.tag == bpmn("sequenceFlow")]


def add_node(container: etree._Element, kind: str, identifier: str, name: str = "") -> etree._Element:
    """Put a generated flow node into a body."""
    node = etree.SubElement(container, bpmn(kind))
    node.set("id", identifier)
    node.set(gc("generated"), "true")
    if name:
        node.set("name", name)
    return node


def add_flow(container: etree._Element, identifier: str, source: str, target: str) -> etree._Element:
    """Put a generated sequence flow into a body."""
    flow = etree.SubElement(container, bpmn("sequenceFlow"))
    flow.set("id", identifier)
    flow.set("sourceRef", source)
    flow.set("targetRef", target)
    flow.set(gc("generated"), "true")
    return flow


def add_extension(element: etree._Element, tag: str, **attributes: str) -> etree._Element:
    """Add a ``gc`` element to the extension elements."""
    holder = element.find(bpmn("extensionElements"))
    if holder is None:
        holder = etree.Element(bpmn("extensionElements"))
        element.insert(0, holder)
    return etree.SubElement(holder, gc(tag), attrib=dict(attributes))


def event_definitions(element: etree._Element) -> list[etree._Element]:
    """What an event waits for or throws."""
    return [child for child in element if local(child).endswith("EventDefinition")]
