"""Which nodes stand inside which concurrent block: the analysis behind legal return targets and the state invariants.

A block is opened by a parallel or inclusive split or a non-interrupting boundary event and closed where all its ways meet again. The path of a
node lists the blocks around it, each with the branches on which the node lies.
"""
from __future__ import annotations

from dataclasses import dataclass, field

from engine.runtime.bpmn.model import Model, Node

Branches = frozenset[str]


@dataclass(slots=True)
class Graph:
    """The nodes directly in one scope, with edges along flows and from an activity to its boundary events."""

    after: dict[str, list[str]] = field(default_factory=dict)
    before: dict[str, list[str]] = field(default_factory=dict)
    heads: list[str] = field(default_factory=list)


def graph_of(model: Model, scope: str) -> Graph:
    """The graph of a scope."""
    graph = Graph()
    nodes = model.inside(scope)
    ids = {node.id for node in nodes}
    attached: dict[str, list[str]] = {}
    for node in nodes:
        if node.attached_to:
            attached.setdefault(node.attached_to, []).append(node.id)
    for node in nodes:
        graph.after.setdefault(node.id, [])
        graph.before.setdefault(node.id, [])
    for node in nodes:
        edges = [model.flows[flow].target for flow in node.outgoing] + attached.get(node.id, [])
        for target in edges:
            if target in ids:
                graph.after[node.id].append(target)
                graph.before[target].append(node.id)
    begins = [node.id for node in nodes if node.kind == "startEvent" or node.triggered_by_event or node.compensates]
    graph.heads = begins or [node.id for node in nodes if not graph.before[node.id]]
    return graph


def reachable(edges: dict[str, list[str]], start: list[str], stop: frozenset[str] = frozenset()) -> set[str]:
    """Everything on the edges from ``start`` without entering ``stop``."""
    seen: set[str] = set()
    stack = [node for node in start if node not in stop]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(target for target in edges.get(node, []) if target not in stop)
    return seen


def dominators(after: dict[str, list[str]], before: dict[str, list[str]], heads: list[str]) -> dict[str, int]:
    """For every node the bit set of nodes that every way from ``heads`` to it passes (itself included)."""
    order = _reverse_postorder(after, heads)
    bit = {node: 1 << number for number, node in enumerate(order)}
    full = (1 << len(order)) - 1
    dominated = dict.fromkeys(order, full)
    for head in heads:
        dominated[head] = bit[head]
    changed = True
    while changed:
        changed = False
        for node in order:
            if node in heads:
                continue
            common = full
            for previous in before[node]:
                if previous in dominated:
                    common &= dominated[previous]
            new = common | bit[node]
            if new != dominated[node]:
                dominated[node], changed = new, True
    return {node: dominated[node] for node in order}


def _reverse_postorder(after: dict[str, list[str]], heads: list[str]) -> list[str]:
    seen: set[str] = set()
    order: list[str] = []
    for head in heads:
        stack: list[tuple[str, int]] = [(head, 0)]
        seen.add(head)
        while stack:
            node, position = stack.pop()
            targets = after[node]
            if position < len(targets):
                stack.append((node, position + 1))
                if targets[position] not in seen:
                    seen.add(targets[position])
                    stack.append((targets[position], 0))
            else:
                order.append(node)
    order.reverse()
    return order


@dataclass(slots=True)
class Blocks:
    """``paths[node][split]`` = the branches of ``split`` on which ``node`` lies; ``joins[split]`` = where the block closes ('' = never);
    ``leaks`` = (split, node) where a way leaves a block elsewhere; ``repeatable`` = non-interrupting events, whose way may run several times."""

    paths: dict[str, dict[str, Branches]] = field(default_factory=dict)
    joins: dict[str, str] = field(default_factory=dict)
    leaks: list[tuple[str, str]] = field(default_factory=list)
    repeatable: set[str] = field(default_factory=set)


def find_blocks(model: Model) -> Blocks:
    """The blocks of every scope of a process. ``leaks`` are (split, node) where a way leaves a block other than at its join."""
    blocks = Blocks()
    scopes = {node.scope for node in model.nodes.values()}
    for scope in sorted(scopes):
        _find_in_scope(model, graph_of(model, scope), blocks)
    return blocks


def _find_in_scope(model: Model, graph: Graph, blocks: Blocks) -> None:
    for node in graph.after:
        blocks.paths[node] = {}
    splits = [node for node in graph.after if opens_block(model.nodes[node])]
    if not splits:
        return
    order = _reverse_postorder(graph.after, graph.heads)
    dominated = dominators(graph.after, graph.before, graph.heads)
    bit = {node: 1 << number for number, node in enumerate(order)}
    for split in splits:
        if split not in dominated:
            continue
        beside = model.nodes[split].kind == "boundaryEvent"
        join = "" if beside else _closing(_main(model, graph), split)
        stop = frozenset({join, split}) if join else frozenset({split})
        branches = {target: reachable(graph.after, [target], stop) for target in _branches(model, graph, split)}
        inside = {node for nodes in branches.values() for node in nodes if node in dominated and dominated[node] & bit[split]}
        if beside:
            inside.add(split)
            blocks.repeatable.add(split)
        blocks.joins[split] = join
        for node in inside:
            blocks.paths[node][split] = frozenset(name for name, nodes in branches.items() if node in nodes) or frozenset({split})
        outside = {target for node in inside for target in graph.after[node] if target not in inside and target != join}
        if join and not _may_close(model.nodes[join]):
            outside.add(join)
        if beside:
            outside = {target for target in outside if model.nodes[target].kind not in ("endEvent", "inclusiveGateway")}
        blocks.leaks.extend((split, target) for target in sorted(outside))


def opens_block(node: Node) -> bool:
    """True where one token becomes several."""
    if node.kind in ("parallelGateway", "inclusiveGateway"):
        return len(node.outgoing) > 1
    return node.kind == "boundaryEvent" and not node.interrupting


def _main(model: Model, graph: Graph) -> Graph:
    """The graph without the ways of non-interrupting events: what starts there never comes to a join."""
    beside = {node for node in graph.after if opens_block(model.nodes[node]) and model.nodes[node].kind == "boundaryEvent"}
    if not beside:
        return graph
    after = {node: [target for target in targets if target not in beside] for node, targets in graph.after.items()}
    before = {node: [] if node in beside else previous for node, previous in graph.before.items()}
    return Graph(after=after, before=before, heads=graph.heads)


def _may_close(join: Node) -> bool:
    """True where the ways of a block meet without the rest running twice."""
    return join.kind in ("endEvent", "inclusiveGateway", "parallelGateway")


def _branches(model: Model, graph: Graph, split: str) -> list[str]:
    return list(dict.fromkeys(graph.after[split]))


def _closing(graph: Graph, split: str) -> str:
    """The nearest node that every way from ``split`` to an end passes and every branch can come to; '' when there is none."""
    ends = [node for node in graph.after if not graph.after[node]]
    inside = reachable(graph.after, [split])
    ends = [node for node in ends if node in inside]
    if not ends:
        return ""
    exit_node = "\0exit"
    before = {node: [target for target in graph.after[node] if target in inside] for node in inside}
    after = {node: [previous for previous in graph.before[node] if previous in inside] for node in inside}
    after[exit_node], before[exit_node] = ends, []
    for end in ends:
        before[end] = [*before[end], exit_node]
    bits = dominators(after, before, [exit_node])
    order = _reverse_postorder(after, [exit_node])
    position = {node: number for number, node in enumerate(order)}
    if split not in bits:
        return ""
    common = set.intersection(*(reachable(graph.after, [branch]) for branch in graph.after[split]))
    candidates = [node for node in order if node in common and node not in (split, exit_node) and bits[split] >> position[node] & 1]
    return max(candidates, key=lambda node: bits[node].bit_count()) if candidates else ""
