"""A unit of the platform, chosen by name or pinyin initials."""

from __future__ import annotations

from engine.form_filling.context import FormContext
from engine.form_filling.widgets.person import Person


class Unit(Person):
    endpoint = "units"
    nobody = "没有这个单位，或已撤销。请重新选。"

    def find(self, value: str, context: FormContext) -> str | None:
        return context.unit(value)


widget = Unit()
