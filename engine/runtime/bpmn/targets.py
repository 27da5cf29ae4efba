"""Where a task may be returned to without breaking the state: computed once at deploy from structure alone."""
from __future__ import annotations

from engine.runtime.bpmn.blocks import Blocks, Branches, Graph, graph_of, reachable
from engine.runtime.bpmn.model import Model, Node
from engine.runtime.bpmn.names import HUMAN

Path = dict[str, Branches]


def safe_targets(model: Model, blocks: Blocks) -> dict[str, list[str]]:
    """For every task of a person the earlier tasks of persons it may be returned to, nearest to the start first.

    A target is safe when it comes before the task, stands in the same body or one around it (within the same process), and isn't inside a
    concurrent block that the task is outside of. Tasks inside a sub-process that the present task is outside of are never targets.
    """
    people = [node for node in model.nodes.values() if node.kind in HUMAN]
    graphs = {scope: graph_of(model, scope) for scope in {"", *(node.scope for node in model.nodes.values())}}
    in_order = {
        scope: [name for name in _from_start(graph.after, graph.heads) if model.nodes[name].kind in HUMAN] for scope, graph in graphs.items()
    }
    return {node.id: _targets_of(model, blocks, node, graphs, in_order) for node in people}


def _targets_of(model: Model, blocks: Blocks, node: Node, graphs: dict[str, Graph], in_order: dict[str, list[str]]) -> list[str]:
    found: list[str] = []
    here, scope = node.id, node.scope
    while True:
        graph = graphs[scope]
        earlier = reachable(graph.before, graph.before[here])
        level = [name for name in in_order[scope] if name in earlier and name != node.id and is_safe(blocks, name, here)]
        found = level + found
        if not scope:
            return found
        here, scope = scope, model.nodes[scope].scope


def _from_start(after: dict[str, list[str]], heads: list[str]) -> list[str]:
    seen = dict.fromkeys(heads)
    queue = list(heads)
    for node in queue:
        for target in after[node]:
            if target not in seen:
                seen[target] = None
                queue.append(target)
    return list(seen)


def is_safe(blocks: Blocks, target: str, here: str) -> bool:
    """True when restarting at ``target`` replaces all that runs around ``here`` and nothing else.

    From inside the way of a non-interrupting event one may leave that way only to where no block is open: the block that the event's
    activity stood in may be over by then.
    """
    outer, inner = blocks.paths[target], blocks.paths[here]
    leaves_run = any(split in blocks.repeatable and split not in outer for split in inner)
    return covers(outer, inner) and not (leaves_run and outer)


def covers(outer: Path, inner: Path) -> bool:
    """True when a token at ``inner`` runs inside every block branch that ``outer`` is in: restarting at ``outer`` replaces it."""
    return all(split in inner and inner[split] <= branches for split, branches in outer.items())
