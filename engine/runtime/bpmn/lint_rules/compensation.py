"""Compensation in its two shapes: a boundary event with one handler, thrown for one activity or for the scope in reverse order."""
from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.model import Model, Node


def check(model: Model, called: Mapping[str, Model], calls: Mapping[str, str]) -> Iterator[Finding]:
    handlers = {
        node.event.text: node for node in model.nodes.values() if node.kind == "boundaryEvent" and node.event is not None and node.event.kind == "compensate"
    }
    for node in model.nodes.values():
        if node.compensates:
            yield from _handler(node, handlers)
        if node.event is not None and node.event.kind == "compensate":
            yield from _boundary(model, node) if node.kind == "boundaryEvent" else _throw(model, node, handlers)


def _handler(node: Node, handlers: Mapping[str, Node]) -> Iterator[Finding]:
    if node.id not in handlers:
        yield finding(node.id, "compensation", f"补偿环节{node.label}没有与补偿边界事件相连。请用关联线把它连到被撤销活动上的补偿边界事件。", "policy")
    if node.incoming or node.outgoing:
        yield finding(node.id, "compensation", f"补偿环节{node.label}不能有流向。请断开流向，只用关联线相连。")


def _boundary(model: Model, node: Node) -> Iterator[Finding]:
    handler = model.nodes.get(node.event.text) if node.event is not None else None
    if handler is None or not handler.compensates or handler.scope != node.scope:
        yield finding(node.id, "compensation", f"补偿边界事件{node.label}没有补偿环节。请用关联线连到同一层的一个标为“补偿”的活动。", "policy")
    if node.outgoing:
        yield finding(node.id, "compensation", f"补偿边界事件{node.label}不能有流向。请改用关联线。")


def _holders(model: Model) -> set[str]:
    """Sub-processes with something to undo inside, at any depth."""
    found: set[str] = set()
    for node in model.nodes.values():
        if node.event is None or node.event.kind != "compensate" or node.kind not in ("boundaryEvent", "startEvent"):
            continue
        scope = model.nodes[node.scope].scope if node.kind == "startEvent" and node.scope else node.scope
        while scope:
            found.add(scope)
            scope = model.nodes[scope].scope
    return found


def _throw(model: Model, node: Node, handlers: Mapping[str, Node]) -> Iterator[Finding]:
    activities = {event.attached_to for event in handlers.values()} | _holders(model)
    wanted = node.event.name if node.event is not None else ""
    if wanted and wanted not in activities:
        yield finding(node.id, "compensation", f"补偿事件{node.label}要撤销的活动“{wanted}”没有补偿边界事件。请给它加上，或改正引用。", "policy")
    scopes = {node.scope, model.nodes[node.scope].scope if node.scope and model.nodes[node.scope].triggered_by_event else node.scope}
    reachable = [name for name in activities if name in model.nodes and model.nodes[name].scope in scopes]
    if not reachable:
        yield finding(node.id, "compensation", f"补偿事件{node.label}所在的一层没有可以撤销的活动。补偿只撤销同一层里已完成的活动，请把它移到那一层。", "policy")
