"""台账的登记、修改、删除: the record's form, made from the register's declaration."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from engine.form_filling.live import live_html
from engine.form_filling.render import render_form
from engine.kernel.errors import Invalid
from engine.registers.declaration import Register
from engine.registers.duplicates import find_alike
from engine.registers.scope import visible
from engine.runtime.edit_record import change_record, create_record, remove_record
from engine.runtime.form_context import form_context
from engine.runtime.queries import registers as query
from engine.runtime.record_form import answers_of_record, form_of_register
from engine.runtime.register_rights import require_editor
from engine.web.answers import done
from engine.web.context import actor, application, identifier, new_key, now, reading, sent_key, today, writing
from engine.web.registers import wanted
from engine.web.task_form import addresses

blueprint = Blueprint("register_edit", __name__)
ALL: Mapping[str, Any] = {"*": "write"}


@blueprint.get("/registers/<pack>/<name>/new")
def new(pack: str, name: str) -> ResponseReturnValue:
    return _new_page(pack, name)


@blueprint.post("/registers/<pack>/<name>/new")
def create(pack: str, name: str) -> ResponseReturnValue:
    register, _ = wanted(pack, name)
    data = form_of_register(application(), register, new=True).read_html(request.form)
    try:
        id = create_record(application(), actor=actor(), register=register.name, data=data, key=identifier(sent_key(), "表"), at=now())
    except Invalid as error:
        if not error.fields:
            raise
        return _new_page(pack, name, sent=data, errors=error.fields), 422
    alike = _count_alike(register, pack, name, id)
    if alike:
        return done(url_for("register_alike.of_record", pack=pack, name=name, record_id=id), f"已登记。有 {alike} 条可能重复，请核对；确是同一处就合并。")
    return done(url_for("registers.one", pack=pack, name=name, record_id=id), "已登记。")


def _count_alike(register: Register, pack: str, name: str, id: UUID) -> int:
    """How many records may be the one just made: asked of registers that have points."""
    _, table = wanted(pack, name)
    if not any(one.type == "point" for one in register.placed):
        return 0
    with reading() as connection:
        record, _ = query.one(connection, actor=actor(), register=register, table=table, record_id=id)
        return len(find_alike(connection, register=register, table=table, seen=visible(register, table, actor(), table.c.id), values=record.values, without=id))


@blueprint.get("/registers/<pack>/<name>/<record_id>/edit")
def edit(pack: str, name: str, record_id: str) -> ResponseReturnValue:
    return _edit_page(pack, name, record_id)


@blueprint.post("/registers/<pack>/<name>/<record_id>/edit")
def change(pack: str, name: str, record_id: str) -> ResponseReturnValue:
    register, _ = wanted(pack, name)
    data = form_of_register(application(), register, new=False).read_html(request.form)
    try:
        changes = change_record(
            application(), actor=actor(), register=register.name, record_id=identifier(record_id, "记录"), data=data, reason=request.form.get("reason", ""),
            rev=request.form.get("rev", ""), at=now(),
        )
    except Invalid as error:
        if not error.fields:
            raise
        return _edit_page(pack, name, record_id, sent=data, errors=error.fields), 422
    return done(url_for("registers.one", pack=pack, name=name, record_id=record_id), f"已保存，改了 {len(changes)} 项。" if changes else "没有改动，内容和原来一样。")


@blueprint.post("/registers/<pack>/<name>/<record_id>/remove")
def remove(pack: str, name: str, record_id: str) -> ResponseReturnValue:
    register, _ = wanted(pack, name)
    remove_record(
        application(), actor=actor(), register=register.name, record_id=identifier(record_id, "记录"), reason=request.form.get("reason", ""),
        rev=request.form.get("rev", ""), at=now(),
    )
    return done(url_for("registers.listed", pack=pack, name=name), "已从台账删除，记录和改动经过仍然保存。")


@blueprint.post("/registers/<pack>/<name>/live")
def live(pack: str, name: str) -> ResponseReturnValue:
    """Answer a change in an open form: a narrowed dictionary, a sum in capitals."""
    register, _ = wanted(pack, name)
    form = form_of_register(application(), register, new=True)
    with writing() as connection:
        require_editor(connection, register=register, actor=actor(), unit_id=actor().unit_id, on=today())
        context = form_context(application(), connection, actor=actor(), form=form, at=now(), url=addresses("register_edit.live", pack=pack, name=name))
        return live_html(form, posted=request.form, rights=ALL, context=context)


def _new_page(pack: str, name: str, *, sent: Mapping[str, Any] | None = None, errors: Mapping[str, str] | None = None) -> str:
    register, _ = wanted(pack, name)
    with reading() as connection:
        require_editor(connection, register=register, actor=actor(), unit_id=actor().unit_id, on=today())
        html = _html(connection, register, pack, name, sent or {}, errors or {}, record_id=None)
    key = request.form.get("key") or new_key()
    return render_template("registers/form.html", register=register, pack=pack, name=name, html=html, key=key, record=None, errors=errors or {}, reason="")


def _edit_page(pack: str, name: str, record_id: str, *, sent: Mapping[str, Any] | None = None, errors: Mapping[str, str] | None = None) -> str:
    register, table = wanted(pack, name)
    with reading() as connection:
        record, _ = query.one(connection, actor=actor(), register=register, table=table, record_id=identifier(record_id, "记录"))
        require_editor(connection, register=register, actor=actor(), unit_id=record.unit_id, on=today())
        shown = answers_of_record(register, record.values) if sent is None else sent
        html = _html(connection, register, pack, name, shown, errors or {}, record_id=record.id)
    return render_template(
        "registers/form.html", register=register, pack=pack, name=name, html=html, key="", record=record, errors=errors or {},
        reason=request.form.get("reason", ""), rev=request.form.get("rev") or record.rev,
    )


def _html(
    connection: Connection, register: Register, pack: str, name: str, data: Mapping[str, Any], errors: Mapping[str, str], *, record_id: UUID | None,
) -> str:
    form = form_of_register(application(), register, new=record_id is None)
    url = addresses("register_edit.live", pack=pack, name=name)
    context = form_context(application(), connection, actor=actor(), form=form, at=now(), url=url, data=data, record_id=record_id)
    told = {path: text for path, text in errors.items() if path != "reason"}
    return render_form(form, data=data, rights=ALL, errors=told, context=context)
