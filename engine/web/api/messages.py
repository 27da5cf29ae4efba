"""Messages from other systems: to the process that begins with one, to the instance that waits for one, or kept until somebody waits."""
from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from flask import Response
from pydantic import BaseModel, ConfigDict, Field, RootModel

from engine.access import audit
from engine.kernel.errors import Conflict, NotFound
from engine.packs.library import Library
from engine.runtime.answers import form_of
from engine.runtime.bundles import bundle_for
from engine.runtime.deliver_message import Delivery, deliver_message
from engine.runtime.queries import messages
from engine.runtime.start_on_message import MessageStart, find_message_start
from engine.web.api.forms import FormTold, form_told
from engine.web.api.topic import ErrorAnswer, KeyHeader, Sent, Told, make_topic, retrying, tell
from engine.web.context import actor, application, now, reading, writing

topic = make_topic("messages", "消息", "外部系统推来的消息，例如案源系统推来的线索。令牌主人要有“外部系统”权限")
RIGHT = "messages"
EXAMPLE = cast(ConfigDict, {"openapi_extra": {"example": {
    "source": "complaint", "source_system": "投诉举报平台", "external_id": "TS202611200001", "unit_code": "station_one", "received_on": "2026-11-19",
    "title": "反映一家面包店销售超过保质期的蛋糕", "content": "反映人称在店内购得蛋糕一盒，包装上标注的保质期已过三天。",
}}})


class MessagePath(BaseModel):
    name: str = Field(max_length=100, description="消息名", json_schema_extra={"example": "clue_received"})


class MessageQuery(Sent):
    correlation: str = Field(default="", max_length=200, description="给哪一个在等的流程；开立案件的消息不填")


class Message(RootModel[dict[str, Any]]):
    """消息本身，一个 JSON 对象；开立案件的消息按它的表单检查"""

    model_config = EXAMPLE


class MessageTold(Told):
    """可以推的一种消息"""

    name: str
    title: str = Field(description="图上的名称")
    process: str = Field(description="哪个流程收")
    starts_case: bool = Field(description="true 表示收到就开立一件案件")
    form: FormTold | None = Field(description="内容要符合的表单；没有规定为 null")


class MessagesTold(Told):
    """可以推的全部消息"""

    items: list[MessageTold]


class DeliveryTold(Told):
    """消息收下了"""

    message_id: UUID
    status: str = Field(description="delivered 已送到，waiting 还没有流程在等、留 30 天")
    instance_id: UUID | None = Field(description="送到了哪个流程实例")
    case_id: UUID | None = Field(description="它的案件")


@topic.get("/messages", responses={200: MessagesTold, 403: ErrorAnswer})
def listed() -> Response:
    """可以推的消息"""
    actor().require(RIGHT)
    found = [_told(name, node) for name, node in messages.known(application().library).items()]
    return tell(MessagesTold(items=found))


def _told(name: str, node: messages.Known) -> MessageTold:
    start = find_message_start(application(), name)
    return MessageTold(name=name, title=node.title, process=node.process, starts_case=start is not None, form=_form(start) if start else None)


def _form(start: MessageStart) -> FormTold | None:
    if start.form is None:
        return None
    with writing() as connection:
        pinned = bundle_for(application(), connection, process=start.process, at=now())
    return form_told(form_of(application(), pinned, start.form), {})


@topic.post("/messages/<name>", responses={202: DeliveryTold, 400: ErrorAnswer, 403: ErrorAnswer, 409: ErrorAnswer})
def receive(path: MessagePath, header: KeyHeader, query: MessageQuery, body: Message) -> Response:
    """推一条消息

    同一个 Idempotency-Key 重发，只收一次，返回同样的结果，换谁的令牌重发都一样。案源系统推线索用 clue:来源:线索编号 作编号。
    """
    actor().require(RIGHT)
    _require_known(application().library, path.name)
    key = f"message:{path.name}:{header.key}"
    with reading() as connection:
        if messages.differs(connection, key=key, correlation=query.correlation, payload=body.root):
            raise Conflict("", code="key_reused")
    delivered = retrying(lambda: deliver_message(application(), name=path.name, correlation=query.correlation, payload=body.root, key=key, at=now()))
    with writing() as connection:
        case_id = messages.case_of(connection, delivered.instance_id)
        _note(connection, path.name, header.key, delivered, case_id)
    return tell(DeliveryTold.model_validate({**vars(delivered), "case_id": case_id}), 202)


def _require_known(library: Library, name: str) -> None:
    if name in messages.known(library):
        return
    with reading() as connection:
        if not messages.awaited(connection, name):
            raise NotFound(f"没有流程收“{name}”这种消息，能收的见 /api/messages。")


def _note(connection: Any, name: str, key: str, delivered: Delivery, case_id: UUID | None) -> None:
    """Who pushed it: the act itself is the system's."""
    audit.append(
        connection, chain=audit.chain_of(actor()), at=now(), actor_id=actor().person_id, actor_name=actor().name, action="message.receive",
        object=str(delivered.message_id), case_id=case_id, detail={"name": name, "key": key, "status": delivered.status},
    )
