"""委托代办 of one's own, and the hand-over of everything a leaver holds."""
from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from engine.kernel.errors import NotFound
from engine.runtime.away import Away, appoint_deputy, appointments, end_deputy
from engine.runtime.hand_over_all import HandedOver, hand_over_all, held_by, require_may_hand_over
from engine.web.api.topic import TEXT_MOST, ErrorAnswer, KeyHeader, Sent, Told, make_topic, tell
from engine.web.context import actor, application, now, reading, today

topic = make_topic("deputies", "代办与交接", "外出时委托同事代办，两个名字都留在记录里；离职、调离时把手里的都交给别人")
ANSWERS: dict[Any, Any] = {400: ErrorAnswer, 403: ErrorAnswer, 409: ErrorAnswer}


class DeputySent(Sent):
    """委托代办"""

    deputy_id: UUID = Field(description="委托给谁，见 /api/people")
    from_on: date = Field(description="从哪天起")
    until_on: date = Field(description="到哪天止，含这一天；最长一年")
    processes: list[str] = Field(default_factory=list, max_length=200, description="只委托这些流程；不填为全部")
    reason: str = Field(default="", max_length=TEXT_MOST, description="为什么")


class DeputyTold(Told):
    """一项委托"""

    id: UUID = Field(description="委托编号")
    person: str = Field(description="谁委托的")
    deputy: str = Field(description="委托给谁")
    from_on: date = Field(description="从哪天起")
    until_on: date = Field(description="到哪天止")
    processes: list[str] = Field(description="哪些流程；空为全部")
    reason: str = Field(description="为什么")
    state: str = Field(description="coming 还没开始，now 代办中，over 到期，ended 已收回")


class DeputiesTold(Told):
    """委托"""

    mine: list[DeputyTold] = Field(description="我委托别人的")
    given: list[DeputyTold] = Field(description="别人委托我的")


class DeputyPath(BaseModel):
    appointment_id: UUID = Field(description="委托编号")


class HandoverQuery(Sent):
    person_id: UUID = Field(description="交出的人")


class HeldTold(Told):
    """他手里有什么"""

    tasks: list[UUID] = Field(description="待办的任务")
    asked: list[UUID] = Field(description="等他给意见的任务")
    cases: list[UUID] = Field(description="他承办的案件")


class HandoverSent(Sent):
    """离职交接"""

    from_person_id: UUID = Field(description="交出的人")
    to_person_id: UUID = Field(description="接手的人")
    reason: str = Field(max_length=TEXT_MOST, description="为什么交接")


class HandoverTold(Told):
    """交接了几件"""

    tasks: int = Field(description="待办")
    asked: int = Field(description="征求的意见")
    cases: int = Field(description="承办的案件")
    refused: list[str] = Field(description="没有交接的，每件一句原因")


@topic.get("/deputies", responses={200: DeputiesTold})
def read() -> Response:
    """我的委托"""
    mine, given = _appointments()
    return tell(DeputiesTold(mine=[DeputyTold.model_validate(one) for one in mine], given=[DeputyTold.model_validate(one) for one in given]))


def _appointments() -> tuple[list[Away], list[Away]]:
    with reading() as connection:
        return appointments(connection, actor=actor(), today=today())


@topic.post("/deputies", responses={201: DeputyTold, **ANSWERS})
def appoint(header: KeyHeader, body: DeputySent) -> Response:
    """委托同事代办"""
    id = appoint_deputy(
        application(), actor=actor(), deputy_id=body.deputy_id, from_on=body.from_on, until_on=body.until_on, processes=body.processes, reason=body.reason,
        key=_key(header), at=now(),
    )
    return tell(_one(id), 201)


@topic.post("/deputies/<appointment_id>/end", responses={200: DeputyTold, **ANSWERS})
def end(path: DeputyPath, header: KeyHeader) -> Response:
    """收回委托，立刻生效"""
    end_deputy(application(), actor=actor(), appointment_id=path.appointment_id, at=now())
    return tell(_one(path.appointment_id))


def _one(id: UUID) -> DeputyTold:
    for found in _appointments()[0]:
        if found.id == id:
            return DeputyTold.model_validate(found)
    raise NotFound("没有这项委托，或者不是您的。")


def _key(header: KeyHeader) -> str:
    return f"api:{actor().account_id}:{header.key}"


@topic.get("/handover", responses={200: HeldTold, 403: ErrorAnswer})
def held(query: HandoverQuery) -> Response:
    """一个人手里有什么要交接"""
    with reading() as connection:
        require_may_hand_over(connection, actor(), query.person_id, at=now())
        return tell(HeldTold.model_validate(held_by(connection, query.person_id)))


@topic.post("/handover", responses={200: HandoverTold, **ANSWERS})
def hand_over(header: KeyHeader, body: HandoverSent) -> Response:
    """把他手里的都交给别人

    系统管理员可以给任何人办，负责人给本单位的人办。用同一个编号重发，从断的地方接着办。
    """
    result: HandedOver = hand_over_all(
        application(), actor=actor(), from_person_id=body.from_person_id, to_person_id=body.to_person_id, reason=body.reason, key=_key(header), at=now(),
    )
    return tell(HandoverTold.model_validate(result))
