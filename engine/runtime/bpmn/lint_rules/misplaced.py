"""Flow nodes and flows stand in a process or a sub-process, processes at the top of the file."""
from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.names import CONTAINERS, FLOW_NODES, UNSUPPORTED, bpmn, local


def check_source(root: etree._Element) -> Iterator[Finding]:
    for element in root.iter(*(bpmn(tag) for tag in FLOW_NODES | {"sequenceFlow", "process"})):
        parent = element.getparent()
        place = local(parent) if parent is not None else ""
        right = place == "definitions" if local(element) == "process" else place in CONTAINERS | UNSUPPORTED
        if not right:
            name = element.get("name") or element.get("id") or local(element)
            yield finding(element.get("id", ""), "misplaced", f"元素「{name}」放在了“{place}”里面，那里不能放它。请用流程设计器重新导出，或把它移到流程里。")
