"""What BPMN itself says about people and data in other words: potential owners become roles, XPath over data objects becomes FEEL."""
from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from engine.runtime.bpmn.errors import Finding
from engine.runtime.bpmn.importers.writing import note, set_attribute, word
from engine.runtime.bpmn.names import BPMN_URI, bpmn, gc, local, text_of

NAMESPACES = (BPMN_URI,)
_OWNERS = ("potentialOwner", "humanPerformer", "performer")
_DATA = re.compile(r"(?:\w+:)?getData(?:Object|Input|Output)\(\s*['\"]([^'\"]+)['\"]\s*\)")


def convert(root: etree._Element) -> list[Finding]:
    """Map every potential owner and XPath condition in place; findings for those without a meaning here."""
    resources = {item.get("id", ""): item.get("name", "") for item in root.iterchildren(bpmn("resource"))}
    findings: list[Finding] = []
    for element in list(root.iter()):
        tag = local(element)
        if tag in ("userTask", "manualTask", "task"):
            findings += _owner(element, resources)
        if tag == "conditionExpression" and _DATA.search(text_of(element)):
            element.text = re.sub(r"'([^']*)'", r'"\1"', _DATA.sub(r"\1", text_of(element)))
    return findings


def _owner(task: etree._Element, resources: dict[str, str]) -> Iterator[Finding]:
    owners = [name for owner in task if local(owner) in _OWNERS if (name := _name(owner, resources))]
    if not owners or task.get(gc("role")) or task.get(gc("assignee")):
        return
    role = word(owners[0])
    if role:
        set_attribute(task, "role", role)
    if len(owners) > 1 or not role:
        yield note(task, f"的办理人（{'、'.join(owners)}）没有全部带入。请设置 gc:role。")


def _name(owner: etree._Element, resources: dict[str, str]) -> str:
    reference = owner.find(bpmn("resourceRef"))
    if reference is not None and text_of(reference).rsplit(":", 1)[-1] in resources:
        return resources[text_of(reference).rsplit(":", 1)[-1]]
    expression = owner.find(bpmn("resourceAssignmentExpression"))
    text = text_of(expression) if expression is not None else owner.get("name", "")
    return re.sub(r"\A(?:group|user)\((.*)\)\Z", r"\1", text.strip())
