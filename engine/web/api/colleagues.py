"""What colleagues do together on a step or a case: 委派, 加签, 减签, 意见, 催办, 抄送, 留言. Each once per Idempotency-Key."""
from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from engine.runtime.add_signer import add_signer
from engine.runtime.cc_case import MOST, cc_case
from engine.runtime.comment_case import LONGEST, comment_case
from engine.runtime.delegate_task import delegate_task
from engine.runtime.give_opinion import give_opinion
from engine.runtime.remove_signer import remove_signer, take_back_submission
from engine.runtime.urge_task import urge_task
from engine.web.api.cases import CasePath
from engine.web.api.task_acts import seen
from engine.web.api.tasks import TaskPath
from engine.web.api.topic import TEXT_MOST, ActDone, ErrorAnswer, KeyHeader, Sent, done, make_topic, once, with_example

topic = make_topic("colleagues", "协同", "委派、加签、减签、给意见、催办、抄送、留言。每个请求带 Idempotency-Key，重发不会办两次")
ANSWERS: dict[Any, Any] = {200: ActDone, 400: ErrorAnswer, 403: ErrorAnswer, 409: ErrorAnswer}
WORDS = Field(default="", max_length=TEXT_MOST, description="想说的话")


class DelegateSent(Sent):
    """委派"""

    to_person_id: UUID = Field(description="请谁给意见，见 /api/people")
    words: str = WORDS


class SignersSent(Sent):
    """加签"""

    when: Literal["before", "after"] = Field(description="before 意见到齐再办，after 提交以后他们都同意才生效")
    people: list[UUID] = Field(min_length=1, max_length=20, description="征求谁，见 /api/people")
    words: str = WORDS


class RemoveSent(Sent):
    """减签"""

    reason: str = Field(default="", max_length=TEXT_MOST, description="为什么不用他了")


class OpinionSent(Sent):
    """给意见"""

    stance: Literal["agree", "disagree"] = Field(description="agree 同意，disagree 不同意")
    opinion: str = Field(default="", max_length=TEXT_MOST, description="意见；提交后征得同意的，同意时可以不写")

    model_config = with_example({"stance": "agree", "opinion": "事实清楚，同意。"})


class UrgeSent(Sent):
    """催办"""

    words: str = WORDS


class CopySent(Sent):
    """抄送"""

    people: list[UUID] = Field(min_length=1, max_length=MOST, description="抄送给谁，见 /api/people")
    words: str = WORDS


class CommentSent(Sent):
    """留言"""

    text: str = Field(min_length=1, max_length=LONGEST, description="说什么；办理人和承办人会收到通知")


class SignerPath(BaseModel):
    task_id: UUID = Field(description="任务编号")
    person_id: UUID = Field(description="不用再给意见的人")


@topic.post("/tasks/<task_id>/delegate", responses=ANSWERS)
def delegate(path: TaskPath, header: KeyHeader, body: DelegateSent) -> Response:
    """委派一位同事给意见

    任务还在自己手里，意见到了才能办。
    """
    return done(once(header, delegate_task, task_id=seen(path), to_person_id=body.to_person_id, words=body.words))


@topic.post("/tasks/<task_id>/signers", responses=ANSWERS)
def sign(path: TaskPath, header: KeyHeader, body: SignersSent) -> Response:
    """加签：办之前听意见，或者提交后要他们同意"""
    return done(once(header, add_signer, task_id=seen(path), when=body.when, people=body.people, words=body.words))


@topic.post("/tasks/<task_id>/signers/<person_id>/remove", responses=ANSWERS)
def remove(path: SignerPath, header: KeyHeader, body: RemoveSent) -> Response:
    """减签：不再征求他的意见"""
    return done(once(header, remove_signer, task_id=seen(path), person_id=path.person_id, reason=body.reason))


@topic.post("/tasks/<task_id>/unhold", responses=ANSWERS)
def unhold(path: TaskPath, header: KeyHeader) -> Response:
    """收回提交：还在等人同意的提交变回草稿"""
    return done(once(header, take_back_submission, task_id=seen(path)))


@topic.post("/tasks/<task_id>/opinion", responses=ANSWERS)
def opinion(path: TaskPath, header: KeyHeader, body: OpinionSent) -> Response:
    """给出别人征求的意见

    后加签的最后一人同意时，对方的提交在同一次里生效。
    """
    return done(once(header, give_opinion, task_id=seen(path), stance=body.stance, opinion=body.opinion))


@topic.post("/tasks/<task_id>/urge", responses=ANSWERS)
def urge(path: TaskPath, header: KeyHeader, body: UrgeSent) -> Response:
    """催办；两小时内不能再催"""
    return done(once(header, urge_task, task_id=seen(path), words=body.words))


@topic.post("/cases/<case_id>/copies", responses=ANSWERS)
def copy(path: CasePath, header: KeyHeader, body: CopySent) -> Response:
    """抄送；收到的人从此看得到这个案件"""
    return done(once(header, cc_case, case_id=path.case_id, people=body.people, words=body.words))


@topic.post("/cases/<case_id>/comments", responses=ANSWERS)
def comment(path: CasePath, header: KeyHeader, body: CommentSent) -> Response:
    """留言"""
    return done(once(header, comment_case, case_id=path.case_id, text=body.text))
