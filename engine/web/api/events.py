"""The event feed: everything done on visible cases, for systems that keep up."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from pydantic import Field

from engine.runtime.queries import events
from engine.web.api.cursors import give_key, take_key
from engine.web.api.topic import Instant, Sent, Told, make_topic, tell
from engine.web.context import actor, reading

topic = make_topic("events", "事件", "看得到的案件上发生了什么，按先后给，不漏不重")


class EventQuery(Sent):
    cursor: str | None = Field(default=None, max_length=2000, description="上一次给的 next；第一次不填，从头开始")
    limit: int = Field(default=100, ge=1, le=500, description="一次最多几条")
    kind: list[str] = Field(default_factory=list, max_length=20, description="只要这些种类，可以写几个", json_schema_extra={"example": ["act.complete"]})
    case_id: UUID | None = Field(default=None, description="只要这件案件的")


class EventTold(Told):
    """一件事"""

    id: UUID
    kind: str = Field(description="act.start 发起，act.complete 办理，act.return 退回，act.withdraw 撤回，act.claim 认领，act.release 放回，act.transfer 转办，"
                      "act.timer 到时，act.message 收到消息，act.service 自动步骤", json_schema_extra={"example": "act.complete"})
    case_id: UUID
    number: str | None = Field(description="案件文号")
    title: str = Field(description="案件名称")
    task_id: UUID | None
    payload: dict[str, Any] = Field(description="act 办理编号，node 步骤，outcome 按钮，opened 新开的任务，completed 流程是否办完")
    at: Instant


class EventPage(Told):
    """接下来的事，先发生的在前"""

    items: list[EventTold]
    next: str | None = Field(description="下次带上；没有新事时和带来的一样，可以一直用")


@topic.get("/events", responses={200: EventPage})
def feed(query: EventQuery) -> Response:
    """事件流

    从头读到没有新事（items 为空）以后，隔几秒带着 next 再来。事情办成约一秒后出现。
    """
    after = take_key(query.cursor, length=1)
    with reading() as connection:
        rows = events.feed(connection, actor=actor(), after=UUID(after[0]) if after else None, size=query.limit, kinds=query.kind, case_id=query.case_id)
    following = give_key([rows[-1]["id"]]) if rows else query.cursor
    return tell(EventPage(items=[EventTold.model_validate(row) for row in rows], next=following))
