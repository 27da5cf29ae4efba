"""Who took what out: every file handed over, every print and every reveal is noted in the trail before it is handed over."""
from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Flask, g, has_app_context, request
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from sqlalchemy import select

from engine.access.audit import note
from engine.access.integrity import acting
from engine.access.scope import require_case
from engine.kernel.errors import Invalid
from engine.storage.tables.cases import attachment
from engine.storage.tables.documents import document
from engine.web.context import actor, identifier, now, writing

blueprint = Blueprint("traces", __name__)
FILES = ("application/pdf", "application/zip", "application/octet-stream", "application/vnd.", "application/msword", "image/", "video/", "audio/")
SMALL = frozenset({"thumbnail", "picture", "seal", "qr"})
"""Views that only show a small picture beside something that was noted already."""
OWNERS = {"document_id": document, "id": attachment, "attachment_id": attachment}


def install(app: Flask) -> None:
    app.before_request(_say_who)
    app.after_request(_note_file)


def _say_who() -> None:
    """What this request changes of people's rights is recorded in the reader's name."""
    acting(lambda: g.get("actor") if has_app_context() else None)


def _note_file(response: Response) -> Response:
    """A file that can't be noted isn't handed over: the error goes to the reader."""
    if g.get("actor") is None or not _is_file(response):
        return response
    disposition = response.headers.get("Content-Disposition", "")
    what = "download" if disposition.startswith("attachment") else "view"
    subject = ":".join([str(request.endpoint), *(str(value) for value in (request.view_args or {}).values())])
    with writing() as connection:
        note(connection, actor=actor(), at=now(), action=f"trace.{what}", object=subject, case_id=_case(connection), network=request.remote_addr or "", detail=g.get("trace"))
    return response


def _is_file(response: Response) -> bool:
    """A file of the platform's, whole or its first part; not the style sheets, and not what the browser had already."""
    if request.method != "GET" or response.status_code not in (200, 206) or request.endpoint in (None, "static"):
        return False
    if not (response.mimetype or "").startswith(FILES) or str(request.endpoint).rpartition(".")[2] in SMALL:
        return False
    return response.status_code == 200 or response.headers.get("Content-Range", "").startswith("bytes 0-")


def _case(connection: object) -> UUID | None:
    values = request.view_args or {}
    if "case_id" in values:
        return identifier(str(values["case_id"]), "案件")
    for name, table in OWNERS.items():
        if name in values and (name != "id" or "attachment" in str(request.endpoint)):
            found: UUID | None = connection.scalar(select(table.c.case_id).where(table.c.id == identifier(str(values[name]), "文件")))  # type: ignore[attr-defined]
            return found
    return None


@blueprint.post("/traces/print")
def printed() -> ResponseReturnValue:
    """The reader prints a page of ours; the page's own script says so."""
    path, case = request.form.get("path", ""), request.form.get("case", "")
    if not path.startswith("/") or len(path) > 300:
        raise Invalid("没有写明打印的是哪一页。")
    case_id = identifier(case, "案件") if case else None
    with writing() as connection:
        if case_id is not None:
            require_case(connection, actor(), case_id)
        note(connection, actor=actor(), at=now(), action="trace.print", object=path, case_id=case_id, network=request.remote_addr or "")
    return "", 204
