"""A person of the platform, chosen by name or pinyin initials.

``x-gc.role``: only people who hold that role, offered at once; seen from the unit that the fact named by ``x-gc.in`` holds,
else from the unit of the case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.base import Widget


class Person(Widget):
    verb = "选择"
    endpoint = "people"
    nobody = "没有这个人，或已离岗。请重新选。"
    outsider = "这位同事不承担这项工作，请从列出的人里选。"

    def find(self, value: str, context: FormContext) -> str | None:
        """The name that belongs to an id; None when there is none."""
        return context.person(value)

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        if not isinstance(value, str):
            raise Problems(self.nobody)
        if not value.strip():
            return None
        if self.find(value.strip(), context) is None:
            raise Problems(self.nobody)
        self.check(field, value.strip(), context)
        return value.strip()

    def check(self, field: Field, id: str, context: FormContext) -> None:
        """Raise Problems for somebody whom the field does not offer."""
        role = field.gc.get("role")
        if role and not context.holds_role(id, role, context.place(field.gc)):
            raise Problems(self.outsider)

    def narrowed(self, field: Field, context: FormContext) -> dict[str, str]:
        """What the picker asks for besides the text."""
        place, role = context.place(field.gc), field.gc.get("role")
        return {"role": role} | ({"in": place} if place else {}) if role else {}

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        return self.find(str(value), context) or "已不在名册"

    def titles(self, field: Field, value: Any, context: FormContext) -> dict[str, str]:
        return {"": self.text(field, value, context)}

    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        return {"chosen": self.find(str(value), context) or "" if value else "", "source": context.url(self.endpoint, **self.narrowed(field, context)), "listed": bool(field.gc.get("role"))}


widget = Person()
