"""Camunda 7, Flowable and Activiti: their attributes have the same names."""
from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.runtime.bpmn.errors import Finding
from engine.runtime.bpmn.importers.juel import is_juel, to_feel, value
from engine.runtime.bpmn.importers.writing import note, set_attribute, word
from engine.runtime.bpmn.names import bpmn, local, text_of
from engine.runtime.bpmn.rewrites.building import add_extension

NAMESPACES = ("http://camunda.org/schema/1.0/bpmn", "http://flowable.org/bpmn", "http://activiti.org/bpmn")
_CODE = ("class", "delegateExpression", "expression")


def convert(root: etree._Element) -> list[Finding]:
    """Map every foreign attribute in place; findings for those without a meaning here."""
    findings: list[Finding] = []
    starters = {_get(start, "initiator") for start in root.iter(bpmn("startEvent"))} - {""}
    for element in list(root.iter()):
        tag = local(element)
        if tag in ("sendTask", "businessRuleTask") and any(_get(element, name) for name in ("topic", *_CODE)):
            element.tag = bpmn("serviceTask")
            tag = "serviceTask"
        if tag in ("userTask", "manualTask", "task"):
            findings += _person(element, starters)
        if tag in ("serviceTask", "sendTask", "businessRuleTask", "task"):
            findings += _service(element)
        if tag == "scriptTask":
            _script(element)
        if tag == "callActivity":
            findings += _call(element)
        if any(True for name in ("executionListener", "taskListener") for _ in _inside(element, name)):
            findings.append(note(element, "的监听器没有带入，不会运行。请改为服务任务。"))
        if tag == "multiInstanceLoopCharacteristics":
            _many(element)
        if tag in ("conditionExpression", "completionCondition", "loopCardinality", "timeDate", "timeDuration", "timeCycle", "condition"):
            _expression(element)
    return findings


def _get(element: etree._Element, name: str) -> str:
    return next((element.get(f"{{{uri}}}{name}", "") for uri in NAMESPACES if element.get(f"{{{uri}}}{name}")), "")


def _inside(element: etree._Element, tag: str) -> Iterator[etree._Element]:
    holder = element.find(bpmn("extensionElements"))
    if holder is not None:
        for uri in NAMESPACES:
            yield from holder.iter(f"{{{uri}}}{tag}")


def _person(task: etree._Element, starters: set[str]) -> Iterator[Finding]:
    assignee, groups = _get(task, "assignee"), _get(task, "candidateGroups")
    if is_juel(assignee):
        feel = value(assignee)
        set_attribute(task, "assignee", "=initiator_id" if feel[1:] in starters else feel)
    elif assignee:
        set_attribute(task, "assignee", assignee)
        yield note(task, f"指定了办理人“{assignee}”，这是原系统的账号。请改为本单位的角色或人员。")
    if groups:
        names = [name for name in groups.split(",") if name.strip()]
        set_attribute(task, "role", value(groups) if is_juel(groups) else word(names[0]))
        if len(names) > 1 and not is_juel(groups):
            yield note(task, f"有 {len(names)} 个候选组（{groups}），只取了第一个。请在角色里合并它们。")
    if _get(task, "candidateUsers"):
        yield note(task, "的候选人（candidateUsers）没有带入。请改用角色。")
    form = _get(task, "formKey") or _get(task, "formRef")
    if form:
        set_attribute(task, "form", value(form) if is_juel(form) else word(form.rsplit("/", 1)[-1].rsplit(":", 1)[-1].split(".")[0]))
    if _get(task, "dueDate"):
        yield note(task, "的到期日（dueDate）没有带入。请设置 gc:due，如“3 working_day”。")
    if any(True for _ in _inside(task, "formField")) or any(True for _ in _inside(task, "formProperty")):
        yield note(task, "的内嵌表单没有带入。请把字段写成 forms/ 里的表单。")


def _service(task: etree._Element) -> Iterator[Finding]:
    topic, decision = _get(task, "topic"), _get(task, "decisionRef")
    if topic:
        set_attribute(task, "handler", word(topic))
    if decision:
        set_attribute(task, "decision", word(decision))
        if _get(task, "resultVariable"):
            add_extension(task, "output", fact=_get(task, "resultVariable"))
    for name in _CODE:
        if _get(task, name):
            yield note(task, f"调用的代码（{name}）不能在这里运行。请写成处理程序，并设置 gc:handler。")
    for parameter in _inside(task, "inputParameter"):
        if len(parameter) == 0:
            add_extension(task, "input", name=parameter.get("name", ""), value=value(parameter.text or ""))
    for parameter in _inside(task, "outputParameter"):
        body = to_feel(parameter.text or "")
        add_extension(task, "output", name=body, fact=parameter.get("name", ""))


def _script(task: etree._Element) -> None:
    """A script in an expression language that only computes a value becomes an assignment."""
    script = task.find(bpmn("script"))
    result = _get(task, "resultVariable")
    text = text_of(script) if script is not None else ""
    if script is not None and result and (is_juel(text) or task.get("scriptFormat", "").lower() == "feel"):
        add_extension(task, "set", fact=result, value=to_feel(text))
        task.remove(script)


def _call(call: etree._Element) -> Iterator[Finding]:
    if any(item.get("variables") for tag in ("in", "out") for item in _inside(call, tag)):
        yield note(call, "传递全部变量（variables），没有带入。请逐项写 gc:input 和 gc:output。")
    for item in _inside(call, "in"):
        if item.get("target"):
            source = item.get("sourceExpression", "")
            add_extension(call, "input", name=item.get("target", ""), value=value(source) if source else "=" + item.get("source", ""))
    for item in _inside(call, "out"):
        if item.get("target"):
            add_extension(call, "output", name=item.get("source", ""), fact=item.get("target", ""))


def _many(loop: etree._Element) -> None:
    collection = _get(loop, "collection")
    if collection:
        set_attribute(loop, "collection", value(collection) if is_juel(collection) else "=" + collection)
    set_attribute(loop, "item", _get(loop, "elementVariable"))


def _expression(element: etree._Element) -> None:
    text = text_of(element)
    if is_juel(text):
        timer = local(element).startswith("time")
        element.text = ("=" if timer else "") + to_feel(text)
