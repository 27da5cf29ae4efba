"""What is done with a task: complete, return, claim, release, transfer; and taking an act back. Each once per Idempotency-Key."""
from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from engine.runtime.claim_task import claim_task, release_task
from engine.runtime.complete_task import complete_task
from engine.runtime.queries import tasks
from engine.runtime.return_task import return_task
from engine.runtime.transfer_task import transfer_task
from engine.runtime.withdraw_act import withdraw_act
from engine.web.api.tasks import TaskPath
from engine.web.api.topic import TEXT_MOST, ActDone, ErrorAnswer, KeyHeader, Sent, done, make_topic, once, with_example
from engine.web.context import actor, reading

topic = make_topic("acts", "办理", "提交、退回、认领、放回、转办、撤回。每个请求带 Idempotency-Key，重发不会办两次")
ANSWERS: dict[Any, Any] = {200: ActDone, 400: ErrorAnswer, 403: ErrorAnswer, 409: ErrorAnswer}


class Completion(Sent):
    """提交这一步"""

    outcome: str = Field(default="submit", max_length=100, description="按哪个按钮，见任务的 outcomes")
    data: dict[str, Any] = Field(default_factory=dict, description="各栏的内容；退回类的按钮不用填表")
    opinion: str = Field(default="", max_length=TEXT_MOST, description="意见")
    form_hash: str | None = Field(default=None, max_length=64, description="读任务时的表单版本；表单换了版本返回 409")

    model_config = with_example({"outcome": "approve", "data": {}, "opinion": "事实清楚，同意。"})


class ReturnSent(Sent):
    """退回"""

    to_node: str = Field(max_length=200, description="退回到哪一步，见任务的 return_targets")
    opinion: str = Field(max_length=TEXT_MOST, description="要补正什么")
    then: Literal["again", "straight"] | None = Field(
        default=None, description="补正以后怎么走：again 每一步重走，straight 直接送回退回的人；不填按流程的规定，可选的见 return_targets 的 ways",
    )


class TransferSent(Sent):
    """转办"""

    to_person_id: UUID = Field(description="转给谁，见 /api/people")
    reason: str = Field(max_length=TEXT_MOST, description="为什么转")


class ActPath(BaseModel):
    act_id: UUID = Field(description="办理编号")


def seen(path: Any) -> UUID:
    """The task's id, when its case may be seen at all."""
    with reading() as connection:
        tasks.place(connection, actor=actor(), task_id=path.task_id)
    id: UUID = path.task_id
    return id


@topic.post("/tasks/<task_id>/complete", responses=ANSWERS)
def complete(path: TaskPath, header: KeyHeader, body: Completion) -> Response:
    """办理一项任务

    内容按表单检查，错的逐栏返回（422，fields）。别人已经办了返回 409 already_done，什么也不改。
    """
    asked = {"data": body.data, "outcome": body.outcome, "opinion": body.opinion, "form_hash": body.form_hash}
    return done(once(header, complete_task, task_id=seen(path), **asked))


@topic.post("/tasks/<task_id>/return", responses=ANSWERS)
def give_back(path: TaskPath, header: KeyHeader, body: ReturnSent) -> Response:
    """退回到前面的一步"""
    return done(once(header, return_task, task_id=seen(path), to_node=body.to_node, opinion=body.opinion, then=body.then))


@topic.post("/tasks/<task_id>/claim", responses=ANSWERS)
def claim(path: TaskPath, header: KeyHeader) -> Response:
    """认领"""
    return done(once(header, claim_task, task_id=seen(path)))


@topic.post("/tasks/<task_id>/release", responses=ANSWERS)
def release(path: TaskPath, header: KeyHeader) -> Response:
    """放回待认领"""
    return done(once(header, release_task, task_id=seen(path)))


@topic.post("/tasks/<task_id>/transfer", responses=ANSWERS)
def transfer(path: TaskPath, header: KeyHeader, body: TransferSent) -> Response:
    """转办给同事"""
    return done(once(header, transfer_task, task_id=seen(path), to_person_id=body.to_person_id, reason=body.reason))


@topic.post("/acts/<act_id>/withdraw", responses=ANSWERS)
def withdraw(path: ActPath, header: KeyHeader) -> Response:
    """撤回自己刚办的一步

    后面有人接着办了、已经编号用印的，不能撤回，返回 409。
    """
    return done(once(header, withdraw_act, act_id=path.act_id))
