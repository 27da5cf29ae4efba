"""What differs between two versions of a file, and between three: element by element for diagrams, field by field for forms, line by line for all."""
from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine.packs.library import Definition

WORDS = {
    "title": "名称", "kind": "种类", "scope": "所在的子流程", "lane": "泳道", "attached_to": "附在", "interrupting": "中断", "called": "调用", "default": "默认分支", "source": "从", "target": "到",
    "condition": "条件", "outcomes": "按钮", "fields": "栏目权限", "field_default": "栏目默认权限", "returns": "可退回到", "shows": "显示的表", "inputs": "输入", "outputs": "输出",
    "sets": "赋值", "event": "事件", "loop": "重复", "form": "表单", "role": "角色", "due": "办理期限", "handler": "处理程序", "decision": "决策表", "assignee": "办理人", "unit": "单位", "type": "类型",
    "required": "必填", "allow": "允许的操作", "certificate": "要求的证件", "policy": "退回规则", "clock": "法定期限", "mode": "运行方式",
}
KINDS = {"process": "流程图", "form": "表单", "decision": "决策表", "document": "文书", "register": "台账", "dictionary": "字典", "parameters": "参数", "manifest": "业务包说明",
         "report": "报表", "assessment": "考核", "graph": "案情图谱", "statistic": "统计", "page": "页面", "piece": "文书片段"}
DULL = frozenset({"id", "incoming", "outgoing", "process", "generated", "compensates", "triggered_by_event"})
CONTEXT = 3


@dataclass(frozen=True, kw_only=True)
class Change:
    """``how``: added, removed, changed. ``details``: (what, old, new) in words."""

    id: str
    title: str
    how: str
    details: tuple[tuple[str, str, str], ...] = ()


@dataclass
class Difference:
    """``changes`` of elements (empty for kinds without), ``lines``: (mark ' ' + - or @, text) of a unified difference."""

    changes: list[Change] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)

    @property
    def by_mark(self) -> dict[str, list[str]]:
        """{added, removed, changed: ids}, for the picture."""
        return {how: [change.id for change in self.changes if change.how == how] for how in ("added", "removed", "changed")}


def compare(old: Definition, new: Definition) -> Difference:
    """What turns ``old`` into ``new``."""
    found = Difference(lines=line_difference(_text(old), _text(new)))
    if old.kind == "process":
        found.changes = _elements({**old.meta.get("nodes", {}), **old.meta.get("flows", {})}, {**new.meta.get("nodes", {}), **new.meta.get("flows", {})})
        found.changes += _elements(_named(old.meta), _named(new.meta))
    elif old.kind == "form":
        found.changes = _elements(_fields(old.content), _fields(new.content))
    return found


def both_changed(ours: Difference, theirs: Difference) -> list[str]:
    """Ids of elements that both sides changed, and not alike."""
    mine = {change.id: change for change in ours.changes}
    return [change.id for change in theirs.changes if change.id in mine and mine[change.id] != change]


def _text(definition: Definition) -> str:
    if definition.kind == "form":
        try:
            return orjson.dumps(orjson.loads(definition.content), option=orjson.OPT_INDENT_2).decode()
        except orjson.JSONDecodeError:
            pass
    return definition.content.decode("utf-8", "replace")


def line_difference(old: str, new: str) -> list[tuple[str, str]]:
    """A unified difference; a line that names the place has the mark ``@``."""
    rows = difflib.unified_diff(old.splitlines(), new.splitlines(), n=CONTEXT, lineterm="")
    return [(row[0] if row[0] in "+-@" else " ", row if row[0] == "@" else row[1:]) for row in rows if not row.startswith(("---", "+++"))]


def _named(meta: Mapping[str, Any]) -> dict[str, Any]:
    words = {"parameters": "参数", "results": "结果", "facts": "事实"}
    return {f"{word} {item['name']}": {**item, "title": item.get("title") or item["name"]} for group, word in words.items() for item in meta.get(group, ())}


def _fields(content: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    required = set(body.get("required") or ())
    return {name: {**one, "required": name in required} for name, one in (body.get("properties") or {}).items() if isinstance(one, dict)}


def _elements(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    changes = []
    for id in dict.fromkeys([*old, *new]):
        before, after = old.get(id), new.get(id)
        one = after or before
        title = _title(id, one)
        if before is None or after is None:
            changes.append(Change(id=id, title=title, how="added" if before is None else "removed"))
        elif details := _details(before, after):
            changes.append(Change(id=id, title=title, how="changed", details=details))
    return changes


def _title(id: str, one: Any) -> str:
    if one.get("source") and one.get("target"):
        return one.get("title") or f"{one['source']} → {one['target']}"
    return str(one.get("title") or id)


def _details(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    old, new = _flat(before), _flat(after)
    return tuple((WORDS.get(name, name), _said(old.get(name)), _said(new.get(name))) for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name))


def _flat(element: Mapping[str, Any]) -> dict[str, Any]:
    flat = {name: value for name, value in element.items() if name not in DULL and name != "attributes"}
    return {**flat, **dict(element.get("attributes") or {})}


def _said(value: Any) -> str:
    if value in (None, "", [], {}):
        return "（没有）"
    if isinstance(value, bool):
        return "是" if value else "否"
    return value if isinstance(value, str) else orjson.dumps(value).decode()
