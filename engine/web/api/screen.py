"""What is looked at before any operation runs: how often this token asks, how large the request is, whether its JSON can be kept."""
from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, TypeVar

import orjson
from flask import Response, current_app, g, request

from engine.kernel.errors import Invalid
from engine.web.api.errors import BadRequest, TooMany, WrongType, below_api, request_id
from engine.web.context import now

View = TypeVar("View", bound=Callable[..., Any])
PER_MINUTE = 600
LARGEST_JSON = 2 * 1024 * 1024
LARGEST_UPLOAD = 21 * 1024 * 1024
DEEPEST = 40


def takes_file(view: View) -> View:
    """Mark an operation whose request is a file, not JSON."""
    view.takes_file = True  # type: ignore[attr-defined]
    return view


def screen() -> None:
    """Refuse with 429, 413, 415 or 400 what should not reach an operation."""
    _slow_down()
    takes_a_file = getattr(current_app.view_functions[request.endpoint or ""], "takes_file", False)
    request.max_content_length = LARGEST_UPLOAD if takes_a_file else LARGEST_JSON
    if not takes_a_file:
        _check_json()
    elif request.mimetype != "multipart/form-data":
        raise WrongType("上传文件请发 multipart/form-data，文件放在 file 里。")


def _slow_down() -> None:
    calls = g.get("token_calls", 0)
    if calls > PER_MINUTE:
        wait = 60 - now().second
        raise TooMany(f"这个令牌一分钟内的请求超过 {PER_MINUTE} 次，请 {wait} 秒后再试。", retry_after=wait)


def _check_json() -> None:
    raw = request.get_data(cache=True)
    if not raw:
        return
    if not request.is_json:
        raise WrongType("请求内容请用 JSON，并写明 Content-Type: application/json。")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise BadRequest("请求内容不是合法的 JSON，没有办理。", code="bad_json") from None
    if not isinstance(value, dict):
        raise BadRequest("JSON 的最外层应是一个对象。", code="bad_json")
    _keepable(value, 1)


def _keepable(value: Any, depth: int) -> None:
    """Refuse what the database can't hold or nobody can mean: NUL characters, infinite numbers, endless nesting."""
    if depth > DEEPEST:
        raise BadRequest(f"JSON 嵌套超过 {DEEPEST} 层。", code="bad_json")
    if isinstance(value, str) and "\0" in value:
        raise Invalid("请求里有不能保存的字符（\\u0000），请去掉。")
    if isinstance(value, float) and not isfinite(value):
        raise Invalid("请求里有超出范围的数字。")
    if isinstance(value, dict):
        for key, item in value.items():
            _keepable(key, depth)
            _keepable(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _keepable(item, depth + 1)


def sign(response: Response) -> Response:
    """Number every answer below /api and say how much the token may still ask in this minute."""
    if below_api():
        response.headers["X-Request-Id"] = request_id()
        if "token_calls" in g:
            response.headers["X-RateLimit-Limit"] = str(PER_MINUTE)
            response.headers["X-RateLimit-Remaining"] = str(max(0, PER_MINUTE - g.token_calls))
    return response
