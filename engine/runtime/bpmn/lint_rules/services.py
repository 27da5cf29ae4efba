"""An automatic task says what it does; foreign scripts never run."""
from __future__ import annotations

from collections.abc import Iterator, Mapping

from lxml import etree

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.model import Model
from engine.runtime.bpmn.names import bpmn


def check_source(root: etree._Element) -> Iterator[Finding]:
    for script in root.iter(bpmn("script")):
        task = script.getparent()
        if task is not None and (script.text or "").strip():
            name = task.get("name") or task.get("id", "")
            yield finding(task.get("id", ""), "script", f"脚本任务「{name}」带有脚本代码，平台不运行图里的代码。请改为 gc:set 赋值，或改为服务任务。", "policy")


def check(model: Model, called: Mapping[str, Model], calls: Mapping[str, str]) -> Iterator[Finding]:
    for node in model.nodes.values():
        if node.kind == "serviceTask" and not node.attributes.get("handler"):
            yield finding(node.id, "handler", f"服务任务{node.label}没有处理程序，什么也不会做。请设置 gc:handler。", "policy")
        if node.kind == "businessRuleTask" and not node.attributes.get("decision"):
            yield finding(node.id, "decision", f"规则任务{node.label}没有决策表。请设置 gc:decision。", "policy")
        if node.kind == "scriptTask" and not node.sets:
            yield finding(node.id, "script", f"脚本任务{node.label}没有赋值。请加上 gc:set，或删除它。", "policy")
        for item in node.sets:
            if not item.get("fact") or not item.get("value"):
                yield finding(node.id, "script", f"脚本任务{node.label}的一条 gc:set 缺 fact 或 value。请补全。")
        mode = node.attributes.get("mode")
        if mode and mode not in ("inline", "queued"):
            yield finding(node.id, "handler", f"服务任务{node.label}的 gc:mode“{mode}”不认识。请改为 inline 或 queued。")
