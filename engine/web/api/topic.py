"""What every topic of the API is made of: its blueprint, common fields, answers, paging, and acts that happen once."""
from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

from flask import Response
from flask_openapi3 import APIBlueprint
from flask_openapi3.models import Tag
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from sqlalchemy.exc import IntegrityError

from engine.kernel.clock import SHANGHAI
from engine.runtime.work import ActResult
from engine.web.context import actor, application, now

TEXT_MOST = 4000
Instant = Annotated[
    datetime,
    PlainSerializer(lambda at: at.astimezone(SHANGHAI).isoformat(timespec="milliseconds"), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]

_schemas: dict[Any, dict[str, Any]] = {}
Truth = Annotated[bool, BeforeValidator(bool)]  # SQL's unknown is false


class Told(BaseModel):
    """An answer; it is made of rows of the read-models, what it doesn't name is left out."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")


class Asked(BaseModel):
    """Part of a request. flask-openapi3 looks into its schema at every request, so each schema is made once."""

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        key = (cls, args, tuple(sorted(options.items())))
        if key not in _schemas:
            _schemas[key] = super().model_json_schema(*args, **options)
        return _schemas[key]


class Sent(Asked):
    """A request; it may hold nothing that it doesn't name."""

    model_config = ConfigDict(extra="forbid")


def with_example(example: Any) -> ConfigDict:
    """The configuration of a request that shows ``example`` in the document."""
    return cast(ConfigDict, {"extra": "forbid", "openapi_extra": {"example": example}})


class ErrorAnswer(BaseModel):
    """所有接口出错时都是这个样子：application/problem+json（RFC 9457）"""

    type: str = Field(description="错误的种类，URN，最后一段就是 code", json_schema_extra={"example": "urn:guicheng:problem:invalid"})
    title: str = Field(description="这一类错误的名称", json_schema_extra={"example": "内容有错"})
    status: int = Field(description="HTTP 状态码", json_schema_extra={"example": 422})
    detail: str = Field(description="这一次出了什么错、该怎么办", json_schema_extra={"example": "还有 1 处要改，改好就能提交"})
    instance: str = Field(description="请求的地址和编号（X-Request-Id）", json_schema_extra={"example": "/api/cases#01a1f988c57f"})
    code: str = Field(description="错误代码，不会改变，供程序判断", json_schema_extra={"example": "invalid"})
    fields: dict[str, str] | None = Field(default=None, description="哪一栏错、怎么改；多行表的路径写成 rows.0.name")
    findings: list[dict[str, Any]] | None = Field(default=None, description="内容文件不能部署时的问题清单")


class KeyHeader(Asked):
    """The header that makes an act happen once."""

    key: str = Field(
        alias="Idempotency-Key", min_length=8, max_length=128, pattern=r"^[\x21-\x7e]+$",
        description="这次请求的编号，由调用方起。同一个编号重发只办一次，返回第一次的结果；同一个编号换了内容返回 409。",
        json_schema_extra={"example": "order-20261120-0001"},
    )


class Paging(Sent):
    limit: int = Field(default=20, ge=1, le=100, description="一页最多几条")
    cursor: str | None = Field(default=None, max_length=2000, description="上一页给的 next；第一页不填")


class NextTask(Told):
    """办完以后等谁办"""

    id: UUID = Field(description="任务编号")
    title: str = Field(description="步骤名称")
    role_title: str = Field(description="由哪个角色办")
    people: list[str] = Field(description="能办的人")
    mine: bool = Field(description="令牌的主人自己能不能办")


class ActDone(Told):
    """一次办理的结果"""

    act_id: UUID = Field(description="办理编号，撤回时用")
    case_id: UUID = Field(description="案件编号")
    instance_id: UUID | None = Field(description="流程实例编号")
    next_tasks: list[NextTask] = Field(description="新开的任务")
    completed: bool = Field(description="这个流程实例是否办完")
    replayed: bool = Field(description="true 表示这个 Idempotency-Key 以前办过，这次没有再办")


def make_topic(name: str, title: str, description: str) -> APIBlueprint:
    """The blueprint of one topic; ``title`` groups its operations in the document."""
    return APIBlueprint(
        name, __name__, abp_tags=[Tag(name=title, description=description)], abp_security=[{"token": []}],
        abp_responses=dict.fromkeys((401, 404, 422, 429), ErrorAnswer), operation_id_callback=_operation_id,
    )


def _operation_id(*, bp_name: str, name: str, path: str, method: str) -> str:
    return f"{bp_name}_{name}"


def tell(answer: BaseModel, status: int = 200) -> Response:
    """``answer`` as JSON."""
    return Response(answer.model_dump_json(by_alias=True), status, mimetype="application/json")


def once(header: KeyHeader, verb: Callable[..., ActResult], **arguments: Any) -> ActResult:
    """Do ``verb`` as the token's holder under the caller's key; of two requests at the same moment the later gets the earlier's result."""
    values = {"actor": actor(), "key": f"api:{actor().account_id}:{header.key}", "at": now(), **arguments}
    return retrying(lambda: verb(application(), **values))


def retrying(act: Callable[[], Any]) -> Any:
    """``act()``, once more when another request with the same key was committed while it ran."""
    try:
        return act()
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", "") != "uq_act_key":
            raise
        return act()


def done(result: ActResult, status: int = 200) -> Response:
    """What an act led to."""
    return tell(ActDone.model_validate(result), status)
