"""XML names of BPMN 2.0 and of our own extension."""
from __future__ import annotations

from lxml import etree

BPMN_URI = "http://www.omg.org/spec/BPMN/20100524/MODEL"
GC_URI = "urn:guicheng:bpmn:1"
NS = {"bpmn": BPMN_URI, "gc": GC_URI}

ACTIVITIES = frozenset({
    "task", "userTask", "manualTask", "serviceTask", "scriptTask", "businessRuleTask", "sendTask", "receiveTask", "callActivity", "subProcess", "transaction",
})
GATEWAYS = frozenset({"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"})
EVENTS = frozenset({"startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"})
UNSUPPORTED = frozenset({"complexGateway", "adHocSubProcess", "callChoreography", "subChoreography", "choreographyTask"})
FLOW_NODES = ACTIVITIES | GATEWAYS | EVENTS
HUMAN = frozenset({"userTask", "manualTask", "task"})
BODIES = frozenset({"subProcess", "transaction"})
CONTAINERS = frozenset({"process"}) | BODIES


def bpmn(tag: str) -> str:
    """The full XML name of a BPMN element."""
    return f"{{{BPMN_URI}}}{tag}"


def gc(tag: str) -> str:
    """The full XML name of one of our elements or attributes."""
    return f"{{{GC_URI}}}{tag}"


def local(element: etree._Element) -> str:
    """The name of ``element`` without its namespace, '' for comments and processing instructions."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def is_bpmn(element: etree._Element) -> bool:
    """True for an element of the BPMN model namespace."""
    return isinstance(element.tag, str) and element.tag.startswith("{" + BPMN_URI + "}")


def text_of(element: etree._Element) -> str:
    """All text inside an element, stripped."""
    return "".join(str(part) for part in element.itertext()).strip()


def attributes_of(element: etree._Element) -> dict[str, str]:
    """The attributes of an element as plain strings."""
    return {str(key): str(value) for key, value in element.attrib.items()}
