"""An instant to the minute, typed and shown in Asia/Shanghai."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.base import Widget
from engine.kernel.clock import SHANGHAI


class DateTime(Widget):
    verb = "选择"

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        if not isinstance(value, str):
            raise Problems("时间写成 2026-11-20 09:30。")
        if not value.strip():
            return None
        try:
            at = datetime.fromisoformat(value.strip().replace("/", "-"))
        except ValueError:
            raise Problems("时间写成 2026-11-20 09:30。") from None
        at = at.replace(tzinfo=SHANGHAI) if at.tzinfo is None else at.astimezone(SHANGHAI)
        if field.gc.get("range") == "past" and at > context.at:
            raise Problems("不能晚于现在。")
        if field.gc.get("range") == "future" and at < context.at:
            raise Problems("不能早于现在。")
        return at.isoformat(timespec="seconds")

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        at = _parsed(value)
        return at.strftime("%Y-%m-%d %H:%M") if at else str(value)

    def typed(self, field: Field, value: Any) -> Any:
        return datetime.fromisoformat(value)

    def from_feel(self, field: Field, value: Any) -> Any:
        return value.astimezone(SHANGHAI).isoformat(timespec="seconds") if isinstance(value, datetime) else None

    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        at = _parsed(value)
        return {"local": at.strftime("%Y-%m-%dT%H:%M") if at else (value or "")}


def _parsed(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return at.astimezone(SHANGHAI) if at.tzinfo else at


widget = DateTime()
