"""One line of text, optionally a telephone, identity or credit number."""

from __future__ import annotations

from typing import Any

from engine.form_filling.checks import credit_code, identity_number, phone
from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.base import Widget


class Text(Widget):
    """Text of one line. ``x-gc.format``: phone, identity_number or credit_code."""

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        text = super().clean(field, value, context)
        if text is None:
            return None
        text = " ".join(text.split("\n"))
        try:
            match field.gc.get("format"):
                case "phone":
                    return phone.check(text)
                case "identity_number":
                    return identity_number.check(text, today=context.today).number
                case "credit_code":
                    return credit_code.check(text)
        except ValueError as problem:
            raise Problems(str(problem)) from None
        return text


widget = Text()
