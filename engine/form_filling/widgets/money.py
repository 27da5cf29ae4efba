"""An amount in 元, kept as ``"123.40"``, shown with thousands and 大写."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.form_filling import money
from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.base import Widget


class Money(Widget):
    """``minimum`` and ``maximum`` of the schema count in 元; without ``minimum`` the amount may not be negative."""

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
            raise Problems("金额只写数字，如 1234.50。")
        if isinstance(value, str) and not value.strip():
            return None
        try:
            amount = money.parse(value)
        except ValueError as problem:
            raise Problems(str(problem)) from None
        self._within(field, amount)
        return money.normal(amount)

    def _within(self, field: Field, amount: Decimal) -> None:
        least = Decimal(str(field.schema.get("minimum", 0)))
        most = field.schema.get("maximum")
        if amount < least:
            raise Problems(f"不能少于 {money.grouped(least)} 元。" if least else "金额不能是负数。")
        if most is not None and amount > Decimal(str(most)):
            raise Problems(f"不能超过 {money.grouped(Decimal(str(most)))} 元。")

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        try:
            return f"{money.grouped(money.parse(value))} 元"
        except ValueError:
            return str(value)

    def typed(self, field: Field, value: Any) -> Any:
        return money.parse(value)

    def from_feel(self, field: Field, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, Decimal | int | float):
            return None
        return money.normal(Decimal(str(value)))

    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        try:
            amount = money.parse(value) if value not in (None, "") else None
        except ValueError:
            return {"shown": value, "capital": ""}
        if amount is None:
            return {"shown": "", "capital": ""}
        return {"shown": money.grouped(amount), "capital": money.capital(amount)}


widget = Money()
