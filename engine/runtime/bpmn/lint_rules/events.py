"""Each event is of a kind that works where it stands, and says what it needs."""
from __future__ import annotations

from collections.abc import Iterator, Mapping

from lxml import etree

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.model import Model, Node
from engine.runtime.bpmn.names import EVENTS, bpmn, local, text_of
from engine.runtime.bpmn.rewrites.building import event_definitions
from engine.runtime.bpmn.rewrites.several_events import may_split

_ALLOWED = {
    "startEvent": {"none", "message", "signal", "timer", "conditional"},
    "eventSubProcessStart": {"message", "signal", "timer", "conditional", "error", "escalation", "compensate"},
    "intermediateCatchEvent": {"timer", "message", "signal", "conditional"},
    "intermediateThrowEvent": {"none", "message", "signal", "escalation", "compensate"},
    "boundaryEvent": {"timer", "message", "signal", "conditional", "error", "escalation", "cancel", "compensate"},
    "endEvent": {"none", "message", "signal", "error", "escalation", "terminate", "cancel", "compensate"},
}
_KINDS = {
    "none": "空", "message": "消息", "signal": "信号", "timer": "定时", "conditional": "条件", "error": "错误", "escalation": "升级", "cancel": "取消",
    "compensate": "补偿", "terminate": "终止", "link": "链接",
}


def check_source(root: etree._Element) -> Iterator[Finding]:
    shared = {item.get("id") for item in root if local(item).endswith("EventDefinition")}
    for element in root.iter(*(bpmn(tag) for tag in EVENTS)):
        name = element.get("name") or element.get("id", "")
        definitions = event_definitions(element)
        if len(definitions) > 1 and not may_split(element):
            yield finding(element.get("id", ""), "events", f"事件「{name}」带有 {len(definitions)} 个触发条件。请拆成几个事件。")
        for reference in element.findall(bpmn("eventDefinitionRef")):
            if text_of(reference).rsplit(":", 1)[-1] not in shared:
                yield finding(element.get("id", ""), "events", f"事件「{name}」引用的事件定义“{text_of(reference)}”不存在。请在事件里直接选定类型。")


def check(model: Model, called: Mapping[str, Model], calls: Mapping[str, str]) -> Iterator[Finding]:
    for node in model.nodes.values():
        if node.event is not None:
            yield from _kind(model, node)
            yield from _contents(node)
            if node.kind == "startEvent" and not node.scope:
                yield from _start(model, node)


def _kind(model: Model, node: Node) -> Iterator[Finding]:
    event = node.event
    if event is None or node.kind not in _ALLOWED:
        return
    outer = model.nodes.get(node.scope)
    place = "eventSubProcessStart" if node.kind == "startEvent" and outer is not None and outer.triggered_by_event else node.kind
    if event.kind == "link":
        yield finding(node.id, "events", f"链接事件{node.label}没有同名的另一半。请在同一层画上名称相同的抛出和捕获链接，或直接连线。", "policy")
    elif event.kind not in _ALLOWED[place]:
        level = "policy" if event.kind == "none" else "error"
        yield finding(node.id, "events", f"{node.label}不能是{_KINDS[event.kind]}事件。请改用这个位置支持的类型。", level)
    if event.kind == "cancel":
        transaction = model.nodes.get(node.attached_to) if node.kind == "boundaryEvent" else outer
        if transaction is None or transaction.kind != "transaction":
            yield finding(node.id, "events", f"取消事件{node.label}只能用在事务子流程上。请把子流程改为事务，或改用错误事件。")
    if event.kind in ("error", "cancel") and not node.interrupting and node.kind in ("boundaryEvent", "startEvent"):
        yield finding(node.id, "events", f"{_KINDS[event.kind]}事件{node.label}必须是中断的。请取消“非中断”。")


def _start(model: Model, node: Node) -> Iterator[Finding]:
    """What a start event that nobody presses has to say, so that a case can begin without an office."""
    event = node.event
    assert event is not None
    if event.kind == "timer" and not node.attributes.get("unit"):
        yield finding(node.id, "start", f"定时开始{node.label}没有写明由哪个单位办。请在 gc:unit 写单位代码或 FEEL。", "policy")
    if event.kind == "conditional" and not node.attributes.get("register"):
        yield finding(node.id, "start", f"条件开始{node.label}没有写明看哪个台账。请在 gc:register 写台账名，条件用这个台账的字段写。", "policy")
    thrown = [other for other in model.nodes.values() if other.event is not None and other.kind in ("intermediateThrowEvent", "endEvent")]
    if event.kind == "signal" and any(other.event is not None and (other.event.kind, other.event.name) == ("signal", event.name) for other in thrown):
        yield finding(node.id, "start", f"流程由信号“{event.name}”发起，自己又发出同一个信号，会没完没了地发起。请换一个信号名。")


def _contents(node: Node) -> Iterator[Finding]:
    event = node.event
    assert event is not None
    missing = {
        "message": (not event.name, "没有消息名称。请在设计器里选定或新建消息"),
        "signal": (not event.name, "没有信号名称。请在设计器里选定或新建信号"),
        "timer": (not event.text, "没有时间。请填写时刻、时长（如 P3D）或重复（如 R3/P1D）"),
        "conditional": (not event.text, "没有条件。请填写 FEEL 条件"),
        "error": (node.kind == "endEvent" and not event.code, "没有错误代码。请选定带代码的错误"),
        "escalation": (node.kind != "boundaryEvent" and node.kind != "startEvent" and not event.code, "没有升级代码。请选定带代码的升级"),
    }
    wrong, message = missing.get(event.kind, (False, ""))
    if wrong:
        yield finding(node.id, "events", f"{_KINDS[event.kind]}事件{node.label}{message}。", "policy")
