"""Every element that runs has an id, and every id is one element's."""
from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.names import FLOW_NODES, is_bpmn, local


def check_source(root: etree._Element) -> Iterator[Finding]:
    seen: set[str] = set()
    for element in root.iter():
        if not is_bpmn(element):
            continue
        identifier, tag = element.get("id"), local(element)
        if not identifier:
            if tag in FLOW_NODES or tag == "process":
                yield finding("", "ids", f"元素“{element.get('name') or tag}”没有 id。请在设计器里给它一个由英文小写单词组成的编号。")
            continue
        if identifier in seen:
            yield finding(identifier, "ids", f"编号“{identifier}”用在两个元素上。请给其中一个改名。")
        if identifier.startswith("gc_"):
            yield finding(identifier, "ids", f"编号“{identifier}”以 gc_ 开头，这是留给系统的。请改名。")
        seen.add(identifier)
