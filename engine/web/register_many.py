"""勾选的记录一次改一栏或一次删除: choosing, then one result per record."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.form_filling.render import render_form
from engine.registers.declaration import Field, Register
from engine.runtime.change_many import Result, remove_many, set_on_many, settable
from engine.runtime.form_context import form_context
from engine.runtime.queries.record_titles import titles_among
from engine.runtime.record_form import form_of_field
from engine.runtime.register_rights import require_editor
from engine.web.answers import done
from engine.web.context import actor, application, identifier, now, reading, today
from engine.web.registers import wanted
from engine.web.task_form import addresses

blueprint = Blueprint("register_many", __name__)


@blueprint.post("/registers/<pack>/<name>/many")
def choose(pack: str, name: str) -> ResponseReturnValue:
    """The ticked records and the one field to set on them; nothing is changed yet."""
    register, table = wanted(pack, name)
    offered = settable(register)
    field = next((one for one in offered if one.name == request.form.get("field")), offered[0] if offered else None)
    with reading() as connection:
        require_editor(connection, register=register, actor=actor(), unit_id=actor().unit_id, on=today())
        chosen = titles_among(connection, actor=actor(), register=register, table=table, ids=_ids())
        html = _box(connection, register, field, pack, name) if field else None
    return render_template("registers/many.html", register=register, pack=pack, name=name, chosen=chosen, offered=offered, field=field, html=html)


@blueprint.post("/registers/<pack>/<name>/many/set")
def change(pack: str, name: str) -> ResponseReturnValue:
    register, _ = wanted(pack, name)
    field = next((one for one in settable(register) if one.name == request.form.get("field")), None)
    value: Any = form_of_field(application(), register, field).read_html(request.form).get(field.name) if field else None
    results = set_on_many(
        application(), actor=actor(), register=register.name, ids=_ids(), field=field.name if field else "", value=value, reason=request.form.get("reason", ""),
        how=request.form.get("how", "set"), at=now(),
    )
    return _told(register, pack, name, results, "改好")


@blueprint.post("/registers/<pack>/<name>/many/remove")
def remove(pack: str, name: str) -> ResponseReturnValue:
    register, _ = wanted(pack, name)
    results = remove_many(application(), actor=actor(), register=register.name, ids=_ids(), reason=request.form.get("reason", ""), at=now())
    return _told(register, pack, name, results, "删除")


def _ids() -> list[UUID]:
    return [identifier(text, "记录") for text in dict.fromkeys(request.form.getlist("id"))]


def _box(connection: Any, register: Register, field: Field, pack: str, name: str) -> Any:
    form = form_of_field(application(), register, field)
    url = addresses("register_edit.live", pack=pack, name=name)
    return render_form(form, data={}, rights={"*": "write"}, errors={}, context=form_context(application(), connection, actor=actor(), form=form, at=now(), url=url))


def _told(register: Register, pack: str, name: str, results: list[Result], word: str) -> ResponseReturnValue:
    refused = [one for one in results if one.message]
    if not refused:
        return done(url_for("registers.listed", pack=pack, name=name), f"{word}了 {len(results)} 条。")
    return render_template("registers/many_results.html", register=register, pack=pack, name=name, results=results, refused=refused, word=word)
