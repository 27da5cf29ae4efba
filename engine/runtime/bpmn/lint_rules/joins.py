"""Joins that can never fire, and concurrent ways that meet or leave without a join."""
from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.runtime.bpmn.blocks import Graph, dominators, find_blocks, graph_of
from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.model import Model, Node


def check(model: Model, called: Mapping[str, Model], calls: Mapping[str, str]) -> Iterator[Finding]:
    for scope in sorted({node.scope for node in model.nodes.values()}):
        graph = graph_of(model, scope)
        dominated = dominators(graph.after, graph.before, graph.heads)
        names = list(dominated)
        for node in model.inside(scope):
            if node.kind == "parallelGateway" and len(node.incoming) > 1 and node.id in dominated:
                yield from _join(model, graph, dominated, names, node)
    for split, target in find_blocks(model).leaks:
        yield _leak(model, split, target)


def _join(model: Model, graph: Graph, dominated: dict[str, int], names: list[str], node: Node) -> Iterator[Finding]:
    place = names.index(node.id)
    for flow_id in node.incoming:
        source = model.flows[flow_id].source
        if source in dominated and dominated[source] >> place & 1:
            yield finding(node.id, "join_loop", f"并行汇合{node.label}的一个入口来自它自己之后的环节，汇合永远等不齐。请让返回的流向先进排他网关，再到汇合之前。", "policy")
            return
    above = [name for name in names if dominated[node.id] >> names.index(name) & 1 and name != node.id]
    nearest = max(above, key=lambda name: dominated[name].bit_count(), default="")
    if nearest and model.nodes[nearest].kind in ("exclusiveGateway", "eventBasedGateway") and len(graph.after[nearest]) > 1:
        yield finding(
            node.id, "join_deadlock",
            f"并行汇合{node.label}等待的几条路出自只走其中一条的网关{model.nodes[nearest].label}，汇合永远等不齐。请把汇合改为排他网关，或把前面的网关改为并行网关。",
            "policy",
        )


def _leak(model: Model, split: str, target: str) -> Finding:
    opened, place = model.nodes[split], model.nodes[target]
    level = "warning" if opened.kind == "inclusiveGateway" else "policy"
    return finding(
        shown(opened, model), "parallel_leak",
        f"从{opened.label}分出的并行分支不经汇合就到了{place.label}，后面的环节会重复出现。请在它之前加汇合网关；要中途退出，请用子流程包住并行部分并从边界事件离开，或用直接退回。",
        level,
    )


def shown(node: Node, model: Model) -> str:
    """The element to point at: for a generated gateway the activity in front of it."""
    while node.generated and node.incoming:
        node = model.nodes[model.flows[node.incoming[0]].source]
    return node.id
