"""更正已经提交的内容：流程允许的步骤，办完以后还能改或者删除填的内容。"""
from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from engine.runtime.correct_submission import LONGEST_REASON, correct_submission
from engine.web.api.topic import ActDone, ErrorAnswer, KeyHeader, Sent, done, make_topic, once

topic = make_topic("corrections", "更正", "提交以后更正填的内容，流程怎样走的不变。每个请求带 Idempotency-Key，重发不会办两次")
ANSWERS: dict[Any, Any] = {200: ActDone, 400: ErrorAnswer, 403: ErrorAnswer, 404: ErrorAnswer, 409: ErrorAnswer}


class SubmissionPath(BaseModel):
    submission_id: UUID = Field(description="填报编号，见案件的填报")


class CorrectSent(Sent):
    """更正"""

    data: dict[str, Any] = Field(description="可以更正的各栏现在应该是什么；没有写的栏目视为清空")
    reason: str = Field(min_length=1, max_length=LONGEST_REASON, description="为什么更正")


class TakeOutSent(Sent):
    """删除"""

    reason: str = Field(min_length=1, max_length=LONGEST_REASON, description="为什么删除")


@topic.post("/submissions/<submission_id>/correct", responses=ANSWERS)
def correct(path: SubmissionPath, header: KeyHeader, body: CorrectSent) -> Response:
    """更正一份填报

    只有流程写明可以更正的栏目能改，结论和流程不变；旧的一份留着，不再算数。
    """
    return done(once(header, correct_submission, submission_id=path.submission_id, data=body.data, reason=body.reason))


@topic.post("/submissions/<submission_id>/take-out", responses=ANSWERS)
def take_out(path: SubmissionPath, header: KeyHeader, body: TakeOutSent) -> Response:
    """删除一份填报里可以更正的内容"""
    return done(once(header, correct_submission, submission_id=path.submission_id, data=None, reason=body.reason))
