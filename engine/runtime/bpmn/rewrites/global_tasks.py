"""A call to a global task of the same file becomes that task, drawn in the place of the call."""
from __future__ import annotations

import copy

from lxml import etree

from engine.runtime.bpmn.names import bpmn

KINDS = {
    "globalTask": "task", "globalUserTask": "userTask", "globalManualTask": "manualTask", "globalScriptTask": "scriptTask",
    "globalBusinessRuleTask": "businessRuleTask",
}
_OWN = ("id", "name", "calledElement")


def inline_global_tasks(root: etree._Element) -> None:
    """Retag every such call; what the call itself says (id, name, loops, flows) stays, the rest comes from the global task."""
    tasks = {task.get("id", ""): (kind, task) for tag, kind in KINDS.items() for task in root.iterchildren(bpmn(tag))}
    for call in list(root.iter(bpmn("callActivity"))) if tasks else []:
        kind, task = tasks.get(call.get("calledElement", "").rsplit(":", 1)[-1], ("", None))
        if task is not None:
            _become(call, kind, task)
    for _, task in tasks.values():
        root.remove(task)


def _become(call: etree._Element, kind: str, task: etree._Element) -> None:
    call.tag = bpmn(kind)
    del call.attrib["calledElement"]
    if not call.get("name"):
        call.set("name", task.get("name", ""))
    for key, value in task.attrib.items():
        if key not in _OWN and call.get(key) is None:
            call.set(key, value)
    present = {child.tag for child in call}
    for number, child in enumerate(child for child in task if child.tag not in present):
        call.insert(number, copy.deepcopy(child))
