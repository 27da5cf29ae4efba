"""A task of a person says who does it, with which form, and how it may end."""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from engine.expressions import compile_expression
from engine.kernel.errors import GuichengError
from engine.kernel.names import is_name
from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.grammar import grammar
from engine.runtime.bpmn.model import Model, Node
from engine.runtime.bpmn.names import HUMAN

_DUE = re.compile(r"(\d+ (working_day|day|month|year|hour|working_hour)|clock:[a-z][a-z0-9_.]*(/.+)?)\Z")
_POLICIES = ("direct", "applicant", "stepwise", "none")


def check(model: Model, called: Mapping[str, Model], calls: Mapping[str, str]) -> Iterator[Finding]:
    yield from _policy(model.id, f"流程「{model.title}」", model.attributes)
    for node in model.nodes.values():
        if node.kind not in HUMAN:
            continue
        yield from _who(node)
        yield from _outcomes(node)
        yield from _rights(node)
        yield from _places(model, node)
        yield from _correct(node)
        yield from _policy(node.id, node.label, node.attributes)


def _who(node: Node) -> Iterator[Finding]:
    if not node.attributes.get("role") and not node.attributes.get("assignee"):
        yield finding(node.id, "role", f"用户任务{node.label}没有指定由谁办理。请设置 gc:role（角色）或 gc:assignee（办理人）。", "policy")
    if node.kind == "userTask" and not node.attributes.get("form"):
        yield finding(node.id, "form", f"用户任务{node.label}没有表单。请设置 gc:form。", "policy")
    due = node.attributes.get("due", "")
    if due and not due.startswith("=") and not _DUE.match(due):
        yield finding(node.id, "due", f"用户任务{node.label}的期限“{due}”看不懂。请写成“3 working_day”“10 day”“clock:<期限>”，或以 = 开头的 FEEL。")


def _outcomes(node: Node) -> Iterator[Finding]:
    if node.kind == "userTask" and not node.outcomes:
        yield finding(node.id, "outcomes", f"用户任务{node.label}没有办理结论（按钮）。请加上至少一个 gc:outcome。", "policy")
    allowed = grammar().elements["outcome"]
    seen: set[str] = set()
    for outcome in node.outcomes:
        value = outcome.get("value", "")
        if not is_name(value):
            yield finding(node.id, "outcomes", f"用户任务{node.label}的办理结论“{value}”不是英文小写名称。请改为如 agree、send_back 的单词。")
        if value in seen:
            yield finding(node.id, "outcomes", f"用户任务{node.label}的办理结论“{value}”写了两次。请删去一个。")
        if not outcome.get("title"):
            yield finding(node.id, "outcomes", f"用户任务{node.label}的办理结论“{value}”没有按钮文字。请写上 title。")
        for key in ("kind", "opinion"):
            if key in outcome and outcome[key] not in (allowed[key] or []):
                yield finding(node.id, "outcomes", f"用户任务{node.label}的办理结论“{value}”的 {key}“{outcome[key]}”不认识。请改为 {'、'.join(allowed[key] or [])} 之一。")
        seen.add(value)


def _rights(node: Node) -> Iterator[Finding]:
    rights = grammar().elements["field"]["right"] or []
    for name, right in [*node.fields.items(), ("（其余字段）", node.field_default or "write")]:
        if right not in rights:
            yield finding(node.id, "fields", f"用户任务{node.label}中字段“{name}”的权限“{right}”不认识。请改为 {'、'.join(rights)} 之一。")


def _places(model: Model, node: Node) -> Iterator[Finding]:
    for target in node.returns or []:
        other = model.nodes.get(target)
        if other is None or other.kind not in HUMAN:
            yield finding(node.id, "returns", f"用户任务{node.label}的退回目标“{target}”不是本流程的用户任务。请改正 gc:returns。")
    for show in node.shows:
        if not show.get("form") and not show.get("node", "").startswith("="):
            yield finding(node.id, "show", f"用户任务{node.label}的 gc:show 没有写 form。请写上要显示的表单。")


def _correct(node: Node) -> Iterator[Finding]:
    drawn = node.correct
    if drawn is None:
        return
    if not drawn.get("fields", "").split():
        yield finding(node.id, "correct", f"用户任务{node.label}的 gc:correct 没有写 fields。请写上提交以后可以更正的字段。")
    for key in ("who", "delete"):
        allowed = grammar().elements["correct"][key] or []
        if drawn.get(key) and drawn[key] not in allowed:
            yield finding(node.id, "correct", f"用户任务{node.label}的 gc:correct 的 {key}“{drawn[key]}”不认识。请改为 {'、'.join(allowed)} 之一。")
    if drawn.get("while"):
        try:
            compile_expression(drawn["while"].removeprefix("="), names=("state", "closed", "days"))
        except GuichengError as error:
            yield finding(node.id, "correct", f"用户任务{node.label}的 gc:correct 的 while 看不懂：{error}请用 state、closed、days 写一个条件。")


def _policy(element: str, label: str, attributes: Mapping[str, str]) -> Iterator[Finding]:
    policy = attributes.get("policy", "")
    if policy and not policy.startswith("=") and policy not in _POLICIES:
        yield finding(element, "policy", f"{label}的退回方式“{policy}”不认识。请改为 {'、'.join(_POLICIES)} 之一，或 = 开头的参数。")
