"""A unit of the platform, chosen by name or pinyin initials; ``x-gc.within: agency`` offers those of the reader's own bureau only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.person import Person


class Unit(Person):
    endpoint = "units"
    nobody = "没有这个单位，或已撤销。请重新选。"
    foreign = "这个单位不属于本局，请选本局的单位。"

    def find(self, value: str, context: FormContext) -> str | None:
        return context.unit(value)

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        id = super().clean(field, value, context)
        if id is not None and field.gc.get("within") == "agency" and not context.agency(id):
            raise Problems(self.foreign)
        return id

    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        asked = {"within": "agency"} if field.gc.get("within") == "agency" else {}
        if field.gc.get("kinds"):
            asked["kinds"] = ",".join(field.gc["kinds"])
        return {**super().view(field, value, context, siblings), "source": context.url(self.endpoint, **asked), "listed": "kinds" in asked}


widget = Unit()
