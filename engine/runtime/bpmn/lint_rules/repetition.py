"""A repeated activity says how often and over what."""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.loops import FANNED, MAX_INSTANCES, MOST_ITEMS
from engine.runtime.bpmn.model import Model, Node
from engine.runtime.bpmn.names import ACTIVITIES, HUMAN

SOURCE = re.compile(r"(?P<kind>form|task|result)\.(?P<place>[a-z]\w*(?:\.[a-z]\w*)?)\.(?P<name>[A-Za-z]\w*)")


def check(model: Model, called: Mapping[str, Model], calls: Mapping[str, str]) -> Iterator[Finding]:
    for node in model.nodes.values():
        loop = node.loop
        if loop is None or node.kind not in ACTIVITIES:
            continue
        if loop.kind == "standard":
            if not loop.condition and loop.maximum is None:
                yield finding(node.id, "loop", f"循环{node.label}既没有条件也没有最多次数。请至少填写一项。", "policy")
            continue
        if loop.items:
            yield from _items(model, node)
            continue
        if not loop.collection and not loop.cardinality:
            yield finding(node.id, "loop", f"多实例{node.label}没有集合也没有次数。请设置 gc:collection 或次数。", "policy")
        if loop.collection and loop.cardinality:
            yield finding(node.id, "loop", f"多实例{node.label}同时写了集合和次数。请只留一项。", "policy")
        may_fan = loop.kind == "parallel" and node.kind in FANNED and loop.fanout != "never"
        most = MOST_ITEMS if may_fan else MAX_INSTANCES
        if loop.cardinality.isdigit() and int(loop.cardinality) > most:
            message = f"多实例{node.label}有 {loop.cardinality} 项，超过上限 {most} 项。请分批办理，或改用并行的用户任务、子流程或调用活动，让每一项成为自己的案件。"
            yield finding(node.id, "loop", message)
        if loop.fanout not in ("", "always", "never") or loop.fanout == "always" and not may_fan:
            yield finding(node.id, "loop", f"多实例{node.label}的 gc:fanout 只能是 always 或 never；always 只用在并行的用户任务、子流程和调用活动上。")
        if loop.result and not loop.results:
            yield finding(node.id, "loop", f"多实例{node.label}写了每个实例的结果，却没有汇总到哪个事实。请设置 gc:results。", "policy")


def _items(model: Model, node: Node) -> Iterator[Finding]:
    """``gc:items`` names a place the platform can read, and every item can be a case."""
    loop = node.loop
    assert loop is not None
    if loop.kind != "parallel" or node.kind not in FANNED or loop.fanout == "never" or loop.collection or loop.cardinality:
        yield finding(node.id, "loop", f"多实例{node.label}写了 gc:items：它只用在并行的用户任务、子流程和调用活动上，不另写集合、次数或 gc:fanout=never。")
    match = SOURCE.fullmatch(loop.items)
    if match is None:
        message = f"多实例{node.label}的 gc:items“{loop.items}”看不懂。请写成 form.<表单>.<栏>、task.<环节>.<栏> 或 result.<服务任务>.<结果>。"
        yield finding(node.id, "loop", message)
        return
    kind, place = match.group("kind"), match.group("place")
    wanted = {"task": HUMAN, "result": ("serviceTask",)}.get(kind)
    if wanted is not None and (place not in model.nodes or model.nodes[place].kind not in wanted):
        yield finding(node.id, "loop", f"多实例{node.label}的 gc:items 指的环节“{place}”不在这张图里，或者不是{'服务任务' if kind == 'result' else '由人填表的环节'}。请改正。")
    if loop.result and not loop.results:
        yield finding(node.id, "loop", f"多实例{node.label}写了每个实例的结果，却没有汇总到哪个事实。请设置 gc:results。", "policy")
