"""Files of a party's answers: only its own, up and down."""
from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, request, send_file, url_for
from flask.typing import ResponseReturnValue

from engine.form_filling import attachments
from engine.kernel.errors import AlreadyDone, Invalid, NotFound
from engine.kernel.names import is_name
from engine.reference.dictionaries import load_dictionary
from engine.runtime import party_step
from engine.web.attachments import kept, rule_of
from engine.web.context import application, identifier, now, reading, today, writing
from engine.web.party_guard import party_user

blueprint = Blueprint("party_files", __name__, url_prefix="/party")
MOST = 20


@blueprint.post("/attachments")
def upload() -> ResponseReturnValue:
    """Keep the file in ``file`` for the field ``field`` of the open step ``task``."""
    sent = request.files.get("file")
    field = request.form.get("field", "")[:200]
    if sent is None:
        raise Invalid("没有收到文件，请重新选。", fields={field or "file": "没有收到文件。"})
    user = party_user()
    with writing() as connection:
        step = party_step.step_of(connection, party_ids=list(user.parties), task_id=identifier(request.args.get("task", ""), "事项"))
        if step["status"] != "open":
            raise AlreadyDone(party_step.why_closed(connection, step=step, at=now()))
        meta = attachments.store_attachment(
            connection, application().blobs, actor=user.acting_for(step["party_id"], at=now()), case_id=step["case_id"], task_id=step["id"], field=field,
            file_name=sent.filename or "文件", data=sent.read(), at=now(), caption=request.form.get("caption", ""), rule=rule_of(step, field),
        )
    told = {"id": meta.id, "name": meta.name, "content_type": meta.content_type, "size": meta.size, "url": url_for("party_files.one", id=meta.id),
            "thumbnail": url_for("party_files.thumbnail", id=meta.id) if meta.thumbnail else None}
    return jsonify(told), 201


@blueprint.get("/attachments/<id>")
def one(id: str) -> ResponseReturnValue:
    """A file that the reader has uploaded."""
    row = _own(id)
    answer = send_file(application().blobs.path(row["sm3"]), mimetype=row["content_type"], conditional=True)
    answer.headers["Content-Disposition"] = "inline" if row["content_type"].startswith("image/") else "attachment"
    return kept(answer)


@blueprint.get("/attachments/<id>/thumbnail")
def thumbnail(id: str) -> ResponseReturnValue:
    """Its small picture."""
    row = _own(id)
    if row["thumbnail_sm3"] is None:
        raise NotFound("这个附件没有缩略图。")
    return kept(send_file(application().blobs.path(row["thumbnail_sm3"]), mimetype="image/jpeg", conditional=True))


def _own(id: str) -> dict[str, Any]:
    with reading() as connection:
        return attachments.own_attachment(connection, person_id=party_user().person_id, attachment_id=identifier(id, "附件"))


@blueprint.get("/options")
def options() -> ResponseReturnValue:
    """Entries of a public dictionary for the form's pickers."""
    name = request.args.get("dictionary", "")
    if len(name.split(".")) != 2 or not all(is_name(part) for part in name.split(".")):
        return jsonify({"items": []})
    with reading() as connection:
        found = load_dictionary(connection, dictionary=name).search(
            request.args.get("q", "").strip()[:60], on=today(), parent=request.args.get("parent") or None, limit=MOST,
        )
    return jsonify({"items": [{"id": entry.code, "title": entry.title} for entry in found]})
