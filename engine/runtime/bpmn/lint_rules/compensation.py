"""Compensation in its two shapes: a boundary event with one handler, thrown for one activity or for the scope."""
from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.model import Model


def check(model: Model, called: Mapping[str, Model], calls: Mapping[str, str]) -> Iterator[Finding]:
    for node in model.nodes.values():
        if node.compensates or node.event is not None and node.event.kind == "compensate":
            yield finding(node.id, "compensation", f"{node.label}用到了补偿，目前不能运行。请把撤销的步骤画成普通环节，用错误边界事件或网关引到那里。")
