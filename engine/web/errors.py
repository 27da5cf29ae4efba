"""One shape for every error: a page for people, ``{"error": {code, message, …}}`` for scripts of our pages, problem+json for programs."""
from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from engine.kernel.errors import DeployRefused, GuichengError, Invalid
from engine.kernel.ids import new_id
from engine.web.api import errors as api
from engine.web.guard import LoginRequired, wants_page
from engine.web.refusals import note_refusal

log = structlog.get_logger(__name__)
TITLES = {
    401: "请重新登录", 403: "不能这样做", 404: "没有找到", 405: "不能这样打开", 409: "没有办成", 413: "文件太大", 422: "还有要改的地方", 429: "请稍等", 503: "暂时办不了",
}
BY_CODE = {"already_done": "别人先办了", "stale_revision": "内容已经变了", "suspended": "已暂停办理", "key_reused": "重复提交"}
PLAIN = {
    400: "请求不完整，没有提交任何内容。请回到上一页重试。",
    404: "没有这个页面，或者您无权查看。请检查地址，或用上面的搜索找。",
    405: "这个地址不能直接打开，请从页面上的按钮进入。没有提交任何内容。",
    413: "提交的内容超过上限，没有提交。请减少附件或压缩后再试，已填的内容还在上一页。",
    415: "提交的内容格式不对，没有提交。",
    429: "提交太频繁，请稍等再试。",
}
BROKEN = "系统内部出了问题，这一步没有办成，数据没有改动。已填的内容保存在草稿里，请稍后重试；多次不行请把下面的编号告诉管理员。"

BROKEN_API = "系统内部出了问题，这次没有办成，数据没有改动。请稍后用同一个 Idempotency-Key 重发；多次不行请把响应头 X-Request-Id 告诉管理员。"

LOST = "与数据库的连接断了一下，已经自动重连，这一次没有办成。请再按一次：同一次提交不会办两遍，已填的内容还在上一页。"


class Interrupted(GuichengError):
    """The database went away in the middle of a request; what was begun is undone there."""

    status = 503
    code = "interrupted"


def install(app: Flask) -> None:
    app.register_error_handler(GuichengError, on_guicheng)
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(Exception, on_bug)


def shape(error: GuichengError) -> dict[str, Any]:
    """What a program reads of an error."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if isinstance(error, Invalid) and error.fields:
        body["fields"] = error.fields
    if isinstance(error, DeployRefused):
        body["findings"] = error.findings
    details = {name: value for name, value in error.details.items() if isinstance(value, str | int | bool | list)}
    return {"error": {**body, **details}}


def on_guicheng(error: GuichengError) -> ResponseReturnValue:
    note_refusal(error.status, error.code)
    if api.below_api():
        return api.of_guicheng(error)
    if not wants_page():
        return jsonify(shape(error)), error.status
    return _page(error.status, error.message, code=error.code, login=isinstance(error, LoginRequired), error=error)


def on_http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status in (301, 302, 303, 304, 307, 308):
        return error
    note_refusal(status, f"http_{status}")
    if api.below_api():
        return api.of_http(error)
    message = PLAIN.get(status, PLAIN[400])
    if not wants_page():
        return jsonify({"error": {"code": f"http_{status}", "message": message}}), status
    return _page(status, message)


def on_bug(error: Exception) -> ResponseReturnValue:
    """Anything else is ours: the log gets it, the reader gets what happened to the work and a number to quote."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return on_guicheng(Interrupted(LOST))
    number = api.request_id() if api.below_api() else new_id().hex[-12:]
    log.error("unhandled", number=number, path=request.path, method=request.method, exc_info=error)
    if api.below_api():
        return api.of_bug(BROKEN_API)
    if not wants_page():
        return jsonify({"error": {"code": "internal", "message": BROKEN, "number": number}}), 500
    return _page(500, BROKEN, number=number)


def _page(status: int, message: str, **more: Any) -> ResponseReturnValue:
    heading = BY_CODE.get(more.get("code", "")) or TITLES.get(status, "出了问题")
    return render_template("shell/problem.html", status=status, heading=heading, message=message, **more), status
