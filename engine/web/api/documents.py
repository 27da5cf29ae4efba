"""One document: what it is, its signatures, its PDF."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from engine.access.scope import may_see_case
from engine.documents.queries import STATES, find_document, signatures_of
from engine.documents.versions import versions_of
from engine.kernel.errors import NotFound
from engine.web.api.cases import PDF, pdf_answer
from engine.web.api.topic import Instant, Sent, Told, make_topic, tell
from engine.web.context import actor, reading

topic = make_topic("documents", "文书", "文书的状态、签名、PDF")


class DocumentPath(BaseModel):
    document_id: UUID = Field(description="文书编号")


class PdfQuery(Sent):
    rev: int | None = Field(default=None, ge=1, description="要哪一稿；不填是最新的，盖了章的是盖章件")


class SignatureTold(Told):
    """一个签名或者印章"""

    kind: str = Field(description="personal 个人签名，unit 单位印章")
    signer_name: str
    seal_title: str | None = Field(description="印章名称")
    at: Instant


class VersionTold(Told):
    """一稿"""

    rev: int
    title: str = Field(description="初稿、修改稿、签发稿")
    by_name: str
    at: Instant


class DocumentRead(Told):
    """一份文书"""

    id: UUID
    case_id: UUID
    title: str
    template: str = Field(description="模板名")
    state: str = Field(description="draft 草稿，issued 已签发用印，served 已送达，withdrawn 已撤回，void 已作废")
    state_title: str
    reason: str = Field(description="撤回、作废的原因")
    number: str | None = Field(description="文号")
    check_code: str = Field(description="核验码，/v/核验码 是公开的核验页")
    rev: int
    ready: bool = Field(description="PDF 好了没有")
    sealed: bool = Field(description="盖章了没有")
    created_at: Instant
    issued_at: Instant | None
    signatures: list[SignatureTold]
    versions: list[VersionTold] = Field(description="各稿，新的在前")


@topic.get("/documents/<document_id>", responses={200: DocumentRead})
def read(path: DocumentPath) -> Response:
    """一份文书"""
    with reading() as connection:
        row = _readable(connection, path.document_id)
        answer = DocumentRead.model_validate({
            **row._mapping, "state_title": STATES[row.state], "sealed": row.sealed_sm3 is not None, "ready": bool(row.sealed_sm3 or row.pdf_sm3),
            "signatures": signatures_of(connection, document_id=row.id, rev=row.rev), "versions": versions_of(connection, document_id=row.id),
        })
    return tell(answer)


@topic.get("/documents/<document_id>/pdf", responses={200: PDF})
def pdf(path: DocumentPath, query: PdfQuery) -> Response:
    """文书的 PDF

    盖了章的是盖章件，没有盖章的是草稿。PDF 由后台生成，还没有好返回 404 not_ready，过几秒再来。
    """
    with reading() as connection:
        row = _readable(connection, path.document_id)
        sm3 = _sm3(connection, row, query.rev)
    if sm3 is None:
        raise NotFound("文书正在生成，通常几秒钟就好，请稍后再来。", code="not_ready")
    return pdf_answer(sm3, f"{row.title}{row.number or ''}.pdf")


def _readable(connection: Connection, document_id: UUID) -> Any:
    row = find_document(connection, document_id)
    if row is None or not may_see_case(connection, actor(), row.case_id):
        raise NotFound("没有这份文书，或者您无权查看。")
    return row


def _sm3(connection: Connection, row: Any, rev: int | None) -> str | None:
    if rev is None or (rev == row.rev and row.sealed_sm3):
        return row.sealed_sm3 or row.pdf_sm3
    versions = {version.rev: version.pdf_sm3 for version in versions_of(connection, document_id=row.id)}
    if rev not in versions:
        raise NotFound("没有这一稿。")
    return versions[rev]
