"""Every FEEL text is FEEL, every literal time a time; and facts that are read are declared somewhere."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime

from engine.expressions import FeelError
from engine.expressions.all_builtins import BUILTINS
from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.importers.juel import is_juel
from engine.runtime.bpmn.model import Model, Node
from engine.runtime.bpmn.timers import CRON, NotATime, cycle, due_at
from engine.runtime.bpmn.values import compiled

_LOOP_NAMES = frozenset({
    "loopCounter", "instances", "completed", "active", "results", "numberOfInstances", "numberOfCompletedInstances", "numberOfActiveInstances",
    "numberOfTerminatedInstances", "nrOfInstances", "nrOfCompletedInstances", "nrOfActiveInstances",
})
SHOWN = 200
_SAMPLE = datetime(2026, 1, 1, tzinfo=UTC)


def check(model: Model, called: Mapping[str, Model], calls: Mapping[str, str]) -> Iterator[Finding]:
    for element, label, text in _texts(model):
        try:
            names = set(compiled(text).names)
        except FeelError as error:
            yield finding(element, "feel", _wrong(label, text, error), "policy")
            continue
        for name in sorted(_undeclared(model, element, names)):
            message = f"{label}的表达式“{text}”读取的事实“{name}”没有声明，也没有环节写入。请改正名称，或在流程上加 <gc:fact name=\"{name}\"/>。"
            yield finding(element, "undeclared_fact", message, "policy")
    for node in model.nodes.values():
        yield from _time(node)


def undeclared(model: Model) -> set[str]:
    """Names that readable FEEL in the process reads and nothing declares or writes."""
    found: set[str] = set()
    for element, _, text in _texts(model):
        with suppress(FeelError):
            found |= _undeclared(model, element, set(compiled(text).names))
    return found


def _undeclared(model: Model, element: str, names: set[str]) -> set[str]:
    node = model.nodes.get(element)
    if node is not None and node.kind == "startEvent" and node.attributes.get("register"):
        return set()  # its names are the fields of the register; they are checked when it is armed
    return names - set(model.names) - {"visited"} - BUILTINS.keys() - _around(model, element)


def _around(model: Model, element: str) -> set[str]:
    """Names that only exist around an element: items and counters of the repeated activities it stands in."""
    names: set[str] = set()
    flow = model.flows.get(element)
    node = model.nodes.get(flow.source if flow is not None else element)
    while node is not None:
        if node.loop is not None:
            names |= _LOOP_NAMES | {node.loop.item}
        node = model.nodes.get(node.scope)
    return names


def _texts(model: Model) -> Iterator[tuple[str, str, str]]:
    """(element, how to name it, FEEL text) of every expression in the process."""
    for flow in model.flows.values():
        if flow.condition is not None:
            yield flow.id, f"流向“{flow.title or flow.id}”", flow.condition
    for parameter in model.parameters.values():
        if parameter.default is not None and parameter.default.startswith("="):
            yield model.id, f"参数“{parameter.title or parameter.name}”的默认值", parameter.default
    for node in model.nodes.values():
        for text in _node_texts(node):
            yield node.id, node.label, text


def _node_texts(node: Node) -> Iterator[str]:
    yield from (text for text in node.attributes.values() if text.startswith("="))
    yield from (item["value"] for item in node.inputs if item.get("value", "").startswith("="))
    yield from (item["value"] for item in node.sets if item.get("value"))
    yield from (item["when"] for item in node.outcomes if item.get("when"))
    yield from (item["form"] for item in node.shows if item.get("form", "").startswith("="))
    event, loop = node.event, node.loop
    if event is not None:
        if event.correlation:
            yield event.correlation
        if event.kind == "conditional" and event.text or event.text.startswith("="):
            yield event.text
    if loop is not None:
        yield from (text for text in (loop.cardinality, loop.collection, loop.condition, loop.result) if text)


def _wrong(label: str, text: str, error: FeelError) -> str:
    shown = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    if is_juel(text.removeprefix("=")):
        return f"{label}的表达式“{shown}”调用了原系统的代码，或者用了 FEEL 没有的写法，没有带入。请用事实写成 FEEL。"
    return f"{label}的表达式“{shown}”不是正确的 FEEL：{error}。请改正。"


def _time(node: Node) -> Iterator[Finding]:
    event = node.event
    if event is None or event.kind != "timer" or not event.text or event.text.startswith("="):
        return
    try:
        if event.timer == "cycle":
            cycle(event.text, _SAMPLE)
        elif event.timer == "duration" and not event.text.startswith("P"):
            raise NotATime(event.text)
        else:
            due_at(event.text, _SAMPLE)
    except (NotATime, ValueError, OverflowError):
        if CRON.match(event.text):
            message = f"定时事件{node.label}的时间“{event.text}”是 cron 的写法。请写成 ISO 8601 的重复，如每五分钟 R/PT5M、每天八点 R/2026-01-01T08:00:00/P1D。"
            yield finding(node.id, "timer", message, "policy")
            return
        yield finding(node.id, "timer", f"定时事件{node.label}的时间“{event.text}”不是 ISO 8601 的时刻、时长（如 P3D）或重复（如 R3/P1D）。请改正。", "policy")
