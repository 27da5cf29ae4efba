"""Attributes and elements of our namespace are the ones of the grammar, where the grammar allows them."""
from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.grammar import grammar
from engine.runtime.bpmn.names import FLOW_NODES, GC_URI, attributes_of, is_bpmn, local

_PREFIX = "{" + GC_URI + "}"


def check_source(root: etree._Element) -> Iterator[Finding]:
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        if is_bpmn(element):
            yield from _attributes(element)
        elif element.tag.startswith(_PREFIX):
            yield from _element(element)


def _attributes(element: etree._Element) -> Iterator[Finding]:
    tag = local(element)
    allowed = set(grammar().attributes.get(tag, {})) | (set(grammar().attributes["flowNode"]) if tag in FLOW_NODES | {"sequenceFlow"} else set())
    for key in element.attrib:
        name = str(key)
        if name.startswith(_PREFIX) and name[len(_PREFIX):] not in allowed:
            label = element.get("name") or element.get("id", "")
            known = "、".join(f"gc:{item}" for item in sorted(allowed - {"generated"})) or "（无）"
            message = f"元素「{label}」不能有属性 gc:{name[len(_PREFIX):]}。请改用：{known}。"
            yield finding(element.get("id", ""), "unknown_attribute", message)


def _element(element: etree._Element) -> Iterator[Finding]:
    owner = next((up for up in element.iterancestors() if up.get("id")), element)
    identifier, tag = owner.get("id", ""), local(element)
    known = grammar().elements.get(tag)
    if known is None:
        yield finding(identifier, "unknown_element", f"元素「{owner.get('name') or identifier}」里的 gc:{tag} 不认识。请改正名称。")
        return
    for key, value in attributes_of(element).items():
        if key not in known:
            yield finding(identifier, "unknown_attribute", f"元素「{owner.get('name') or identifier}」里 gc:{tag} 的属性 {key} 不认识。请改用：{'、'.join(known)}。")
        elif known[key] is not None and tag not in ("outcome", "field", "fields") and value not in (known[key] or []):
            options = "、".join(known[key] or [])
            yield finding(identifier, "unknown_value", f"元素「{owner.get('name') or identifier}」里 gc:{tag} 的 {key}“{value}”不认识。请改为 {options} 之一。")
