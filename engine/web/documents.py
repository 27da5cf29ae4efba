"""One document: the PDF, its seals, corrections while it is a draft, its versions."""
from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Blueprint, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from engine.access import audit
from engine.access.scope import require_case
from engine.documents.compose import compose
from engine.documents.correct import correct_document
from engine.documents.draft import template_of
from engine.documents.queries import NO_DOCUMENT, STATES, get_document, signatures_of, snapshot_of_row
from engine.documents.versions import versions_of
from engine.kernel.errors import Invalid, NotFound
from engine.runtime.queries import case_page
from engine.web.answers import done
from engine.web.case_tabs import LIGHTS
from engine.web.context import actor, application, identifier, now, reading, writing

blueprint = Blueprint("documents", __name__)


@blueprint.get("/documents/<document_id>")
def page(document_id: str) -> ResponseReturnValue:
    return _show(document_id)


@blueprint.get("/documents/<document_id>/pdf")
def pdf(document_id: str) -> ResponseReturnValue:
    """The sealed file, or the draft's preview; ``?rev=`` an older one."""
    with reading() as connection:
        row = _readable(connection, document_id)
        sm3 = _sm3(connection, row, request.args.get("rev", type=int))
    if sm3 is None:
        raise NotFound("文书正在生成，通常几秒钟就好，请稍后再打开。")
    answer = send_file(application().blobs.path(sm3), mimetype="application/pdf", conditional=True)
    name = f"{row.title}{row.number or ''}.pdf"
    kind = "attachment" if "download" in request.args else "inline"
    answer.headers["Content-Disposition"] = f"{kind}; filename*=UTF-8''{quote(name)}"
    return answer


@blueprint.post("/documents/<document_id>/correct")
def correct(document_id: str) -> ResponseReturnValue:
    """Put another text into one paragraph of a draft."""
    block, text = request.form.get("block", ""), request.form.get("text", "")
    try:
        with writing() as connection:
            row = _readable(connection, document_id)
            _require_work(connection, row)
            correct_document(
                application(), connection, document_id=row.id, block=block, text=text, rev=request.form.get("rev", 0, type=int),
                actor_id=actor().person_id, actor_name=actor().name, at=now(),
            )
            audit.append(
                connection, chain=audit.chain_of(actor()), at=now(), actor_id=actor().person_id, actor_name=actor().name, action="document.correct",
                object=str(row.id), case_id=row.case_id, detail={"block": block},
            )
    except Invalid as error:
        return _show(document_id, errors={block: " ".join(error.fields.values()) or error.message}, typed={block: text}), 422
    return done(url_for("documents.page", document_id=document_id), "已改好，正在重新生成预览。")


def _readable(connection: Connection, document_id: str) -> Any:
    row = get_document(connection, identifier(document_id, "文书"))
    require_case(connection, actor(), row.case_id, missing=NO_DOCUMENT)
    return row


def _sm3(connection: Connection, row: Any, rev: int | None) -> str | None:
    if rev is None:
        return row.sealed_sm3 or row.pdf_sm3
    return next((version.pdf_sm3 for version in versions_of(connection, document_id=row.id) if version.rev == rev), None)


def _holds_work(connection: Connection, row: Any) -> bool:
    page = case_page.case_page(connection, actor=actor(), case_id=row.case_id)
    return any(task["mine"] or task["claimable"] for task in page.tasks)


def _require_work(connection: Connection, row: Any) -> None:
    """Only who has a step of this case in hand or in their pool may change its drafts."""
    if not _holds_work(connection, row):
        raise NotFound("这份文书现在不在您手里，不能改。")


def _show(document_id: str, *, errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    with reading() as connection:
        row = _readable(connection, document_id)
        head = case_page.head(connection, case_id=row.case_id)
        editable = row.state == "draft" and _holds_work(connection, row)
        values = {
            "document": row, "head": head, "state": STATES[row.state], "light": LIGHTS[row.state], "signatures": signatures_of(connection, document_id=row.id, rev=row.rev),
            "versions": versions_of(connection, document_id=row.id), "blocks": _blocks(row, typed or {}) if editable else [],
            "sealed": bool(row.sealed_sm3), "ready": row.sealed_sm3 is not None or (row.pdf_sm3 is not None and row.rendered_rev == row.rev),
        }
    return render_template("documents/page.html", errors=errors or {}, **values)


def _blocks(row: Any, typed: dict[str, str]) -> list[dict[str, Any]]:
    """Paragraphs that may be corrected, with their text as it stands."""
    template = template_of(application(), row)
    texts = compose(template, snapshot_of_row(row), check_code="", verify_url="").blocks
    return [
        {"name": name, "title": spec.title, "most": spec.max_length, "text": typed.get(name, texts.get(name, ""))} for name, spec in template.blocks.items()
    ]
