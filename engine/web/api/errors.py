"""Every error below /api in one shape, ``application/problem+json`` (RFC 9457).

``type`` (a URN that ends in the code), ``title`` (what kind of trouble), ``status``, ``detail`` (what happened and what to do), ``instance`` (the
address asked and the number of the request), and of ours ``code``, ``fields`` and ``findings``.
"""
from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from flask import Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from engine.kernel.errors import DeployRefused, GuichengError, Invalid
from engine.kernel.ids import new_id

ROOT = "/api/"
MEDIA_TYPE, TYPE = "application/problem+json", "urn:guicheng:problem:"
TITLES = {
    400: "请求读不懂", 401: "令牌不能用", 403: "不能这样做", 404: "没有找到", 405: "方法不对", 409: "情况已经变了", 413: "内容太大", 415: "内容类型不对", 422: "内容有错",
    429: "请求太频繁", 500: "系统内部出错", 503: "外部系统没有应答",
}
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")
HTTP: dict[int, tuple[str, str]] = {
    400: ("bad_request", "请求不完整，没有办理。请对照接口文档检查后重发。"),
    404: ("no_such_route", "没有这个接口，请对照 /api/openapi.json 检查地址。"),
    405: ("method_not_allowed", "这个接口不支持这种请求方法，支持哪些见响应头 Allow。"),
    413: ("too_large", "请求超过大小上限，没有办理。长文字请改成附件，附件请压缩或拆开。"),
    415: ("unsupported_media_type", "请求内容的类型不对：请发 application/json；上传文件发 multipart/form-data。"),
}
WORDS = {
    "key_reused": "这个 Idempotency-Key 已经用在另一个请求上，这次没有办理。重发同一个请求用原来的值，新的请求换一个值。",
    "stale_revision": "内容已经有了更新的版本，这次没有保存。请重新读取，合并后再发。",
}


class TooMany(GuichengError):
    """One token asks more often than it may."""

    status = 429
    code = "too_many_requests"


class BadRequest(GuichengError):
    """The request itself can't be read; nothing of it was judged."""

    status = 400
    code = "bad_request"


class WrongType(GuichengError):
    status = 415
    code = "unsupported_media_type"


def below_api() -> bool:
    """True when this request is addressed to the API, whether or not a route is there."""
    return request.path.startswith(ROOT)


def request_id() -> str:
    """The number of this request: the caller's own when it is a plain one, else a new one."""
    if "request_id" not in g:
        sent = request.headers.get("X-Request-Id", "")
        g.request_id = sent if REQUEST_ID.match(sent) else new_id().hex
    return str(g.request_id)


def of_guicheng(error: GuichengError) -> Response:
    """The answer to an error of ours."""
    answer = _answer(error.status, error.code, WORDS.get(error.code, error.message), fields=getattr(error, "fields", None) if isinstance(error, Invalid) else None,
                     findings=error.findings if isinstance(error, DeployRefused) else None)
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if "retry_after" in error.details:
        answer.headers["Retry-After"] = str(error.details["retry_after"])
    return answer


def of_http(error: HTTPException) -> Response:
    """The answer to what Flask itself refuses."""
    status = error.code or 500
    answer = _answer(status, *HTTP.get(status, HTTP[400]))
    for name, value in error.get_headers(request.environ):
        if name in ("Allow", "Retry-After"):
            answer.headers[name] = value
    return answer


def of_bug(message: str) -> Response:
    """The answer to a fault of ours; the log has it under the request's number."""
    return _answer(500, "internal", message)


def _answer(status: int, code: str, message: str, *, fields: dict[str, str] | None = None, findings: list[dict[str, Any]] | None = None) -> Response:
    body: dict[str, Any] = {
        "type": f"{TYPE}{code}", "title": TITLES.get(status, TITLES[400]), "status": status, "detail": message,
        "instance": f"{quote(request.path)}#{request_id()}", "code": code,
    }
    if fields:
        body["fields"] = fields
    if findings:
        body["findings"] = findings
    answer = jsonify(body)
    answer.status_code, answer.mimetype = status, MEDIA_TYPE
    return answer
