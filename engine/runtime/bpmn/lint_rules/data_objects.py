"""Data objects are documentation here: a warning, so that nobody waits for them to carry data."""
from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.names import bpmn


def check_source(root: etree._Element) -> Iterator[Finding]:
    for tag in ("dataObjectReference", "dataStoreReference"):
        for element in root.iter(bpmn(tag)):
            name = element.get("name") or element.get("id", "")
            message = f"数据对象「{name}」只作说明，不传递数据。流程的数据请用事实（gc:fact）和表单。"
            yield finding(element.get("id", ""), "data_object", message, "warning")
