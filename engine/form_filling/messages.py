"""Chinese messages for what a JSON Schema validator finds, one per kind of error: each says how to put it right."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import jsonschema_rs

from engine.form_filling.model import Field
from engine.form_filling.widgets import widget_of

_TYPES = {"string": "文字", "integer": "整数", "number": "数字", "boolean": "“是”或“否”", "array": "列表", "object": "分栏的内容"}
_FORMATS = {
    "date": "日期写成 2026-11-20。",
    "date-time": "时间写成 2026-11-20 09:30。",
    "email": "邮箱写成 name@example.cn。",
    "uri": "网址以 https:// 开头。",
}


def missing_message(field: Field) -> str:
    """What is said when a field that must be filled is empty."""
    if field.kind == "signature":
        return f"请{field.title}。" if field.title.endswith("签名") or field.title.startswith("签") else f"请在“{field.title}”处签名。"
    if field.kind == "rows":
        return f"请至少填一行{field.title}。"
    return f"请{widget_of(field).verb}{field.title}。"


def schema_problem(field: Field, value: Any) -> str | None:
    """The first fault that the author's standard keywords find in a clean value, in Chinese; None when it holds."""
    for error in field.validator.iter_errors(value):
        return _message(field, value, error)
    return None


def _message(field: Field, value: Any, error: jsonschema_rs.ValidationError) -> str:
    said: dict[str, Any] = error.kind.as_dict()
    limit = said.get("limit")
    noun = "行" if field.kind == "rows" else "项" if field.kind == "choices" else "个"
    unit = f" {field.gc['unit']}" if field.gc.get("unit") else ""
    match type(error.kind).__name__.rsplit("_", 1)[-1]:
        case "MaxLength":
            return f"最多 {limit} 个字，现在 {len(value)} 个，请删去 {len(value) - int(limit or 0)} 个。"
        case "MinLength":
            return f"至少写 {limit} 个字，现在 {len(value)} 个。"
        case "Minimum":
            return f"不能小于 {_number(limit)}{unit}。"
        case "ExclusiveMinimum":
            return f"要大于 {_number(limit)}{unit}。"
        case "Maximum":
            return f"不能大于 {_number(limit)}{unit}。"
        case "ExclusiveMaximum":
            return f"要小于 {_number(limit)}{unit}。"
        case "MultipleOf":
            return f"应是 {_number(said.get('multiple_of'))} 的倍数。"
        case "MinItems":
            return f"至少 {limit} {noun}，现在 {len(value)} {noun}。"
        case "MaxItems":
            return f"最多 {limit} {noun}，现在 {len(value)} {noun}，请删去多出的。"
        case "UniqueItems":
            return "有重复的，请删去一个。"
        case "Enum" | "Constant":
            return "请从列出的选项里选一个。"
        case "Pattern":
            return str(field.gc.get("help") or f"写法不对，请核对“{field.title}”的格式。")
        case "Format":
            return _FORMATS.get(str(said.get("format")), f"写法不对，请核对“{field.title}”的格式。")
        case "Type":
            types = said.get("types") or [field.schema.get("type")]
            return f"这里要填{'或'.join(_TYPES.get(str(t), str(t)) for t in types)}。"
    return str(field.gc.get("help") or f"“{field.title}”填得不对，请核对后重填。")


def _number(value: Any) -> str:
    return f"{Decimal(str(value)):f}"
