"""Notices of the token's holder."""
from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import Response
from pydantic import Field

from engine.access import notices
from engine.web.api.cursors import give_key, take_key
from engine.web.api.topic import Instant, Paging, Sent, Told, make_topic, tell
from engine.web.context import actor, now, reading, writing

topic = make_topic("notices", "通知", "新任务、退回、催办等通知")


class NoticeQuery(Paging):
    unread: bool = Field(default=False, description="true 只要没读过的")


class NoticeTold(Told):
    """一条通知"""

    id: UUID
    kind: str = Field(description="task 任务，due 期限，incident 异常，system 系统……")
    text: str
    case_id: UUID | None
    task_id: UUID | None
    at: Instant
    read_at: Instant | None


class NoticePage(Told):
    """通知的一页，新的在前"""

    items: list[NoticeTold]
    unread: int = Field(description="没读过的几条，最多数到 100")
    next: str | None = Field(description="下一页的 cursor；没有下一页为 null")


class ReadSent(Sent):
    """标为已读"""

    ids: list[UUID] | None = Field(default=None, max_length=500, description="哪些；不写是全部")


class ReadDone(Told):
    """标好了"""

    changed: int = Field(description="几条变成已读")


@topic.get("/notices", responses={200: NoticePage})
def listed(query: NoticeQuery) -> Response:
    """通知列表"""
    key = take_key(query.cursor, length=2)
    before = (datetime.fromisoformat(key[0]), UUID(key[1])) if key else None
    with reading() as connection:
        rows = notices.list_notices(connection, person_id=actor().person_id, unread_only=query.unread, before=before, limit=query.limit + 1)
        unread = notices.count_unread(connection, person_id=actor().person_id)
    shown = rows[: query.limit]
    following = give_key((shown[-1].at.isoformat(), shown[-1].id)) if len(rows) > query.limit else None
    return tell(NoticePage(items=[NoticeTold.model_validate(row) for row in shown], unread=unread, next=following))


@topic.post("/notices/read", responses={200: ReadDone})
def mark(body: ReadSent) -> Response:
    """标为已读"""
    with writing() as connection:
        changed = notices.mark_read(connection, person_id=actor().person_id, at=now(), ids=body.ids)
    return tell(ReadDone(changed=changed))
