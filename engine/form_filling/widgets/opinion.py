"""An opinion: text of several lines with the officer's frequently used ones below it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.widgets.base import Widget


class Opinion(Widget):
    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        return {"phrases": [*field.gc.get("phrases", ()), *context.phrases()]}


widget = Opinion()
