"""The OpenAPI 3.1 document of everything below /api, made from the operations themselves."""
from __future__ import annotations

from typing import Any

import orjson
from flask import Response, current_app
from flask_openapi3.models import APISpec, Components, Info, Server

from engine.web.api.errors import MEDIA_TYPE
from engine.web.api.screen import DEEPEST, LARGEST_JSON, PER_MINUTE
from engine.web.api.topic import make_topic
from engine.web.context import application
from engine.web.guard import public

topic = make_topic("openapi", "文档", "这份文档")
VERSION = "1.0.0"
ABOUT = f"""规程的开放接口：页面上能办的，程序也能办。

- 令牌：在“我的—接口令牌”里生成，放在请求头 `Authorization: Bearer <令牌>`。令牌代表一个人的一个岗位，他看得到什么、能办什么，令牌就看得到什么、能办什么。
- 办一次：办理类请求都要带请求头 `Idempotency-Key`。重发同一个请求用同一个值，只办一次；换了内容返回 409 `key_reused`。
- 出错：都是 `application/problem+json`（RFC 9457）：`type`、`title`、`status`、`detail`（中文，说怎么办）、`instance`，另有 `code`、`fields`、`findings`；状态码照 HTTP。不是自己单位的编号和不存在的编号一样返回 404。
- 翻页：列表给 `next`，下一页带 `cursor=next`，原样传回。
- 上限：JSON 请求 {LARGEST_JSON // 2**20} MB、{DEEPEST} 层，文件 20 MB；每个令牌每分钟 {PER_MINUTE} 次，超过返回 429，`Retry-After` 说等几秒。
- 每个回答都有 `X-Request-Id`，可以自己带；报问题时请告诉管理员。
"""
TOKEN = {"type": "http", "scheme": "bearer", "description": "在“我的—接口令牌”里生成"}
JSON_DOCUMENT = {"content": {"application/json": {"schema": {"type": "object"}}}}


@topic.get("/openapi.json", security=[], responses={200: JSON_DOCUMENT})
@public
def document() -> Response:
    """接口文档（OpenAPI 3.1）

    不用令牌。
    """
    cache = application().cache
    if "openapi" not in cache:
        cache["openapi"] = orjson.dumps(made())
    return Response(cache["openapi"], mimetype="application/json")


def made() -> dict[str, Any]:
    """The document as plain values."""
    api = current_app.extensions["guicheng_api"]
    spec = APISpec(
        openapi="3.1.0", info=Info(title="规程开放接口", version=VERSION, description=ABOUT), servers=[Server(url=application().settings.public_url)],
        tags=api.tags, paths=api.paths, components=Components(schemas=api.components_schemas, securitySchemes={"token": TOKEN}),
    )
    found: dict[str, Any] = spec.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)
    operations = [operation for item in found["paths"].values() for operation in item.values()]
    for operation in operations:
        _finish(operation)
    return found


def _finish(operation: dict[str, Any]) -> None:
    """Chinese words for the answers; line breaks as Markdown has them; the public operation says that it needs no token."""
    operation["description"] = operation.get("description", "").removeprefix("<br/>").replace("<br/>", "\n").strip()
    if operation["operationId"] == "openapi_document":
        operation["security"] = []
        operation["responses"] = {code: answer for code, answer in operation["responses"].items() if code == "200"}
    for code, answer in operation["responses"].items():
        answer["description"] = WORDS.get(code, answer["description"])
        content = answer.get("content", {})
        if code >= "400" and "application/json" in content:
            answer["content"] = {MEDIA_TYPE: content["application/json"]}


WORDS = {
    "200": "成功", "201": "办成", "202": "收下", "204": "办成，没有内容", "400": "请求读不懂", "401": "没有令牌，或者令牌无效", "403": "看得到，但是不能办", "404": "没有，或者无权查看",
    "409": "别人先办了、版本旧了、编号用过了", "413": "太大", "415": "内容类型不对", "422": "内容有错，逐栏说明", "429": "太频繁",
}
