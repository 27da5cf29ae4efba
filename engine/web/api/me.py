"""Who a token stands for, and what they did."""
from __future__ import annotations

from typing import Literal
from uuid import UUID

from flask import Response
from pydantic import Field

from engine.runtime.queries import desk
from engine.web.api.cursors import give, take
from engine.web.api.screen import PER_MINUTE
from engine.web.api.topic import Instant, Paging, Told, make_topic, tell
from engine.web.context import actor, reading

topic = make_topic("me", "自己", "令牌代表谁，他发起过、办过什么")


class MeTold(Told):
    """令牌代表的人"""

    person_id: UUID
    name: str
    post_code: str
    post_title: str = Field(description="岗位")
    unit_id: UUID
    unit_name: str = Field(description="单位")
    rights: list[str] = Field(description="管理权限")
    requests_per_minute: int = Field(description="这个令牌一分钟最多几次请求")


class PastQuery(Paging):
    which: Literal["started", "done"] = Field(default="done", description="started 我发起的，done 我办过的")


class PastTold(Told):
    """办过的一次"""

    act_id: UUID
    case_id: UUID
    number: str | None
    title: str = Field(description="案件名称")
    subject: str = Field(description="当事人")
    act: str = Field(description="办了什么")
    opinion: str
    at: Instant
    undone: bool = Field(description="是不是已经撤回")
    state: str = Field(description="案件现在的状态")
    closed: bool
    step: str = Field(description="现在办到哪一步")
    holder: str = Field(description="在谁手里")


class PastPage(Told):
    """一页，新的在前"""

    items: list[PastTold]
    total: int
    next: str | None = Field(description="下一页的 cursor；没有下一页为 null")


@topic.get("/me", responses={200: MeTold})
def who() -> Response:
    """令牌代表谁"""
    values = {**vars(actor()), "rights": sorted(actor().rights), "requests_per_minute": PER_MINUTE}
    return tell(MeTold.model_validate(values))


@topic.get("/me/acts", responses={200: PastPage})
def acts(query: PastQuery) -> Response:
    """我发起的、我办过的"""
    read = desk.started if query.which == "started" else desk.done
    with reading() as connection:
        page = read(connection, actor=actor(), size=query.limit, after=take(query.cursor))
    return tell(PastPage(items=[PastTold.model_validate(row) for row in page.rows], total=page.total, next=give(page.next)))
