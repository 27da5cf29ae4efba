"""A way to a page of the platform: the value (an id, filled in by the procedure) stands in the address ``x-gc.to`` at ``{value}``; nobody types it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.widgets.base import Widget


class Link(Widget):
    control = False

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        return str(field.gc.get("say") or field.title)

    def searched(self, field: Field, value: Any, context: FormContext) -> str:
        return ""

    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        to = str(field.gc.get("to", ""))
        inside = to.startswith("/") and not to.startswith("//")
        return {"href": to.replace("{value}", quote(str(value), safe="")) if inside and value else ""}


widget = Link()
