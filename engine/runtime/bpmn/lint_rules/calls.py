"""A call gives the parameters that the called process declares and takes results that it has."""
from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.model import Model, Node


def check(model: Model, called: Mapping[str, Model], calls: Mapping[str, str]) -> Iterator[Finding]:
    for node in model.nodes.values():
        if node.kind == "callActivity":
            if not node.called:
                yield finding(node.id, "call", f"调用活动{node.label}没有写被调流程。请设置 calledElement。", "policy")
            elif calls.get(node.id) in called:
                yield from _call(node, called[calls[node.id]])


def _call(node: Node, callee: Model) -> Iterator[Finding]:
    given = {item.get("name", "") for item in node.inputs}
    for name in sorted(given - set(callee.parameters)):
        known = "、".join(callee.parameters) or "（无）"
        yield finding(node.id, "call_parameter", f"调用活动{node.label}给出的参数“{name}”，被调流程「{callee.title}」没有声明。请改用它的参数：{known}。", "policy")
    for parameter in callee.parameters.values():
        if parameter.required and parameter.default is None and parameter.name not in given:
            yield finding(node.id, "call_parameter", f"调用活动{node.label}没有给出必填参数“{parameter.name}”（{parameter.title}）。请加上 gc:input。", "policy")
    hands_over_form = any(callee.parameters[name].type == "form" for name in given if name in callee.parameters)
    declared = set(callee.results) | set(callee.facts)
    for item in node.outputs:
        if item.get("name", "") not in declared and not hands_over_form:
            known = "、".join(callee.results) or "（无）"
            yield finding(node.id, "call_result", f"调用活动{node.label}取用的结果“{item.get('name')}”，被调流程「{callee.title}」没有声明。请改用它的结果：{known}。", "policy")
