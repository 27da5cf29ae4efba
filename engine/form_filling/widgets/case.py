"""A case that the officer may see, chosen by number, title or party."""

from __future__ import annotations

from engine.form_filling.context import FormContext
from engine.form_filling.widgets.person import Person


class Case(Person):
    endpoint = "cases"
    nobody = "没有这个案件，或者您看不到它。请重新选。"

    def find(self, value: str, context: FormContext) -> str | None:
        return context.case(value)


widget = Case()
