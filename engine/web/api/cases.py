"""Cases: list, read, start; matters on a case; the whole file as one PDF."""
from __future__ import annotations

from datetime import date
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

from flask import Response, send_file, url_for
from pydantic import BaseModel, Field

from engine.access.scope import require_case
from engine.deadlines.queries import clocks_of
from engine.runtime import whole_file
from engine.runtime.queries import case_page, cases, search, starts
from engine.runtime.start_case import start_case, start_matter
from engine.web.api.cursors import give, take
from engine.web.api.starts import StartsTold, StartTold, known_name
from engine.web.api.topic import (
    TEXT_MOST,
    ActDone,
    ErrorAnswer,
    Instant,
    KeyHeader,
    Paging,
    Sent,
    Told,
    Truth,
    done,
    make_topic,
    once,
    tell,
    with_example,
)
from engine.web.case_file import marked_copy
from engine.web.context import actor, application, now, reading, today

topic = make_topic("cases", "案件", "发起、列表、现状、有关事项、整卷")
PDF = {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}


class CasePath(BaseModel):
    case_id: UUID = Field(description="案件编号")


class CaseQuery(Paging):
    state: Literal["open", "closed", "all"] = Field(default="open", description="open 在办，closed 已结，all 全部")
    kind: str = Field(default="", max_length=200, description="案件类别", json_schema_extra={"example": "case_filing.clue"})
    unit_id: UUID | None = Field(default=None, description="承办单位")


class SearchQuery(Sent):
    q: str = Field(min_length=1, max_length=100, description="文号、名称、当事人、地点里的字，空格隔开的都要有")


class CaseListed(Told):
    """列表里的一件"""

    id: UUID
    number: str | None = Field(description="文号")
    title: str = Field(description="名称")
    subject: str = Field(description="当事人")
    address: str = Field(description="地点")
    kind: str = Field(description="类别")
    state_title: str = Field(description="状态")
    closed: bool = Field(description="是否已结")
    unit: str = Field(description="承办单位")
    handler: str = Field(description="承办人")
    step: str = Field(description="在办的步骤")
    holder: str = Field(description="在谁手里")
    updated_at: Instant = Field(description="最近变动")


class CasePageTold(Told):
    """案件的一页，最近变动的在前"""

    items: list[CaseListed]
    total: int = Field(description="一共几件；超过 10000 只数到 10001")
    next: str | None = Field(description="下一页的 cursor；没有下一页为 null")


class FoundTold(Told):
    """查到的案件，最近变动的在前"""

    items: list[CaseListed]
    more: bool = Field(description="true 表示还有没列出的，请写得更具体")


class OpenStep(Told):
    """在办的一步"""

    id: UUID = Field(description="任务编号")
    title: str = Field(description="步骤名称")
    node: str = Field(description="图上的步骤")
    process: str = Field(description="步骤所在的流程")
    role_title: str = Field(description="由哪个角色办")
    assignee: str | None = Field(description="在谁手里；待认领为 null")
    pool_units: str | None = Field(description="待认领的，哪些单位可以认领")
    mine: Truth = Field(description="在不在自己手里")
    claimable: Truth = Field(description="自己能不能认领或者直接办")
    returned: bool = Field(description="是不是退回来的")
    due_on: date | None = Field(description="最后一天")
    opened_at: Instant = Field(description="什么时候送来的")


class RunTold(Told):
    """案件上的一个流程实例"""

    id: UUID
    process: str
    title: str
    version: int = Field(description="按第几版流程图办")
    status: str = Field(description="running 在办，suspended 暂停，incident 异常，completed 办完，cancelled 取消")
    started_at: Instant
    ended_at: Instant | None


class ClockTold(Told):
    """案件上的一个法定期限"""

    clock: str = Field(description="期限名")
    title: str
    start_on: date = Field(description="起算日")
    due: date | None = Field(description="届满日；暂停时为 null")
    state: str = Field(description="running 在走，suspended 暂停，met 已办结，expired 已届满，cancelled 已取消")
    remaining: int | None = Field(description="还剩几天，负数是逾期")
    unit: str = Field(description="working_day 工作日，day 自然日")
    light: str = Field(description="late 逾期，soon 快到期，ok 正常，hold 暂停，done 结束")
    words: str = Field(description="还剩多久")
    law: str = Field(description="依据")
    explanation: list[str] = Field(description="怎么算出来的")


class CaseRead(Told):
    """一件案件的现状"""

    id: UUID
    kind: str = Field(description="类别")
    number: str | None = Field(description="文号")
    title: str
    subject: str = Field(description="当事人")
    address: str = Field(description="地点")
    state: str = Field(description="状态代码")
    state_title: str = Field(description="状态")
    unit_id: UUID
    unit_name: str = Field(description="承办单位")
    handler: str | None = Field(description="承办人")
    created_at: Instant
    closed_at: Instant | None
    voided_at: Instant | None
    tasks: list[OpenStep] = Field(description="在办的步骤")
    runs: list[RunTold] = Field(description="流程实例，先发起的在前")
    clocks: list[ClockTold] = Field(description="法定期限，在走的在前")
    withdrawable_act_id: UUID | None = Field(description="自己能撤回的那次办理；没有为 null")


class StartSent(Sent):
    """发起一件案件"""

    process: str = Field(max_length=200, description="流程名，见 /api/starts")
    data: dict[str, Any] = Field(default_factory=dict, description="第一步的内容")
    outcome: str | None = Field(default=None, max_length=100, description="第一步按哪个按钮；不写，第一步留在自己手里等着办")
    opinion: str = Field(default="", max_length=TEXT_MOST, description="意见")

    model_config = with_example({
        "process": "case_filing.clue_intake", "outcome": "submit",
        "data": {"source": "supervision", "received_on": "2026-11-19", "title": "销售超过保质期的食品", "content": "日常检查发现货架上有超过保质期的糕点。"},
    })


@topic.get("/cases", responses={200: CasePageTold})
def listed(query: CaseQuery) -> Response:
    """案件列表

    令牌主人看得到的案件，最近变动的在前。
    """
    filters = cases.Filters(state=query.state, kind=query.kind, unit=query.unit_id)
    with reading() as connection:
        page = cases.listed(connection, actor=actor(), filters=filters, size=query.limit, after=take(query.cursor))
    return tell(CasePageTold(items=[CaseListed.model_validate(row) for row in page.rows], total=page.total, next=give(page.next)))


@topic.get("/search", responses={200: FoundTold})
def find(query: SearchQuery) -> Response:
    """查案件

    按文号、名称、当事人、地点查，最多 50 件。
    """
    with reading() as connection:
        found, more = search.found(connection, actor=actor(), query=query.q)
    return tell(FoundTold(items=[CaseListed.model_validate(row) for row in found], more=more))


@topic.post("/cases", responses={201: ActDone, 400: ErrorAnswer, 403: ErrorAnswer, 409: ErrorAnswer})
def start(header: KeyHeader, body: StartSent) -> Response:
    """发起一件案件"""
    process = known_name(body.process)
    result = once(header, start_case, process=process, data=body.data, outcome=body.outcome, opinion=body.opinion)
    answer = done(result, 201)
    answer.headers["Location"] = url_for("api.cases.read", case_id=result.case_id)
    return answer


@topic.get("/cases/<case_id>", responses={200: CaseRead})
def read(path: CasePath) -> Response:
    """一件案件的现状"""
    with reading() as connection:
        page = case_page.case_page(connection, actor=actor(), case_id=path.case_id)
        clocks = clocks_of(connection, path.case_id, today())
    own = case_page.withdrawable(actor=actor(), acts=page.acts)
    return tell(CaseRead.model_validate({
        **page.head, "tasks": page.tasks, "runs": page.instances, "clocks": [vars(clock) for clock in clocks], "withdrawable_act_id": own["id"] if own else None,
    }))


@topic.get("/cases/<case_id>/matters", responses={200: StartsTold})
def matters(path: CasePath) -> Response:
    """能在案件上发起的有关事项"""
    with reading() as connection:
        page = case_page.case_page(connection, actor=actor(), case_id=path.case_id)
        running = [row["process"] for row in page.instances if row["ended_at"] is None]
        offers = starts.matters_offered(
            connection, catalogue=application().catalogue, actor=actor(), on=today(), kind=page.head["kind"], state=page.head["state"], running=running,
        )
    return tell(StartsTold(items=[StartTold.model_validate(offer) for offer in offers]))


@topic.post("/cases/<case_id>/matters", responses={201: ActDone, 400: ErrorAnswer, 403: ErrorAnswer, 409: ErrorAnswer})
def begin_matter(path: CasePath, header: KeyHeader, body: StartSent) -> Response:
    """在案件上发起有关事项"""
    with reading() as connection:
        require_case(connection, actor(), path.case_id)
    asked = {"process": known_name(body.process), "data": body.data, "outcome": body.outcome, "opinion": body.opinion}
    return done(once(header, start_matter, case_id=path.case_id, **asked), 201)


class FileTold(Told):
    """整卷正在做"""

    status: Literal["making", "failed"] = Field(description="making 正在做，过几秒再来；failed 没有做成")
    problem: str = Field(description="没有做成的原因")


@topic.get("/cases/<case_id>/file.pdf", responses={200: PDF, 202: FileTold})
def whole(path: CasePath) -> Response:
    """整卷 PDF

    第一次要由后台做，返回 202，过几秒再来；案件变动以后重新做。
    """
    made = whole_file.request_file(application(), actor=actor(), case_id=path.case_id, at=now())
    if made.sm3 is None:
        return tell(FileTold(status="failed" if made.problem else "making", problem=made.problem), 202)
    return marked_copy(made, disposition="attachment")


def pdf_answer(sm3: str, name: str) -> Response:
    """A stored PDF under ``name``."""
    answer = send_file(application().blobs.path(sm3), mimetype="application/pdf", conditional=True)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return answer
