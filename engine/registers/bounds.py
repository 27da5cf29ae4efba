"""The ends of ranges: days and numbers as people write them."""
from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.kernel.errors import Invalid
from engine.registers.declaration import Field


def bound_of(one: Field, text: str) -> Any:
    """One end of a range; raises Invalid."""
    try:
        if one.type in ("date", "datetime"):
            return date.fromisoformat(text)
        number = Decimal(text.replace(",", "").replace("，", ""))
        if not number.is_finite() or abs(number) > Decimal("1e15"):
            raise InvalidOperation
        return number
    except (ValueError, InvalidOperation):
        kind = "日期写成 2026-11-20" if one.type in ("date", "datetime") else "这里只写数字"
        raise Invalid(f"“{one.title}”的筛选范围不对：{kind}。", code="bad_filter") from None
