"""A calendar day in Asia/Shanghai."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.base import Widget

_SHAPE = re.compile(r"([0-9]{4})[-/.年]?([0-9]{1,2})[-/.月]?([0-9]{1,2})日?\Z")


class Date(Widget):
    """Understands 2026-11-20, 2026/11/20, 20261120 and 2026年11月20日. ``x-gc.range``: past or future."""

    verb = "选择"

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        if not isinstance(value, str):
            raise Problems("日期写成 2026-11-20。")
        if not value.strip():
            return None
        day = parse_day(value)
        if field.gc.get("range") == "past" and day > context.today:
            raise Problems("不能晚于今天。")
        if field.gc.get("range") == "future" and day < context.today:
            raise Problems("不能早于今天。")
        return day.isoformat()

    def typed(self, field: Field, value: Any) -> Any:
        return date.fromisoformat(value)

    def from_feel(self, field: Field, value: Any) -> Any:
        return value.isoformat() if isinstance(value, date) else None


def parse_day(text: str) -> date:
    """The day that ``text`` names; raises Problems."""
    found = _SHAPE.match(re.sub(r"\s", "", unicodedata.normalize("NFKC", text)))
    if not found:
        raise Problems("日期写成 2026-11-20。")
    try:
        day = date(*(int(part) for part in found.groups()))
    except ValueError:
        raise Problems(f"没有 {'-'.join(found.groups())} 这一天，请核对年月日。") from None
    if not 1850 <= day.year <= 2199:
        raise Problems(f"年份 {day.year} 不合常理，请核对。")
    return day


widget = Date()
