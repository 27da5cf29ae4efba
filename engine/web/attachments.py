"""Files up and down."""
from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

import orjson
from flask import Blueprint, Response, jsonify, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from engine.access.scope import require_case
from engine.form_filling import attachments
from engine.form_filling.context import AttachmentMeta
from engine.kernel.errors import Invalid, NotFound
from engine.runtime.answers import form_of_task
from engine.runtime.compress_attachment import compress_later, compression_of
from engine.runtime.queries import case_page
from engine.runtime.queries.attachments import file_for
from engine.runtime.work import Row
from engine.web.context import actor, application, identifier, now, reading, writing

blueprint = Blueprint("attachments", __name__)
LARGEST_VIDEO = 512 * 2**20
"""What a field may ask for at most with ``max_size``; the bytes go from the request's file to the store, never through memory."""
INLINE = ("image/", "application/pdf")


@blueprint.post("/attachments")
def upload() -> ResponseReturnValue:
    """Keep the file in ``file`` for the field ``field``, of the task ``task`` when there is one already."""
    request.max_content_length = LARGEST_VIDEO + 2**20
    sent = request.files.get("file")
    if sent is None:
        raise Invalid("没有收到文件，请重新选。", fields={request.form.get("field", "file"): "没有收到文件。"})
    task = request.values.get("task")
    with writing() as connection:
        case_id = task_id = rule = None
        field = request.form.get("field", "")[:200]
        if task:
            task_id = identifier(task, "任务")
            place = case_page.task_place(connection, task_id=task_id)
            case_id = place["case_id"]
            require_case(connection, actor(), case_id)
            rule = rule_of(place, field)
        rule = rule or attachments.FileRule(max_bytes=LARGEST_VIDEO, compress=request.form.get("compress") == "1")
        meta = attachments.store_attachment(
            connection, application().blobs, actor=actor(), case_id=case_id, task_id=task_id, field=field,
            file_name=sent.filename or "文件", data=sent.stream, at=now(), caption=request.form.get("caption", ""), capture=_capture(), rule=rule,
        )
        ordered = compress_later(application(), connection, attachment_ids=[UUID(meta.id)], at=now()) if rule.compress else 0
    return jsonify({**_told(meta), **({"progress": url_for("attachments.progress", id=meta.id)} if ordered else {})}), 201


def rule_of(place: Row, path: str) -> attachments.FileRule | None:
    """What the field ``data.evidence.0.photo`` of the task's form takes; None for a task without a form or a path that names no field."""
    form = form_of_task(application(), place, place)
    field = None
    for name in path.removeprefix("data.").split(".") if form else ():
        known = form.fields if field is None else field.columns  # type: ignore[union-attr]
        field = field if name.isdigit() else known.get(name)
        if field is None:
            return None
    return attachments.FileRule.of(field) if field else None


def _capture() -> dict[str, object]:
    try:
        found = orjson.loads(request.form.get("capture") or "{}")
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _told(meta: AttachmentMeta) -> dict[str, object]:
    return {
        "id": meta.id, "name": meta.name, "content_type": meta.content_type, "size": meta.size, "url": url_for("attachments.one", id=meta.id),
        "thumbnail": url_for("attachments.thumbnail", id=meta.id) if meta.thumbnail else None,
    }


@blueprint.get("/attachments/<id>")
def one(id: str) -> ResponseReturnValue:
    with reading() as connection:
        row = file_for(application(), connection, actor=actor(), attachment_id=identifier(id, "附件"))
    shown = row["content_type"].startswith(INLINE)
    answer = send_file(application().blobs.path(row["sm3"]), mimetype=row["content_type"], conditional=True)
    kind = "inline" if shown else "attachment"
    answer.headers["Content-Disposition"] = f"{kind}; filename*=UTF-8''{quote(row['file_name'])}"
    return kept(answer)


@blueprint.get("/attachments/<id>/thumbnail")
def thumbnail(id: str) -> ResponseReturnValue:
    with reading() as connection:
        row = file_for(application(), connection, actor=actor(), attachment_id=identifier(id, "附件"))
    if row["thumbnail_sm3"] is None:
        raise NotFound("这个附件没有缩略图。")
    return kept(send_file(application().blobs.path(row["thumbnail_sm3"]), mimetype="image/jpeg", conditional=True))


@blueprint.get("/attachments/<id>/progress")
def progress(id: str) -> ResponseReturnValue:
    """How far the compression of a file is, as JSON for a form, as a piece of a page otherwise."""
    chosen = identifier(id, "附件")
    with reading() as connection:
        row = file_for(application(), connection, actor=actor(), attachment_id=chosen)
        found = compression_of(connection, attachment_ids=[chosen]).get(chosen)
    if found is None:
        raise NotFound("这个附件没有要求压缩。")
    if request.headers.get("HX-Request"):
        return render_template("case/compression.html", one=found)
    return jsonify({"state": found["state"], "percent": found["percent"], "size": row["size"], "before": found["before_size"], "words": found["words"]})


@blueprint.post("/attachments/<id>/remove")
def remove(id: str) -> ResponseReturnValue:
    with writing() as connection:
        attachments.remove_attachment(connection, actor=actor(), attachment_id=identifier(id, "附件"), at=now())
    return "", 204


def kept(answer: Response) -> Response:
    """What a file shows never changes under its id, though it may be made smaller; only this reader's browser may keep it."""
    answer.headers["Cache-Control"] = "private, max-age=86400, immutable"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    return answer
