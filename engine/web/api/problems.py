"""What pydantic finds wrong with a request, in Chinese and by field."""
from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from engine.kernel.errors import GuichengError, Invalid, NotFound
from engine.web.api.errors import BadRequest

MESSAGES = {
    "missing": "缺少这一项。",
    "extra_forbidden": "没有这一项，请去掉。",
    "string_type": "应是字符串。",
    "string_too_long": "最多 {max_length} 个字。",
    "string_too_short": "最少 {min_length} 个字。",
    "dict_type": "应是一个 JSON 对象。",
    "model_type": "应是一个 JSON 对象。",
    "list_type": "应是一个列表。",
    "too_long": "最多 {max_length} 项。",
    "int_parsing": "应是整数。",
    "int_type": "应是整数。",
    "int_from_float": "应是整数。",
    "bool_parsing": "应是 true 或 false。",
    "bool_type": "应是 true 或 false。",
    "greater_than_equal": "不能小于 {ge}。",
    "less_than_equal": "不能大于 {le}。",
    "uuid_parsing": "应是一个编号（UUID）。",
    "uuid_type": "应是一个编号（UUID）。",
    "literal_error": "应是这些之一：{expected}。",
    "string_pattern_mismatch": "写法不对。",
}
KEY = "请在请求头 Idempotency-Key 里带上这次请求的编号：8 到 128 个可见的 ASCII 字符，重发同一个请求用同一个值。"
BODY = "请求要带 JSON 内容，最外层是一个对象。"


def on_invalid(error: ValidationError) -> GuichengError:
    """Raise what the request deserves: an id that is none looks like what is not there."""
    if error.title.endswith("Path"):
        raise NotFound("没有找到，地址里的编号不完整或不存在。")
    if error.title == "KeyHeader":
        raise BadRequest(KEY, code="key_required")
    fields = {_path(one["loc"]): _message(one) for one in error.errors(include_url=False)}
    if "" in fields:
        raise Invalid(BODY, code="bad_json")
    raise Invalid("请求里有不对的地方，没有办理：" + "；".join(f"{name} {text.rstrip('。')}" for name, text in list(fields.items())[:5]) + "。", fields=fields)


def _path(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc)


def _message(one: Any) -> str:
    text = MESSAGES.get(one["type"])
    if text is None:
        return "写法不对，请对照接口文档。"
    return text.format(**{name: str(value).replace(" or ", "、").replace("'", "") for name, value in one.get("ctx", {}).items()})
