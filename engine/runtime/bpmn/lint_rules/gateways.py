"""Every branch of a choice has a condition or is the default; where a condition would be ignored, it is refused."""
from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.model import Model, Node

CHOICES = ("exclusiveGateway", "inclusiveGateway")


def check(model: Model, called: Mapping[str, Model], calls: Mapping[str, str]) -> Iterator[Finding]:
    for node in model.nodes.values():
        if node.kind in CHOICES:
            yield from _choice(model, node)
        elif not node.generated:
            yield from _no_choice(model, node)
        if node.kind == "eventBasedGateway":
            yield from _race(model, node)


def _choice(model: Model, node: Node) -> Iterator[Finding]:
    several = len(node.outgoing) > 1
    for flow_id in node.outgoing:
        flow = model.flows[flow_id]
        name = flow.title or flow.id
        if several and flow.condition is None and flow_id != node.default and not node.generated:
            yield finding(node.id, "conditions", f"网关{node.label}的分支“{name}”没有条件。请写上条件，或把它设为默认分支。", "policy")
        if flow.condition is not None and flow_id == node.default:
            yield finding(node.id, "conditions", f"网关{node.label}的默认分支“{name}”带有条件，条件不会被看。请删去条件，或取消默认。", "policy")
    conditional = [flow for flow in node.outgoing if model.flows[flow].condition is not None]
    if conditional and not node.default and len(conditional) == len(node.outgoing):
        message = f"网关{node.label}没有默认分支：条件都不成立时流程会停下等人处理。请设一个默认分支。"
        yield finding(node.id, "default", message, "warning")
    if not node.outgoing and not node.generated:
        yield finding(node.id, "conditions", f"网关{node.label}没有出口。请连到后面的环节。", "policy")


def _no_choice(model: Model, node: Node) -> Iterator[Finding]:
    for flow_id in node.outgoing:
        if model.flows[flow_id].condition is not None and node.kind in ("parallelGateway", "eventBasedGateway"):
            name = model.flows[flow_id].title or flow_id
            yield finding(node.id, "conditions", f"{node.label}后的分支“{name}”带有条件，但这种网关不看条件。请改用排他网关或包容网关。", "policy")


def _race(model: Model, node: Node) -> Iterator[Finding]:
    for flow_id in node.outgoing:
        target = model.nodes.get(model.flows[flow_id].target)
        if target is None:
            continue
        if target.kind not in ("intermediateCatchEvent", "receiveTask"):
            yield finding(node.id, "event_gateway", f"事件网关{node.label}后面只能是捕获事件或接收任务，{target.label}不是。请在中间加一个捕获事件。")
        elif len(target.incoming) > 1:
            yield finding(target.id, "event_gateway", f"事件网关后的{target.label}还有别的入口。请为别的入口另画一个事件。")
        elif model.boundaries(target.id):
            yield finding(target.id, "event_gateway", f"事件网关后的接收任务{target.label}不能有边界事件。请改为网关的另一个分支。")
    if len(node.outgoing) < 2:
        yield finding(node.id, "event_gateway", f"事件网关{node.label}少于两个分支。请加上另一个事件，或去掉网关。", "policy")
