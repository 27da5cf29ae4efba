"""Procedures in force with their versions and diagrams."""
from __future__ import annotations

from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from engine.runtime.queries import procedures
from engine.web.api.starts import known_name
from engine.web.api.topic import Instant, Told, make_topic, tell
from engine.web.context import application, reading

topic = make_topic("processes", "流程", "在用的流程、版本、流程图")
XML = {"content": {"application/xml": {"schema": {"type": "string"}}}}


class ProcessPath(BaseModel):
    process: str = Field(max_length=200, description="流程名")


class DiagramPath(ProcessPath):
    version: int = Field(ge=1, le=1_000_000, description="第几版")


class ProcessListed(Told):
    """在用的一个流程"""

    name: str
    title: str
    version: int = Field(description="在用的是第几版")
    versions: int = Field(description="一共几版")
    running: int = Field(description="在办几件")
    created_at: Instant = Field(description="这一版什么时候投入使用")


class ProcessesTold(Told):
    """在用的全部流程"""

    items: list[ProcessListed]


class VersionListed(Told):
    """流程的一版"""

    id: UUID
    version: int
    title: str
    hash: str = Field(description="内容的 SM3")
    note: str = Field(description="改了什么")
    created_by: str | None
    created_at: Instant
    in_force: bool | None = Field(description="是不是在用")
    running: int = Field(description="在办几件")


class ProcessRead(Told):
    """一个流程的各版，新的在前"""

    name: str
    versions: list[VersionListed]


@topic.get("/processes", responses={200: ProcessesTold})
def listed() -> Response:
    """在用的流程"""
    with reading() as connection:
        rows = procedures.listed(connection)
    return tell(ProcessesTold(items=[ProcessListed.model_validate(row) for row in rows]))


@topic.get("/processes/<process>", responses={200: ProcessRead})
def read(path: ProcessPath) -> Response:
    """一个流程的各版"""
    with reading() as connection:
        rows = procedures.versions(connection, name=known_name(path.process))
    return tell(ProcessRead(name=path.process, versions=[VersionListed.model_validate(row) for row in rows]))


@topic.get("/processes/<process>/versions/<version>/diagram", responses={200: XML})
def diagram(path: DiagramPath) -> Response:
    """一版的流程图（BPMN 2.0）"""
    with reading() as connection:
        id = procedures.version_id(connection, name=known_name(path.process), version=path.version)
    return Response(application().library.definition(id).content, content_type="application/xml; charset=utf-8")
