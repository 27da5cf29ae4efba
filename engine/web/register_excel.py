"""台账和 Excel: a list as a file, the template, an import from upload to undo, and how far each of them is."""
from __future__ import annotations

import tempfile
from pathlib import Path
from urllib.parse import quote, urlencode

import orjson
from flask import Blueprint, Response, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from engine.kernel.datums import DATUMS
from engine.kernel.errors import NotFound
from engine.registers.declaration import PLACED, Register
from engine.registers.duplicates import compared
from engine.registers.excel import write_template
from engine.registers.transfers import UNDER_WAY, percent, recent_transfers, transfer_of
from engine.runtime.export_register import export_list, file_name, mark_of
from engine.runtime.import_register import cancel_transfer, confirm_import, require_import, start_import, undo_import
from engine.runtime.queries.record_words import dictionaries_of
from engine.web.answers import done
from engine.web.context import actor, application, identifier, now, reading, today
from engine.web.registers import asked_of, wanted

blueprint = Blueprint("register_excel", __name__)
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.post("/registers/<pack>/<name>/export")
def export(pack: str, name: str) -> ResponseReturnValue:
    """This very list as a file; a long one is made by the worker."""
    register, _ = wanted(pack, name)
    made = export_list(application(), actor=actor(), register=register.name, asked=asked_of(register), at=now())
    if made.sm3 is None:
        return done(url_for("register_excel.one", pack=pack, name=name, transfer_id=made.transfer_id))
    return _file(made.sm3, file_name(register, now()))


def _file(sm3: str, name: str) -> Response:
    answer = send_file(application().blobs.path(sm3), mimetype=EXCEL)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return answer


@blueprint.get("/registers/<pack>/<name>/template.xlsx")
def template(pack: str, name: str) -> ResponseReturnValue:
    register, _ = wanted(pack, name)
    require_import(application(), register, actor(), now())
    with reading() as connection:
        dictionaries = dictionaries_of(connection, list(register.fields.values()))
    with tempfile.TemporaryDirectory(prefix="guicheng-template-") as folder:
        path = Path(folder) / "template.xlsx"
        write_template(path, register, dictionaries, on=today(), mark=mark_of(actor(), now(), "下载模板"))
        answer = Response(path.read_bytes(), mimetype=EXCEL)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(f'{register.title} 模板.xlsx')}"
    return answer


@blueprint.get("/registers/<pack>/<name>/import")
def bring(pack: str, name: str) -> ResponseReturnValue:
    register, _ = wanted(pack, name)
    require_import(application(), register, actor(), now())
    with reading() as connection:
        recent = recent_transfers(connection, register=register.name, person_id=actor().person_id)
    fields = [one for one in register.fields.values() if one.carried]
    return render_template("registers/import.html", register=register, pack=pack, name=name, recent=recent, fields=fields, placed=[one for one in fields if one.type in PLACED], locating=compared(register)[:2], datums=DATUMS)


@blueprint.post("/registers/<pack>/<name>/import")
def upload(pack: str, name: str) -> ResponseReturnValue:
    register, _ = wanted(pack, name)
    sent = request.files.get("file")
    id = start_import(
        application(), actor=actor(), register=register.name, name=sent.filename or "" if sent else "", data=sent.read() if sent else b"", at=now(),
        options=request.form,
    )
    return done(url_for("register_excel.one", pack=pack, name=name, transfer_id=id))


@blueprint.get("/registers/<pack>/<name>/transfers/<transfer_id>")
def one(pack: str, name: str, transfer_id: str) -> ResponseReturnValue:
    """How far it is, what was found, what can be done next; looks again by itself while the worker is at it."""
    register, _ = wanted(pack, name)
    with reading() as connection:
        row = transfer_of(connection, id=identifier(transfer_id, "导入或导出"), register=register.name, person_id=actor().person_id)
    return render_template(
        "registers/transfer.html", register=register, pack=pack, name=name, row=row, percent=percent(row), busy=row["state"] in UNDER_WAY and not row["cancelled"],
        unplaced=_unplaced(register),
    )


def _unplaced(register: Register) -> str:
    """The list's query for records without a place; empty for a register that has none."""
    point = compared(register)[0]
    return urlencode({"w": orjson.dumps({"field": point.name, "empty": True}).decode()}) if point else ""


@blueprint.get("/registers/<pack>/<name>/transfers/<transfer_id>/file")
def result(pack: str, name: str, transfer_id: str) -> ResponseReturnValue:
    register, _ = wanted(pack, name)
    with reading() as connection:
        row = transfer_of(connection, id=identifier(transfer_id, "导入或导出"), register=register.name, person_id=actor().person_id)
    if row["result_sm3"] is None:
        raise NotFound("还没有可以下载的文件。")
    return _file(row["result_sm3"], row["file_name"] if row["kind"] == "export" else f"{register.title} 有错的行.xlsx")


@blueprint.post("/registers/<pack>/<name>/transfers/<transfer_id>/<any(confirm, cancel, undo):act>")
def handle(pack: str, name: str, transfer_id: str, act: str) -> ResponseReturnValue:
    register, _ = wanted(pack, name)
    id = identifier(transfer_id, "导入或导出")
    if act == "confirm":
        confirm_import(application(), actor=actor(), register=register.name, import_id=id, at=now(), rows=request.form.get("rows", ""))
    elif act == "undo":
        undo_import(application(), actor=actor(), register=register.name, import_id=id, at=now())
    else:
        cancel_transfer(application(), actor=actor(), register=register.name, transfer_id=id, at=now())
    return done(url_for("register_excel.one", pack=pack, name=name, transfer_id=id))
