"""批量办理、批量退回: one request, one result per item; what can't be done doesn't hold the rest."""
from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from engine.kernel.errors import Invalid
from engine.runtime.act_on_many import MOST, Item, batch_complete, batch_return
from engine.web.api.topic import TEXT_MOST, ActDone, ErrorAnswer, KeyHeader, Sent, Told, make_topic, tell
from engine.web.context import actor, application, now

topic = make_topic("many", "批量", "一次办好、退回多项任务，逐项给结果。每项各是一次办理，一项不成不影响别的")
ANSWERS: dict[Any, Any] = {400: ErrorAnswer}


class CompleteItem(BaseModel):
    task_id: UUID = Field(description="任务编号")
    outcome: str = Field(default="submit", max_length=100, description="按哪个按钮")
    opinion: str = Field(default="", max_length=TEXT_MOST, description="意见")
    data: dict[str, Any] = Field(default_factory=dict, description="各栏的内容")


class ReturnItem(BaseModel):
    task_id: UUID = Field(description="任务编号")
    to_node: str | None = Field(default=None, max_length=200, description="退回到哪一步；不填为前一步")
    opinion: str = Field(max_length=TEXT_MOST, description="要补正什么")
    then: Literal["again", "straight"] | None = Field(default=None, description="补正以后怎么走，同单项退回")


class Completions(Sent):
    """批量办理"""

    items: list[CompleteItem] = Field(min_length=1, max_length=MOST, description="一次最多 200 项，不能重复")


class Returns(Sent):
    """批量退回"""

    items: list[ReturnItem] = Field(min_length=1, max_length=MOST, description="一次最多 200 项，不能重复")


class ItemTold(Told):
    """一项的结果"""

    task_id: UUID = Field(description="任务编号")
    title: str = Field(description="步骤名称")
    case_title: str = Field(description="案件名称")
    ok: bool = Field(description="办成没有；没办成的什么也没有改")
    code: str = Field(description="没办成的错误代码")
    message: str = Field(description="没办成的原因")
    result: ActDone | None = Field(description="办成的结果")


class ItemsTold(Told):
    """逐项的结果，次序同请求"""

    items: list[ItemTold]
    done: int = Field(description="办成几项")
    refused: int = Field(description="没办成几项")


@topic.post("/tasks/complete", responses={200: ItemsTold, **ANSWERS})
def complete(header: KeyHeader, body: Completions) -> Response:
    """批量办理"""
    items = [Item(task_id=one.task_id, key=_key(header, one.task_id), outcome=one.outcome, opinion=one.opinion, data=one.data) for one in body.items]
    return _do(batch_complete, items)


@topic.post("/tasks/return", responses={200: ItemsTold, **ANSWERS})
def give_back(header: KeyHeader, body: Returns) -> Response:
    """批量退回"""
    items = [Item(task_id=one.task_id, key=_key(header, one.task_id), opinion=one.opinion, to_node=one.to_node, then=one.then) for one in body.items]
    return _do(batch_return, items)


def _key(header: KeyHeader, task_id: UUID) -> str:
    return f"api:{actor().account_id}:{header.key}:{task_id}"


def _do(verb: Any, items: list[Item]) -> Response:
    if len({item.task_id for item in items}) < len(items):
        raise Invalid("同一项任务写了两次，没有办理。", fields={"items": "请去掉重复的任务。"})
    results = verb(application(), actor=actor(), items=items, at=now())
    told = [ItemTold.model_validate(one) for one in results]
    good = sum(one.ok for one in told)
    return tell(ItemsTold(items=told, done=good, refused=len(told) - good))
