"""Files up and down: forms name them by id."""
from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import Response, request, send_file
from flask_openapi3 import FileStorage
from pydantic import BaseModel, ConfigDict, Field

from engine.form_filling import attachments
from engine.kernel.errors import Invalid
from engine.runtime.queries import tasks
from engine.runtime.queries.attachments import file_for
from engine.web.api.screen import takes_file
from engine.web.api.topic import Asked, ErrorAnswer, Told, make_topic, tell
from engine.web.context import actor, application, now, reading, writing

topic = make_topic("attachments", "附件", "图片、PDF、Office、音视频、压缩包；表单里用编号引用")
BINARY = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}


class AttachmentPath(BaseModel):
    attachment_id: UUID = Field(description="附件编号")


class UploadForm(Asked):
    """上传一个文件"""

    file: FileStorage = Field(description="文件，最多 20 MB；内容和扩展名要一致")
    field: str = Field(default="", max_length=200, description="放在表单的哪一栏")
    task_id: UUID | None = Field(default=None, description="在哪项任务里用；发起案件时还没有任务，不填")
    caption: str = Field(default="", max_length=100, description="说明")

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class AttachmentTold(Told):
    """收下的文件"""

    id: UUID = Field(description="填表时写 [{\"id\": 附件编号}]")
    name: str
    content_type: str = Field(description="按内容认出来的类型")
    size: int = Field(description="字节")
    caption: str


@topic.post("/attachments", responses={201: AttachmentTold, 413: ErrorAnswer, 415: ErrorAnswer})
@takes_file
def upload(form: UploadForm) -> Response:
    """上传附件

    文书的 PDF 等也从这里上传。文件先上传，再在表单里引用编号；没有被引用的，只有上传的人看得到。
    """
    sent = request.files.get("file")
    if sent is None:
        raise Invalid("没有收到文件。", fields={"file": "请把文件放在 file 里。"})
    with writing() as connection:
        case_id = tasks.place(connection, actor=actor(), task_id=form.task_id)["case_id"] if form.task_id else None
        meta = attachments.store_attachment(
            connection, application().blobs, actor=actor(), case_id=case_id, task_id=form.task_id, field=form.field, file_name=sent.filename or "文件",
            data=sent.read(), at=now(), caption=form.caption,
        )
    return tell(AttachmentTold.model_validate(meta), 201)


@topic.get("/attachments/<attachment_id>", responses={200: AttachmentTold})
def read(path: AttachmentPath) -> Response:
    """一个附件是什么"""
    return tell(AttachmentTold.model_validate(attachments.as_meta(_row(path))))


@topic.get("/attachments/<attachment_id>/content", responses={200: BINARY})
def content(path: AttachmentPath) -> Response:
    """下载附件"""
    row = _row(path)
    answer = send_file(application().blobs.path(row["sm3"]), mimetype=row["content_type"], conditional=True)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(row['file_name'])}"
    return answer


@topic.delete("/attachments/<attachment_id>", responses={204: None, 403: ErrorAnswer, 409: ErrorAnswer})
def remove(path: AttachmentPath) -> Response:
    """删除自己上传的附件

    已经随表单提交的不能删，返回 409。
    """
    with writing() as connection:
        attachments.remove_attachment(connection, actor=actor(), attachment_id=path.attachment_id, at=now())
    return Response(status=204)


def _row(path: AttachmentPath) -> Any:
    with reading() as connection:
        return file_for(application(), connection, actor=actor(), attachment_id=path.attachment_id)
