"""A record of the register ``x-gc.register`` that the officer may see, chosen by what ``x-gc.shows`` holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.base import Widget

GONE = "没有这条记录，或者您看不到它。请重新选。"


class Record(Widget):
    verb = "选择"

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        if not isinstance(value, str):
            raise Problems(GONE)
        if not value.strip():
            return None
        if self._title(field, value, context) is None:
            raise Problems(GONE)
        return value.strip()

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        return self._title(field, value, context) or "已不在台账"

    def titles(self, field: Field, value: Any, context: FormContext) -> dict[str, str]:
        return {"": self.text(field, value, context)}

    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        return {"chosen": self._title(field, value, context) or "" if value else "", "source": context.url("records", register=field.gc["register"])}

    def _title(self, field: Field, value: Any, context: FormContext) -> str | None:
        return context.record(field.gc["register"], str(value).strip())


widget = Record()
