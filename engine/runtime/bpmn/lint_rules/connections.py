"""Flows join elements that exist in the same body; attachments and defaults point to something."""
from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.model import Flow, Model, Node
from engine.runtime.bpmn.names import ACTIVITIES


def check(model: Model, called: Mapping[str, Model], calls: Mapping[str, str]) -> Iterator[Finding]:
    for flow in model.flows.values():
        yield from _flow(model, flow)
    for node in model.nodes.values():
        yield from _node(model, node)


def _flow(model: Model, flow: Flow) -> Iterator[Finding]:
    ends = [model.nodes.get(flow.source), model.nodes.get(flow.target)]
    source, target = ends
    if source is None or target is None:
        missing = flow.source if source is None else flow.target
        yield finding(flow.id, "connections", f"流向“{flow.title or flow.id}”的一端“{missing}”不存在。请重新连接或删除这条流向。", "policy")
        return
    if source.scope != target.scope:
        yield finding(flow.id, "connections", f"流向“{flow.title or flow.id}”从{source.label}穿过子流程的边界连到{target.label}。请连到子流程本身，或用边界事件离开子流程。")
    if target.kind == "startEvent":
        yield finding(flow.id, "connections", f"流向“{flow.title or flow.id}”连进了开始事件{target.label}。请连到它后面的环节。")
    if target.kind == "boundaryEvent":
        yield finding(flow.id, "connections", f"流向“{flow.title or flow.id}”连进了边界事件{target.label}。边界事件只能由所附活动触发。")
    if source.kind == "endEvent":
        yield finding(flow.id, "connections", f"结束事件{source.label}后面还有流向。请改为中间抛出事件，或删除流向。")


def _node(model: Model, node: Node) -> Iterator[Finding]:
    if node.kind == "boundaryEvent":
        host = model.nodes.get(node.attached_to)
        if host is None or host.kind not in ACTIVITIES or host.scope != node.scope:
            yield finding(node.id, "connections", f"边界事件{node.label}没有附在同一层的活动上。请把它拖到一个任务或子流程的边上。")
    if node.default and node.default not in node.outgoing:
        yield finding(node.id, "connections", f"{node.label}的默认分支“{node.default}”不是从它出发的流向。请重新设置默认分支。", "policy")
