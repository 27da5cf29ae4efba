"""A countersign names its people, its rule, and the buttons that count."""
from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.names import bpmn, gc, local
from engine.runtime.bpmn.rewrites.countersign import MODES


def check_source(root: etree._Element) -> Iterator[Finding]:
    for rule in root.iter(gc("countersign")):
        owner = next((up for up in rule.iterancestors() if up.get("id")), rule)
        identifier = owner.get("id", "")
        for message in _faults(owner, rule):
            yield finding(identifier, "countersign", f"会签「{owner.get('name') or identifier}」{message}")


def _faults(owner: etree._Element, rule: etree._Element) -> Iterator[str]:
    if local(owner) != "userTask":
        yield "不在用户任务上。请把 gc:countersign 写在用户任务里。"
        return
    if rule.get("mode") not in MODES:
        yield f"的 mode“{rule.get('mode', '')}”不认识。请改为 {'、'.join(MODES)} 之一。"
    named, role = bool(rule.get("people", "").strip()), bool(rule.get("role", "").strip())
    if named == role:
        yield f"{'同时写了 people 和 role，请只留一项' if named else '没有写由谁会签'}。people 写 FEEL 的人员列表（weighted 写 {{person, weight}} 的列表），role 写角色。"
    if role and rule.get("mode") == "weighted":
        yield "按权重表决，要在 people 里写每个人的权重，不能只写 role。"
    if rule.get("mode") == "count" and not rule.get("threshold", "").strip():
        yield "按票数通过，却没有写要几票。请写 threshold。"
    if owner.find(bpmn("multiInstanceLoopCharacteristics")) is not None or owner.find(bpmn("standardLoopCharacteristics")) is not None:
        yield "同时写了多实例或循环。请只留一项。"
    values = {outcome.get("value") for outcome in owner.iter(gc("outcome"))}
    agree = rule.get("agree") or "agree"
    if values and agree not in values:
        yield f"没有算作同意的按钮。请加一个 value 为 {agree} 的 gc:outcome，或者用 agree 指明哪个算同意。"
