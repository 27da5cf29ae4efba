"""Processes, sub-processes and event sub-processes start in one clear way."""
from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.model import Model, Node
from engine.runtime.bpmn.names import BODIES

MAX_NODES = 1500


def check(model: Model, called: Mapping[str, Model], calls: Mapping[str, str]) -> Iterator[Finding]:
    if len(model.nodes) > MAX_NODES:
        yield finding(model.id, "size", f"流程「{model.title}」有 {len(model.nodes)} 个元素，超过上限 {MAX_NODES}。请拆成几个流程，用调用活动相连。")
    plain = [node for node in _starts(model, "") if node.event is not None and node.event.kind == "none"]
    if len(plain) > 1:
        names = "、".join(node.label for node in plain)
        yield finding(plain[1].id, "starts", f"流程有 {len(plain)} 个空开始事件（{names}），不知从哪里开始。请只留一个，其余改为消息开始或拆成别的流程。", "policy")
    for node in model.nodes.values():
        if node.kind in BODIES:
            yield from _body(model, node)


def _body(model: Model, node: Node) -> Iterator[Finding]:
    starts = _starts(model, node.id)
    if node.triggered_by_event:
        if len(starts) != 1 or starts[0].event is None or starts[0].event.kind == "none":
            level = "policy" if len(starts) == 1 else "error"
            yield finding(node.id, "event_sub_process", f"事件子流程{node.label}须有且只有一个带触发条件的开始事件。请补上消息、定时、错误等开始事件。", level)
        if node.incoming or node.outgoing:
            yield finding(node.id, "event_sub_process", f"事件子流程{node.label}不能有流向连进连出。请断开流向，或改为普通子流程。")
        if node.loop is not None:
            yield finding(node.id, "event_sub_process", f"事件子流程{node.label}不能循环或多实例。请去掉循环标记。")
        return
    if len(starts) > 1:
        yield finding(node.id, "starts", f"子流程{node.label}有 {len(starts)} 个开始事件。请只留一个。", "policy")
    for start in starts:
        if start.event is not None and start.event.kind != "none":
            yield finding(start.id, "starts", f"子流程{node.label}的开始事件{start.label}带有触发条件，不会被等待。请改为空开始事件，或在子流程前加捕获事件。", "policy")


def _starts(model: Model, scope: str) -> list[Node]:
    return [node for node in model.inside(scope) if node.kind == "startEvent"]
