"""导出案件、揭示遮掩的内容: what leaves a case's page for a reason, each on record."""
from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from engine.access.scope import require_case
from engine.kernel.errors import Invalid
from engine.runtime.case_bundle.make import bundles_of, get_bundle, may_export, may_reveal, request_bundle
from engine.runtime.queries import case_page
from engine.runtime.reveal import Revealed, reveal_case
from engine.web.answers import done
from engine.web.context import actor, application, identifier, now, reading, writing

blueprint = Blueprint("case_export", __name__)


@blueprint.get("/cases/<case_id>/export")
def page(case_id: str) -> ResponseReturnValue:
    return _page(identifier(case_id, "案件"))


@blueprint.post("/cases/<case_id>/export")
def order(case_id: str) -> ResponseReturnValue:
    id = identifier(case_id, "案件")
    reason = request.form.get("reason", "")
    try:
        request_bundle(application(), actor=actor(), case_id=id, reason=reason, revealed="revealed" in request.form, at=now())
    except Invalid as error:
        return _page(id, errors=error.fields, reason=reason), 422
    return done(url_for("case_export.page", case_id=case_id), "正在做，通常几秒钟；做好了列在下面，也会发通知。")


@blueprint.get("/cases/<case_id>/export/<bundle_id>.zip")
def download(case_id: str, bundle_id: str) -> ResponseReturnValue:
    with writing() as connection:
        row = get_bundle(
            connection, actor=actor(), case_id=identifier(case_id, "案件"), bundle_id=identifier(bundle_id, "导出"), at=now(), network=request.remote_addr or "",
        )
    answer = send_file(application().blobs.path(row.sm3), mimetype="application/zip")
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote('案件导出')}-{row.at:%Y%m%d}.zip"
    return answer


@blueprint.post("/cases/<case_id>/reveal")
def reveal(case_id: str) -> ResponseReturnValue:
    id = identifier(case_id, "案件")
    reason = request.form.get("reason", "")
    try:
        shown = reveal_case(application(), actor=actor(), case_id=id, reason=reason, at=now(), network=request.remote_addr or "")
    except Invalid as error:
        return _page(id, errors={"reveal": error.fields.get("reason", error.message)}, why=reason), 422
    return _page(id, shown=shown, why=reason)


def _page(
    case_id: UUID, *, errors: dict[str, str] | None = None, reason: str = "", shown: list[Revealed] | None = None, why: str = ""
) -> str:
    with reading() as connection:
        require_case(connection, actor(), case_id)
        head = case_page.head(connection, case_id=case_id)
        rows = bundles_of(connection, actor=actor(), case_id=case_id) if may_export(actor()) else []
    return render_template(
        "case/export.html", head=head, rows=rows, mine=actor().person_id, may_export=may_export(actor()), may_reveal=may_reveal(actor()) or head["handler_id"] == actor().person_id,
        may_open=may_reveal(actor()), errors=errors or {}, reason=reason, shown=shown, why=why,
    )
