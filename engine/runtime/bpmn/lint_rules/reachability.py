"""Every element can be reached and can end; automatic loops have a wait in them."""
from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.runtime.bpmn.blocks import graph_of, reachable
from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.model import Model, Node
from engine.runtime.bpmn.names import HUMAN

_STANDS_STILL = HUMAN | {"serviceTask", "receiveTask", "callActivity", "subProcess", "transaction", "intermediateCatchEvent", "eventBasedGateway"}


def check(model: Model, called: Mapping[str, Model], calls: Mapping[str, str]) -> Iterator[Finding]:
    if not any(not node.generated for node in model.inside("")):
        yield finding(model.id, "empty", f"流程「{model.title}」里没有任何环节。请画上开始、环节和结束。")
    for scope in sorted({node.scope for node in model.nodes.values()}):
        yield from _scope(model, scope)


def _scope(model: Model, scope: str) -> Iterator[Finding]:
    graph = graph_of(model, scope)
    nodes = {node.id: node for node in model.inside(scope)}
    first = [node.id for node in nodes.values() if node.kind == "startEvent" or node.triggered_by_event or node.compensates]
    reached = reachable(graph.after, first)
    ends = [node for node, targets in graph.after.items() if not any(model.flows[f].target for f in model.nodes[node].outgoing)]
    ending = reachable(graph.before, [node for node in ends if node in nodes])
    for node in nodes.values():
        if node.generated:
            continue
        if node.id not in reached:
            yield finding(node.id, "unreachable", f"{node.label}永远到不了：没有从开始事件通向它的路。请连上流向，或删除它。", "policy")
        elif node.id not in ending:
            yield finding(node.id, "endless", f"{node.label}之后没有通向结束的路，流程进去就出不来。请给循环一个出口。", "policy")
    yield from _automatic_loops(model, nodes, graph.after)


def _automatic_loops(model: Model, nodes: dict[str, Node], after: dict[str, list[str]]) -> Iterator[Finding]:
    automatic = {
        name: [target for target in targets if nodes[target].kind not in _STANDS_STILL and nodes[target].kind != "boundaryEvent"]
        for name, targets in after.items() if nodes[name].kind not in _STANDS_STILL
    }
    for name in automatic:
        if not nodes[name].generated and name in reachable(automatic, automatic[name]):
            yield finding(name, "busy_loop", f"{nodes[name].label}在一个没有等待环节的循环里，流程会不停空转。请在循环里加上用户任务、定时或消息事件。", "policy")
            return
