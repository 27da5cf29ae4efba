"""What is masked on a case, in full, for a reason that goes on record."""
from __future__ import annotations

from uuid import UUID

from flask import Response, request
from pydantic import Field

from engine.runtime.reveal import reveal_case
from engine.web.api.topic import ErrorAnswer, Sent, Told, make_topic, tell
from engine.web.context import actor, application, now

topic = make_topic("reveal", "揭示", "写明理由查看遮掩的证件号码、电话，每次都记录在案")


class CasePath(Sent):
    case_id: UUID = Field(description="案件编号")


class RevealSent(Sent):
    """为什么要看"""

    reason: str = Field(min_length=2, max_length=500, description="理由，记录在案")


class TextTold(Told):
    """一处全文"""

    place: str = Field(description="在哪里")
    text: str


class RevealTold(Told):
    """全部"""

    items: list[TextTold]


@topic.post("/cases/<case_id>/reveal", responses={200: RevealTold, 403: ErrorAnswer})
def reveal(path: CasePath, body: RevealSent) -> Response:
    """查看遮掩的内容"""
    shown = reveal_case(application(), actor=actor(), case_id=path.case_id, reason=body.reason, at=now(), network=request.remote_addr or "")
    return tell(RevealTold(items=[TextTold(place=one.place, text=one.text) for one in shown]))
