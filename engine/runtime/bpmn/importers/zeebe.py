"""Camunda 8 (Zeebe): FEEL already, under other names."""
from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.runtime.bpmn.errors import Finding
from engine.runtime.bpmn.importers.writing import note, set_attribute, word
from engine.runtime.bpmn.names import bpmn, local
from engine.runtime.bpmn.rewrites.building import add_extension

NAMESPACES = ("http://camunda.org/schema/zeebe/1.0",)
_PREFIX = "{" + NAMESPACES[0] + "}"


def convert(root: etree._Element) -> list[Finding]:
    """Map every Zeebe extension in place; findings for those without a meaning here."""
    findings: list[Finding] = []
    for element in list(root.iter()):
        tag = local(element)
        if tag in ("userTask", "manualTask", "task"):
            _person(element)
        if tag in ("sendTask", "businessRuleTask", "scriptTask") and any(True for _ in _find(element, "taskDefinition")):
            element.tag = bpmn("serviceTask")
        if tag in ("serviceTask", "sendTask", "businessRuleTask", "scriptTask", "task"):
            findings += _service(element)
        if tag == "callActivity":
            _call(element)
        if tag == "multiInstanceLoopCharacteristics":
            _many(element)
        if element.get("messageRef"):
            _correlation(root, element)
    return findings


def _find(element: etree._Element, tag: str) -> Iterator[etree._Element]:
    holder = element.find(bpmn("extensionElements"))
    if holder is not None:
        yield from holder.iter(_PREFIX + tag)


def _person(task: etree._Element) -> None:
    for item in _find(task, "assignmentDefinition"):
        set_attribute(task, "assignee", item.get("assignee", ""))
        groups = item.get("candidateGroups", "")
        set_attribute(task, "role", groups if groups.startswith("=") else word(groups.split(",")[0]))
    for item in _find(task, "formDefinition"):
        set_attribute(task, "form", word(item.get("formId") or item.get("externalReference") or item.get("formKey", "").rsplit(":", 1)[-1]))


def _service(task: etree._Element) -> Iterator[Finding]:
    for item in _find(task, "taskDefinition"):
        kind = item.get("type", "")
        set_attribute(task, "handler", kind if kind.startswith("=") else word(kind))
    for item in _find(task, "calledDecision"):
        set_attribute(task, "decision", word(item.get("decisionId", "")))
        add_extension(task, "output", fact=item.get("resultVariable", "result"))
    for item in _find(task, "script"):
        add_extension(task, "set", fact=item.get("resultVariable", "result"), value=item.get("expression", "").lstrip("="))
    for item in _find(task, "ioMapping"):
        _mapping(task, item)
    for item in _find(task, "header"):
        yield note(task, f"的任务头“{item.get('key', '')}”没有带入。请改为 gc:input。")


def _mapping(task: etree._Element, mapping: etree._Element) -> None:
    for item in mapping:
        name, target = item.get("source", ""), item.get("target", "")
        if local(item) == "input":
            add_extension(task, "input", name=target, value=name)
        elif local(item) == "output":
            add_extension(task, "output", name=name.lstrip("=").strip(), fact=target)


def _call(call: etree._Element) -> None:
    for item in _find(call, "calledElement"):
        if not call.get("calledElement"):
            call.set("calledElement", item.get("processId", ""))
    for item in _find(call, "ioMapping"):
        _mapping(call, item)


def _many(loop: etree._Element) -> None:
    for item in _find(loop, "loopCharacteristics"):
        set_attribute(loop, "collection", item.get("inputCollection", ""))
        set_attribute(loop, "item", item.get("inputElement", ""))
        set_attribute(loop, "results", item.get("outputCollection", ""))
        set_attribute(loop, "result", item.get("outputElement", ""))


def _correlation(root: etree._Element, element: etree._Element) -> None:
    """The key of a message is said on the message; here it belongs to the event that waits."""
    owner = element if local(element) == "receiveTask" else element.getparent()
    message = next((item for item in root.iterchildren(bpmn("message")) if item.get("id") == element.get("messageRef")), None)
    if owner is None or message is None or local(owner) in ("startEvent", "endEvent", "intermediateThrowEvent", "sendTask"):
        return
    for item in _find(message, "subscription"):
        set_attribute(owner, "correlation", item.get("correlationKey", ""))
