"""A text that becomes a fact of the process is short: the machine carries 2,048 bytes of one fact, a Chinese character takes three."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.inspection.tree import Finding, Tree

TITLE = "成为事实的文字不长"
LONGEST = 600
FREE = ("text", "textarea", "opinion")


def check(tree: Tree) -> Iterable[Finding]:
    for name, form in tree.forms():
        for field, schema in form.get("properties", {}).items():
            gc = schema.get("x-gc", {})
            if gc.get("fact") and not _is_short(schema):
                message = (f"字段 {field}（{schema.get('title', field)}）写成事实，却能超过 {LONGEST} 个字，写长了办不下去。"
                           f"请写上不超过 {LONGEST} 的 maxLength，或者去掉 x-gc.fact，后面的步骤用 gc:show 显示。")
                yield Finding(place=f"{tree.path('form', name)} {field}", rule="facts", message=message)


def _is_short(schema: Mapping[str, Any]) -> bool:
    """Whether the value can't outgrow a fact: bounded text, or no free text at all."""
    gc = schema.get("x-gc", {})
    chosen = "enum" in schema or "format" in schema or gc.get("dictionary") or gc.get("compute") or gc.get("among")
    if schema.get("type") != "string" or chosen or gc.get("widget", "textarea") not in FREE:
        return True
    return 0 < int(schema.get("maxLength") or 0) <= LONGEST
