"""Several codes out of a dictionary or an ``enum`` of the items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.base import Widget
from engine.form_filling.widgets.choice import find_option, options_of, outside_parent, title_of

MANY = 12


class Choices(Widget):
    control = False
    verb = "选择"

    def read_html(self, field: Field, posted: MultiDict[str, str], name: str) -> Any:
        return [value for value in posted.getlist(name) if value] or None

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        if not isinstance(value, list) or not all(isinstance(code, str) for code in value):
            raise Problems("请从列出的选项里选。")
        codes = list(dict.fromkeys(value))
        for code in codes:
            found = find_option(field, code, context)
            if found is None or not found.active:
                raise Problems("有一项不在列出的选项里，请重新选。")
        return codes or None

    def misfit(self, field: Field, value: Any, siblings: Mapping[str, Any], context: FormContext) -> str | None:
        return outside_parent(field, value, siblings, context)

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        return "、".join(title_of(field, code, context) for code in value)

    def titles(self, field: Field, value: Any, context: FormContext) -> dict[str, str]:
        return {code: title_of(field, code, context) for code in value}

    def from_feel(self, field: Field, value: Any) -> Any:
        return [str(code) for code in value] if isinstance(value, list) else None

    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        options = list(options_of(field, context, siblings))
        return {
            "options": options,
            "chosen": {code for code in value if isinstance(code, str)} if isinstance(value, list) else set(),
            "many": len(options) > MANY,
            "waiting": bool(field.gc.get("parent")) and not siblings.get(field.gc["parent"]),
        }


widget = Choices()
