"""Elements that can't run here are refused by name, with what to draw instead."""
from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.names import bpmn, local

REMEDIES = {
    "complexGateway": ("复杂网关", "请改用包容网关加条件，或多实例加完成条件"),
    "adHocSubProcess": ("临时子流程", "请改为包容网关分出的若干环节，或由人在案件上随时发起的事项（matters）"),
    "choreography": ("编排", "请改为协作图中的流程"),
    "callChoreography": ("调用编排", "请改为调用活动"),
    "choreographyTask": ("编排任务", "请改为发送任务和接收任务"),
    "subChoreography": ("子编排", "请改为子流程"),
}


def check_source(root: etree._Element) -> Iterator[Finding]:
    for element in root.iter(*(bpmn(tag) for tag in REMEDIES)):
        title, remedy = REMEDIES[local(element)]
        name = element.get("name") or element.get("id", "")
        yield finding(element.get("id", ""), "unsupported", f"{title}「{name}」不能运行。{remedy}。")
