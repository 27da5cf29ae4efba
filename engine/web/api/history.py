"""The history of a case: what was done, what was filled in, documents, files, clocks, links."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from engine.deadlines.queries import clocks_of
from engine.documents.queries import STATES
from engine.kernel.errors import NotFound
from engine.runtime.answers import form_of
from engine.runtime.form_grants import readable
from engine.runtime.queries import case_page
from engine.runtime.queries.links import visible_among
from engine.runtime.secrets import mask_secret, open_secrets
from engine.web.api.cases import CasePath, ClockTold
from engine.web.api.topic import Instant, Told, make_topic, tell
from engine.web.context import actor, application, reading, today

topic = make_topic("history", "历史", "办理经过、填报、文书、附件、期限、关联")


class StepTold(Told):
    """办过的一步"""

    act_id: UUID = Field(description="办理编号")
    person: str = Field(description="谁办的；自动步骤是“系统”")
    post: str = Field(description="他的岗位")
    word: str = Field(description="结果")
    opinion: str = Field(description="意见")
    at: Instant
    automatic: bool = Field(description="是不是自动步骤")
    undone: bool = Field(description="是不是已经撤回")


class StageTold(Told):
    """同一流程里连续的几步，新的在前"""

    title: str = Field(description="流程")
    steps: list[StepTold]


class DocumentListed(Told):
    """一份文书"""

    id: UUID
    title: str
    state: str = Field(description="draft 草稿，issued 已签发用印，served 已送达，withdrawn 已撤回，void 已作废")
    state_title: str
    reason: str = Field(description="撤回、作废的原因")
    number: str | None = Field(description="文号")
    check_code: str = Field(description="核验码")
    created_at: Instant
    issued_at: Instant | None
    rendered: bool = Field(description="PDF 好了没有")
    sealed: bool = Field(description="盖章了没有")


class AttachmentListed(Told):
    """一个附件"""

    id: UUID
    file_name: str
    content_type: str
    size: int = Field(description="字节")
    caption: str = Field(description="说明")
    uploaded_by: str | None
    uploaded_at: Instant


class SubmissionListed(Told):
    """一次填报，内容另读"""

    id: UUID
    node: str = Field(description="哪一步填的")
    title: str | None = Field(description="步骤名称")
    form: str = Field(description="表单名")
    by_name: str
    at: Instant
    outcome_title: str | None = Field(description="按的按钮")
    superseded: bool = Field(description="退回、撤回以后不再算数")


class LinkTold(Told):
    """有关联的案件；无权看的不列"""

    kind: str = Field(description="became 由此立案，merged_into 并入，related 相关")
    outgoing: bool = Field(description="true 是本案指向对方")
    case_id: UUID
    number: str | None
    title: str
    state_title: str
    reason: str
    at: Instant


class HistoryTold(Told):
    """案件的历史"""

    timeline: list[StageTold] = Field(description="办理经过，最近的在前，最多一千步")
    submissions: list[SubmissionListed]
    documents: list[DocumentListed]
    attachments: list[AttachmentListed]
    clocks: list[ClockTold]
    links: list[LinkTold]


class SubmissionPath(BaseModel):
    submission_id: UUID = Field(description="填报编号")


class SubmissionRead(Told):
    """一次填报的内容"""

    id: UUID
    case_id: UUID
    node: str
    form: str
    form_hash: str
    data: dict[str, Any] = Field(description="填的内容；证件号码、电话遮掩。$titles 是当时的代码名称")
    by_name: str
    at: Instant
    superseded: bool


@topic.get("/cases/<case_id>/history", responses={200: HistoryTold})
def read(path: CasePath) -> Response:
    """案件的历史"""
    with reading() as connection:
        page = case_page.case_page(connection, actor=actor(), case_id=path.case_id)
        asked: dict[str, Any] = {"actor": actor(), "case_id": path.case_id}
        links = case_page.links(connection, **asked)
        seen = visible_among(connection, actor=actor(), case_ids={row["id"] for row in links})
        answer = HistoryTold.model_validate({
            "timeline": case_page.stages(page.acts, title_of=_process_title),
            "submissions": case_page.submissions(connection, **asked),
            "documents": [{**row, "state_title": STATES[row["state"]]} for row in case_page.documents(connection, **asked)],
            "attachments": case_page.attachments(connection, **asked),
            "clocks": [vars(clock) for clock in clocks_of(connection, path.case_id, today())],
            "links": [{**row, "case_id": row["id"]} for row in links if row["id"] in seen],
        })
    return tell(answer)


def _process_title(process: str) -> str:
    found = application().library.find_current("process", process)
    return found.title if found else process


@topic.get("/submissions/<submission_id>", responses={200: SubmissionRead})
def submission(path: SubmissionPath) -> Response:
    """一次填报的内容"""
    try:
        with reading() as connection:
            row = case_page.submission(connection, actor=actor(), submission_id=path.submission_id)
            form = form_of(application(), application().library.bundle(row["bundle_id"]), row["form"])
    except NotFound:
        raise NotFound("没有这份填报，或者您无权查看。") from None
    return tell(SubmissionRead.model_validate({**row, "data": readable(form, actor(), open_secrets(application().keys, row["data"], mask=mask_secret))}))
