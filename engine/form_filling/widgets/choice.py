"""One code out of a dictionary or an ``enum``; ``x-gc.parent`` narrows the dictionary by another field's value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.form_filling.context import FormContext, Option
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.base import Widget

SEARCHED_ON_SERVER = 400
FEW = 4


class Choice(Widget):
    """``x-gc.titles`` {code: title} names the values of an ``enum``; a dictionary names its own; ``x-gc.among`` is a fact with a list of {id, title}."""

    verb = "选择"

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        if not isinstance(value, str):
            raise Problems("请从列出的选项里选一个。")
        if not value.strip():
            return None
        found = find_option(field, value.strip(), context)
        if found is None or not found.active:
            raise Problems("请从列出的选项里选一个；列表里没有的，请让管理员加进字典。" if field.dictionary else "请从列出的选项里选一个。")
        return found.code

    def misfit(self, field: Field, value: Any, siblings: Mapping[str, Any], context: FormContext) -> str | None:
        return outside_parent(field, [value], siblings, context)

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        return title_of(field, value, context)

    def titles(self, field: Field, value: Any, context: FormContext) -> dict[str, str]:
        return {"": title_of(field, value, context)}

    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        options = list(options_of(field, context, siblings))
        known = {option.code for option in options}
        if value and isinstance(value, str) and value not in known and len(options) <= SEARCHED_ON_SERVER:
            kept = find_option(field, value, context)
            options += [kept] if kept and not field.gc.get("parent") else []
        short = len(options) <= FEW and sum(len(option.title) for option in options) <= 24 and not field.gc.get("parent")
        return {
            "options": options,
            "segments": bool(options) and short,
            "remote": len(options) > SEARCHED_ON_SERVER,
            "waiting": bool(field.gc.get("parent")) and not siblings.get(field.gc["parent"]),
            "chosen": title_of(field, value, context) if value else "",
            "source": context.url("options", dictionary=field.dictionary or "", **_parent_of(field, siblings)),
        }


def options_of(field: Field, context: FormContext, siblings: Mapping[str, Any]) -> Sequence[Option]:
    """The entries that may be chosen now; none while the parent field is empty."""
    if not field.dictionary:
        return _enumerated(field, context)
    parent = field.gc.get("parent")
    if parent and not siblings.get(parent):
        return ()
    return context.options(field.dictionary, siblings[parent] if parent else None)


def outside_parent(field: Field, codes: Sequence[str], siblings: Mapping[str, Any], context: FormContext) -> str | None:
    """A message when a code does not stand below what the parent field holds."""
    parent = field.gc.get("parent")
    if not parent:
        return None
    found = [find_option(field, code, context) for code in codes]
    wrong = next((option for option in found if option and option.parent != siblings.get(parent)), None)
    return f"“{wrong.title}”不在所选的上一级之下，请重新选。" if wrong else None


def find_option(field: Field, code: str, context: FormContext) -> Option | None:
    """The entry with ``code``, whatever the parent says."""
    if field.dictionary:
        return context.option(field.dictionary, code)
    return next((option for option in _enumerated(field, context) if option.code == code), None)


def title_of(field: Field, code: Any, context: FormContext) -> str:
    """The title of ``code``; the code itself when the dictionary has none."""
    found = find_option(field, str(code), context)
    return found.title if found else str(code)


def _parent_of(field: Field, siblings: Mapping[str, Any]) -> dict[str, str]:
    parent = siblings.get(field.gc["parent"]) if field.gc.get("parent") else None
    return {"parent": parent} if isinstance(parent, str) and parent else {}


def _enumerated(field: Field, context: FormContext) -> Sequence[Option]:
    among = field.gc.get("among")
    if among:
        return [Option(code=str(one["id"]), title=str(one["title"])) for one in context.names.get(among) or ()]
    titles = field.gc.get("titles", {})
    values = field.schema.get("enum") or field.schema.get("items", {}).get("enum") or titles
    return [Option(code=str(value), title=str(titles.get(value, value))) for value in values]


widget = Choice()
