"""Parts of the document page that come after it: the pages as pictures (phones show no PDF in a page), the state of the seals."""
from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, Row

from engine.access.scope import require_case
from engine.documents.pages import page_count, page_image
from engine.documents.queries import NO_DOCUMENT, get_document, signatures_of
from engine.documents.verify import count_verifications, verify_pdf
from engine.kernel.errors import NotFound
from engine.web.context import actor, application, identifier, reading

blueprint = Blueprint("document_pictures", __name__)
KEPT = "private, max-age=86400, immutable"


@blueprint.get("/documents/<document_id>/pages")
def papers(document_id: str) -> ResponseReturnValue:
    """Every page of the newest PDF as a picture, as a piece of the page."""
    with reading() as connection:
        row = _rendered(connection, document_id)
    return render_template("documents/papers.html", document=row, pages=page_count(application().blobs.get(row.pdf_sm3)))


@blueprint.get("/documents/<document_id>/pages/<sm3>/<int:number>.png")
def picture(document_id: str, sm3: str, number: int) -> ResponseReturnValue:
    """Page ``number`` as a picture; the file's SM3 in the address lets the browser keep it."""
    with reading() as connection:
        row = _rendered(connection, document_id)
    if row.pdf_sm3 != sm3:
        raise NotFound("文书已经更新，请刷新页面。")
    answer = make_response(page_image(application().blobs.get(sm3), page=number))
    answer.headers["Content-Type"], answer.headers["Cache-Control"] = "image/png", KEPT
    return answer


@blueprint.get("/documents/<document_id>/check")
def check(document_id: str) -> ResponseReturnValue:
    """Whether the seals hold, verified now, as a piece of the page."""
    with reading() as connection:
        row = _rendered(connection, document_id)
        signed = bool(signatures_of(connection, document_id=row.id, rev=row.rev))
        verified = count_verifications(connection, document_id=row.id)
    app = application()
    checked = verify_pdf(app, app.blobs.get(row.sealed_sm3)) if row.sealed_sm3 and signed else None
    return render_template("documents/check.html", document=row, checked=checked, verified=verified)


def _rendered(connection: Connection, document_id: str) -> Row[Any]:
    row = get_document(connection, identifier(document_id, "文书"))
    require_case(connection, actor(), row.case_id, missing=NO_DOCUMENT)
    if not row.pdf_sm3:
        raise NotFound("文书正在生成，通常几秒钟就好，请稍后再打开。")
    return row
