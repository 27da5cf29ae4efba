"""组织和 Excel: the template, the organisation as a file, an import from upload to undo."""
from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from engine.access.organisation import units_below
from engine.kernel.errors import NotFound
from engine.registers.transfers import UNDER_WAY, recent_transfers, transfer_of
from engine.runtime.organisation_file.bring import bring_file, cancel_file, confirm_file, undo_file
from engine.runtime.organisation_file.shape import NAME, NOTES, SHEETS
from engine.runtime.organisation_file.take_out import take_out, template
from engine.runtime.organisation_file.write import changes_of
from engine.runtime.organising.perform import ADMIN
from engine.web.admin_forms import require_reader, require_right, said, tried
from engine.web.answers import done
from engine.web.confirm import is_stale, sensitive
from engine.web.context import actor, application, identifier, now, reading
from engine.web.register_excel import EXCEL

blueprint = Blueprint("admin_file", __name__)
SHOWN = 200


@blueprint.get("/admin/organisation/file")
def page() -> ResponseReturnValue:
    """Take out, fill in, bring in: and what was brought lately."""
    require_reader()
    with reading() as connection:
        recent = recent_transfers(connection, register=NAME, person_id=actor().person_id)
        units = units_below(connection)
    return render_template("admin/file.html", recent=recent, units=units, parts=SHEETS, notes=NOTES, may=ADMIN in actor().rights)


@blueprint.get("/admin/organisation/file/template.xlsx")
def empty() -> ResponseReturnValue:
    return _excel(template(application(), actor=actor(), at=now()), "组织 模板.xlsx")


@blueprint.post("/admin/organisation/file/export")
def export() -> ResponseReturnValue:
    """The whole organisation, or what is at and below one unit."""
    require_reader()
    return _excel(take_out(application(), actor=actor(), path=said("path")[:300], at=now()), f"组织 {now():%Y%m%d}.xlsx")


def _excel(data: bytes, name: str) -> Response:
    answer = Response(data, mimetype=EXCEL)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return answer


@blueprint.post("/admin/organisation/file")
def bring() -> ResponseReturnValue:
    require_right(ADMIN)
    sent = request.files.get("file")
    id = bring_file(application(), actor=actor(), name=sent.filename or "" if sent else "", data=sent.read() if sent else b"", at=now())
    return done(url_for("admin_file.one", transfer_id=id))


@blueprint.get("/admin/organisation/file/<transfer_id>")
def one(transfer_id: str) -> ResponseReturnValue:
    """What was found, what would be done or was, and what can be done next."""
    require_reader()
    return _one(transfer_id)


def _one(transfer_id: str, message: str = "", errors: dict[str, str] | None = None) -> str:
    id = identifier(transfer_id, "导入")
    with reading() as connection:
        row = transfer_of(connection, id=id, register=NAME, person_id=actor().person_id)
        changes = changes_of(connection, import_id=id, limit=SHOWN)
    return render_template("admin/file_one.html", row=row, changes=changes, shown=SHOWN, busy=row["state"] in UNDER_WAY, message=message, errors=errors or {}, may=ADMIN in actor().rights, stale=ADMIN in actor().rights and is_stale())


@blueprint.get("/admin/organisation/file/<transfer_id>/wrong.xlsx")
def wrong(transfer_id: str) -> ResponseReturnValue:
    """The rows that were wrong, cells in red, to put right and bring again."""
    require_reader()
    with reading() as connection:
        row = transfer_of(connection, id=identifier(transfer_id, "导入"), register=NAME, person_id=actor().person_id)
    if row["result_sm3"] is None:
        raise NotFound("没有有错的行。")
    answer = send_file(application().blobs.path(row["result_sm3"]), mimetype=EXCEL)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote('组织 有错的行.xlsx')}"
    return answer


@blueprint.post("/admin/organisation/file/<transfer_id>/<any(confirm, cancel, undo):act>")
@sensitive
def handle(transfer_id: str, act: str) -> ResponseReturnValue:
    require_right(ADMIN)
    id = identifier(transfer_id, "导入")

    def do() -> str:
        if act == "confirm":
            confirm_file(application(), actor=actor(), import_id=id, reason=said("reason"), at=now())
        elif act == "undo":
            undo_file(application(), actor=actor(), import_id=id, at=now())
        else:
            cancel_file(application(), actor=actor(), import_id=id, at=now())
        return ""

    return tried(do, location=url_for("admin_file.one", transfer_id=id), again=lambda message, errors: _one(transfer_id, message, errors))
