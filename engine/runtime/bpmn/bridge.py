"""Try a diagram with gaps: what is missing becomes a wait at its place, never a guess about the way.

Only a trial uses this (``compile_process(strict=False)``); every gap was reported as a finding before, and a deploy refuses it.

gap                                              in a trial
branches without a (readable) condition          a person says which branch; a single one without becomes the default
timer or condition without a (readable) text     never comes true by itself
message or signal without a name                 named as the event
service without handler, script, unknown call    waits for a result
repetition that doesn't say how often            once
other FEEL that can't be read, loose flow ends   left out
"""
from __future__ import annotations

from datetime import UTC, datetime

from lxml import etree

from engine.expressions import FeelError
from engine.runtime.bpmn.names import CONTAINERS, FLOW_NODES, GC_URI, bpmn, gc, local, text_of
from engine.runtime.bpmn.rewrites.building import add_extension, add_flow, add_node, containers, event_definitions, flow_nodes, flows
from engine.runtime.bpmn.timers import NotATime, cycle, due_at
from engine.runtime.bpmn.values import compiled

CHOICE = "gc_choose_"
_CONDITIONAL = ("exclusiveGateway", "inclusiveGateway")
_NAMED = ("message", "signal")
_SAMPLE = datetime(2026, 1, 1, tzinfo=UTC)


def bridge(process: etree._Element, *, waiting: set[str]) -> None:
    """Rewrite one normalised process in place; ``waiting`` are call activities whose process can't be called."""
    for container in containers(process):
        _loose_ends(container)
        _conditions(container)
    for node in [element for element in process.iter() if local(element) in FLOW_NODES]:
        _automatic(node, waiting)
        _event(node)
        _repetition(node)
        _texts(node)


def is_feel(text: str) -> bool:
    """True for FEEL that can be compiled (a leading ``=`` is dropped)."""
    try:
        compiled(text)
    except FeelError:
        return False
    return True


def _loose_ends(container: etree._Element) -> None:
    nodes = {node.get("id"): node for node in flow_nodes(container)}
    below = {node.get("id") for node in container.iter() if local(node) in FLOW_NODES} - {None, ""}
    gone = set()
    for flow in flows(container):
        if not {flow.get("sourceRef"), flow.get("targetRef")} <= below:
            container.remove(flow)
            gone.add(flow.get("id"))
    leaving = {(flow.get("sourceRef"), flow.get("id")) for flow in flows(container)}
    for identifier, node in nodes.items():
        if node.get("default") and (identifier, node.get("default")) not in leaving:
            del node.attrib["default"]


def _conditions(container: etree._Element) -> None:
    for gateway in flow_nodes(container):
        out = [flow for flow in flows(container) if flow.get("sourceRef") == gateway.get("id")]
        if local(gateway) not in _CONDITIONAL:
            for flow in out:
                _drop_condition(flow)
            continue
        for flow in out:
            if flow.get("id") == gateway.get("default") or not _readable(flow):
                _drop_condition(flow)
        open_ones = [flow for flow in out if flow.find(bpmn("conditionExpression")) is None and flow.get("id") != gateway.get("default")]
        if len(out) < 2 or not open_ones or gateway.get(gc("generated")) == "true" and not _unreadable_before(open_ones):
            continue
        if len(open_ones) == 1 and not gateway.get("default"):
            gateway.set("default", open_ones[0].get("id", ""))
        else:
            _ask(container, gateway, out)


def _readable(flow: etree._Element) -> bool:
    condition = flow.find(bpmn("conditionExpression"))
    return condition is None or is_feel(text_of(condition))


def _unreadable_before(open_ones: list[etree._Element]) -> bool:
    return any(flow.get(gc("unreadable")) for flow in open_ones)


def _drop_condition(flow: etree._Element) -> None:
    condition = flow.find(bpmn("conditionExpression"))
    if condition is not None:
        flow.remove(condition)
        flow.set(gc("unreadable"), "true")


def _ask(container: etree._Element, gateway: etree._Element, out: list[etree._Element]) -> None:
    """A person in front of the gateway names the branch; its id is the outcome."""
    name = gateway.get("id", "")
    task = add_node(container, "manualTask", CHOICE + name, gateway.get("name", ""))
    for flow in flows(container):
        if flow.get("targetRef") == name:
            flow.set("targetRef", task.get("id", ""))
    add_flow(container, f"gc_chosen_{name}", task.get("id", ""), name)
    for flow in out:
        _drop_condition(flow)
        add_extension(task, "outcome", value=flow.get("id", ""), title=flow.get("name", "") or flow.get("id", ""))
        if flow.get("id") != gateway.get("default"):
            etree.SubElement(flow, bpmn("conditionExpression")).text = f'outcome = "{flow.get("id")}"'


def _automatic(node: etree._Element, waiting: set[str]) -> None:
    """What can't run by itself waits for a result."""
    tag = local(node)
    if tag == "callActivity" and node.get("id") in waiting:
        node.tag = bpmn("serviceTask")
    if tag == "scriptTask":
        sets = list(node.iter(gc("set")))
        if not sets or any(not item.get("fact") or not item.get("value") or not is_feel(item.get("value", "")) for item in sets):
            node.tag = bpmn("serviceTask")


def _event(node: etree._Element) -> None:
    tag, definitions = local(node), event_definitions(node)
    handler_start = tag == "startEvent" and (owner := node.getparent()) is not None and owner.get("triggeredByEvent") == "true"
    if not definitions and (tag in ("intermediateCatchEvent", "boundaryEvent") or handler_start):
        _never(node)
    for definition in definitions:
        kind = local(definition).removesuffix("EventDefinition")
        if kind == "timer" and not _is_time(definition) or kind == "conditional" and not _is_condition(definition):
            node.remove(definition)
            _never(node)
        elif kind in _NAMED:
            _name(node, definition, kind)
    if tag in ("receiveTask", "sendTask"):
        _name(node, node, "message")


def _never(node: etree._Element) -> None:
    definition = etree.SubElement(node, bpmn("conditionalEventDefinition"))
    etree.SubElement(definition, bpmn("condition")).text = "false"


def _is_time(definition: etree._Element) -> bool:
    part = next((child for child in definition if local(child).startswith("time")), None)
    text = text_of(part) if part is not None else ""
    if text.startswith("="):
        return is_feel(text)
    try:
        if part is not None and local(part) == "timeCycle":
            cycle(text, _SAMPLE)
        else:
            due_at(text, _SAMPLE)
    except (NotATime, ValueError, OverflowError):
        return False
    return True


def _is_condition(definition: etree._Element) -> bool:
    condition = definition.find(bpmn("condition"))
    return condition is not None and bool(text_of(condition)) and is_feel(text_of(condition))


def _name(node: etree._Element, holder: etree._Element, kind: str) -> None:
    """Give a nameless message or signal the event's name."""
    root = node.getroottree().getroot()
    reference = holder.get(kind + "Ref", "").rsplit(":", 1)[-1]
    target = next((item for item in root.iterchildren(bpmn(kind)) if reference and item.get("id") == reference), None)
    title = (node.get("name") or "").strip() or node.get("id", "")
    if target is None:
        target = etree.SubElement(root, bpmn(kind))
        target.set("id", f"gc_{kind}_{node.get('id')}")
        holder.set(kind + "Ref", target.get("id", ""))
    if not target.get("name"):
        target.set("name", title)


def _repetition(node: etree._Element) -> None:
    many, loop = node.find(bpmn("multiInstanceLoopCharacteristics")), node.find(bpmn("standardLoopCharacteristics"))
    if loop is not None:
        condition = loop.find(bpmn("loopCondition"))
        if condition is not None and not is_feel(text_of(condition)):
            loop.remove(condition)
            condition = None
        if condition is None and not loop.get("loopMaximum", "").isdigit():
            node.remove(loop)
    if many is not None:
        _many(many)


def _many(many: etree._Element) -> None:
    for tag in ("loopCardinality", "completionCondition", "loopDataInputRef"):
        found = many.find(bpmn(tag))
        if found is not None and not (text_of(found) and is_feel(text_of(found))):
            many.remove(found)
    for name in ("collection", "result"):
        if many.get(gc(name)) is not None and not is_feel(many.get(gc(name), "")):
            del many.attrib[gc(name)]
    cardinality = many.find(bpmn("loopCardinality"))
    collection = many.get(gc("collection")) or many.find(bpmn("loopDataInputRef")) is not None
    if collection and cardinality is not None:
        many.remove(cardinality)
    elif not collection and cardinality is None:
        etree.SubElement(many, bpmn("loopCardinality")).text = "1"


def _texts(node: etree._Element) -> None:
    """Drop attributes and extension elements with FEEL that can't be read."""
    for key, value in list(node.attrib.items()):
        name = str(key)
        feel = str(value).startswith("=") or name == gc("correlation")
        if name.startswith("{" + GC_URI + "}") and feel and not is_feel(str(value)):
            del node.attrib[key]
    holder = node.find(bpmn("extensionElements"))
    for item in list(holder) if holder is not None and local(node) not in CONTAINERS else []:
        texts = [item.get("when", "")] + [text for key in ("value", "form") if (text := item.get(key, "")).startswith("=")]
        if item.tag != gc("set") and any(text and not is_feel(text) for text in texts):
            holder.remove(item)  # type: ignore[union-attr]
