"""A handwritten signature: drawn on a canvas, uploaded as a PNG; the value is the attachment's id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.base import Widget


class Signature(Widget):
    control = False
    verb = "签"

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        if not isinstance(value, str):
            raise Problems("请重新签名。")
        if not value.strip():
            return None
        meta = context.attachment(value.strip())
        if meta is None or meta.content_type != "image/png":
            raise Problems("签名没有传上来，请重新签名。")
        return meta.id

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        return "已签名"

    def attachments(self, field: Field, value: Any) -> list[str]:
        return [value]

    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        meta = context.attachment(value) if isinstance(value, str) and value else None
        return {"meta": meta, "upload": context.url("upload")}


widget = Signature()
