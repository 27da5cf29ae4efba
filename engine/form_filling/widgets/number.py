"""A number, whole when the schema says ``integer``."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.base import Widget

_SHAPE = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,10})?\Z")


class Number(Widget):
    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
            raise Problems("这里只写数字。")
        text = re.sub(r"[\s,，]", "", unicodedata.normalize("NFKC", str(value)))
        text = text.removesuffix(field.gc.get("unit") or "\n")
        if not text:
            return None
        if not _SHAPE.match(text):
            raise Problems("这里只写数字，如 12" + ("。" if field.schema.get("type") == "integer" else " 或 12.5。"))
        return self._narrow(field, Decimal(text))

    def _narrow(self, field: Field, number: Decimal) -> int | float:
        if number == number.to_integral_value():
            return int(number)
        if field.schema.get("type") == "integer":
            raise Problems("这里只写整数。")
        return float(number)

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        unit = field.gc.get("unit", "")
        return f"{plain(value)} {unit}" if unit else plain(value)

    def typed(self, field: Field, value: Any) -> Any:
        return Decimal(str(value))

    def from_feel(self, field: Field, value: Any) -> Any:
        if not isinstance(value, Decimal | int | float) or isinstance(value, bool):
            return None
        number = Decimal(str(value))
        return int(number) if number == number.to_integral_value() else float(number)


def plain(value: Any) -> str:
    """``12``, ``12.5``: no thousands, no exponent."""
    try:
        return f"{Decimal(str(value)):f}"
    except ArithmeticError:
        return str(value)


widget = Number()
