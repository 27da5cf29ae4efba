"""合并重复: two records side by side, which value stays, and why they are one thing."""
from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, Table

from engine.registers.declaration import Register
from engine.runtime.merge_records import merge_records
from engine.runtime.queries import registers as query
from engine.runtime.register_rights import require_editor
from engine.web.answers import done
from engine.web.context import actor, application, identifier, now, reading, today
from engine.web.registers import wanted

blueprint = Blueprint("register_merge", __name__)


@blueprint.get("/registers/<pack>/<name>/<record_id>/merge")
def compare(pack: str, name: str, record_id: str) -> ResponseReturnValue:
    """Pick the other record, then see both beside each other."""
    register, table = wanted(pack, name)
    asked = request.args.get("other", "")
    with reading() as connection:
        record = _one(connection, register, table, record_id)
        other = _one(connection, register, table, asked) if asked else None
    rows = []
    if other is not None:
        for field in register.fields.values():
            mine, theirs = record.cells[field.name], other.cells[field.name]
            if mine or theirs:
                rows.append({"field": field, "mine": mine, "theirs": theirs, "same": mine == theirs and not field.secret, "theirs_first": bool(theirs and not mine)})
    return render_template("registers/merge.html", register=register, pack=pack, name=name, record=record, other=other, rows=rows)


@blueprint.post("/registers/<pack>/<name>/<record_id>/merge")
def merge(pack: str, name: str, record_id: str) -> ResponseReturnValue:
    register, _ = wanted(pack, name)
    keep, gone = identifier(record_id, "记录"), identifier(request.form.get("other", ""), "记录")
    taken = frozenset(field for field in register.fields if request.form.get(f"take.{field}") == "theirs")
    revs = {keep: request.form.get("rev", ""), gone: request.form.get("other_rev", "")}
    merge_records(application(), actor=actor(), register=register.name, keep_id=keep, gone_id=gone, taken=taken, reason=request.form.get("reason", ""), revs=revs, at=now())
    return done(url_for("registers.one", pack=pack, name=name, record_id=keep), "已合并成一条，另一条和它的改动经过仍然保存。")


def _one(connection: Connection, register: Register, table: Table, id: str) -> query.Record:
    record, _ = query.one(connection, actor=actor(), register=register, table=table, record_id=identifier(id, "记录"))
    require_editor(connection, register=register, actor=actor(), unit_id=record.unit_id, on=today())
    return record
