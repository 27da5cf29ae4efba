"""Data stores are documentation here: a warning, so that nobody waits for them to carry data."""
from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.names import bpmn


def check_source(root: etree._Element) -> Iterator[Finding]:
    for element in root.iter(bpmn("dataStoreReference")):
        name = element.get("name") or element.get("id", "")
        message = f"数据存储「{name}」只作说明，不存取数据。请用数据对象或事实（gc:fact）传递，用表单和台账保存。"
        yield finding(element.get("id", ""), "data_store", message, "warning")
