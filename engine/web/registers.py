"""台账: the registers there are, their records narrowed and ordered as the address says, one record with its history."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, Table, select

from engine.access.assignment import holds_role
from engine.form_filling.context import AttachmentMeta
from engine.registers.catalogue import get_register, registers_of
from engine.registers.conditions import told_condition
from engine.registers.declaration import Field, Register
from engine.registers.filters import RANGES, VALIDITY, Asked, Condition, filterable, read_asked
from engine.registers.granted import for_reader
from engine.registers.views import remove_view, save_view, views_of
from engine.runtime.compress_attachment import compression_of
from engine.runtime.draw_sample import may_draw
from engine.runtime.queries import registers as query
from engine.runtime.queries.officer import may_see_officer
from engine.runtime.queries.pages import Option
from engine.runtime.queries.record_words import dictionaries_of
from engine.runtime.queries.register_map import small_shape
from engine.runtime.queries.related import files_of, pointing_at
from engine.runtime.register_rights import may_edit, may_export, may_import
from engine.runtime.start_case import may_start
from engine.runtime.urge_task import anybody_to_urge, urge_record
from engine.storage.tables.organisation import unit
from engine.web.answers import done
from engine.web.context import actor, application, identifier, new_key, now, reading, sent_key, today, writing

blueprint = Blueprint("registers", __name__)
PAGING = ("after", "n")


@dataclass(frozen=True, kw_only=True)
class Filter:
    """One filter as the page draws it. ``kind``: choice, range, date or text; ``said`` is what is chosen, in words."""

    field: Field
    kind: str
    options: list[Option]
    condition: Condition | None
    said: str


def wanted(pack: str, name: str) -> tuple[Register, Table]:
    """The register of an address as the reader knows it; raises NotFound."""
    register, table = get_register(application().library, f"{pack}.{name}")
    return for_reader(register, actor()), table


def asked_of(register: Register) -> Asked:
    """What this request's address asks of the register's list."""
    return read_asked(register, request.args.items(multi=True), on=today())


@blueprint.get("/registers")
def page() -> ResponseReturnValue:
    packs = application().catalogue.packs
    groups: dict[str, list[dict[str, str]]] = {}
    for name, (register, _) in sorted(registers_of(application().library).items()):
        pack, bare = name.split(".", 1)
        groups.setdefault(packs[pack].title if pack in packs else pack, []).append({"pack": pack, "name": bare, "title": register.title})
    return render_template("registers/page.html", groups=groups)


@blueprint.get("/registers/<pack>/<name>")
def listed(pack: str, name: str) -> ResponseReturnValue:
    register, table = wanted(pack, name)
    asked = asked_of(register)
    with reading() as connection:
        records = query.listed(
            connection, actor=actor(), register=register, table=table, asked=asked, after=request.args.get("after"), before=request.args.get("n", 0, type=int),
        )
        views = views_of(connection, person_id=actor().person_id, register=register.name)
        filters = [_filter(connection, field, asked.conditions.get(field.name)) for field in filterable(register)]
        editor = may_edit(connection, register=register, actor=actor(), unit_id=actor().unit_id, on=today())
        imports = may_import(connection, register=register, actor=actor(), on=today())
        where = told_where(connection, register, asked)
        draws = may_draw(connection, register=register, actor=actor(), at=now())
    return render_template(
        "registers/list.html", said_where=where, draws=draws, imports=imports, exports=may_export(register, actor()), register=register, records=records, pack=pack, name=name, asked=asked, filters=filters, views=views, editor=editor,
        columns=query.shown_fields(register, asked), maps={row.id: shape for row in records.rows if (shape := small_shape(row, register.placed))}, here_query=asked.address, can_search=any(f.search and not f.secret for f in register.fields.values()),
    )


def told_where(connection: Connection, register: Register, asked: Asked) -> str:
    """The list's tree of conditions in words; empty without one."""
    if asked.where is None:
        return ""
    dictionaries = dictionaries_of(connection, list(register.fields.values()))
    units = {str(id): name for id, name in connection.execute(select(unit.c.id, unit.c.short_name))} if '"unit_id"' in asked_text(asked) or any(f.type == "unit" for f in register.fields.values()) else {}

    def title(field: Field, value: str) -> str:
        if field.type == "boolean":
            return "是" if value == "true" else "否"
        found = dictionaries.get(field.dictionary)
        return found.title(value) if found else units.get(value, value)

    return told_condition(asked.where, title)


def asked_text(asked: Asked) -> str:
    """The tree as its address has it."""
    return next((value for key, value in asked.pairs if key == "w"), "")


def _filter(connection: Connection, field: Field, condition: Condition | None) -> Filter:
    options: list[Option] = []
    if field.type == "boolean":
        options = [Option(value="true", title="是"), Option(value="false", title="否")]
    elif field.type == "validity":
        options = [Option(value=code, title=title) for code, title in VALIDITY.items()]
    elif field.type in ("choice", "choices"):
        found = dictionaries_of(connection, [field]).get(field.dictionary)
        options = [Option(value=code, title=entry.title) for code, entry in found.entries.items()] if found else []
    kind = "choice" if field.type in ("choice", "choices", "boolean", "validity") else "text" if field.found or field.type == "tags" else "date" if field.type.startswith("date") else "range"
    return Filter(field=field, kind=kind, options=options, condition=condition, said=_said(field, condition, {one.value: one.title for one in options}))


def _said(field: Field, condition: Condition | None, titles: Mapping[str, str]) -> str:
    if condition is None:
        return "不限" if field.type in RANGES or field.found or field.type == "tags" else "全部"
    if condition.codes:
        return titles.get(condition.codes[0], "") if len(condition.codes) == 1 else f"{len(condition.codes)} 个"
    if condition.text:
        return f"含“{condition.text}”"
    if condition.low and condition.high:
        return f"{condition.low} 至 {condition.high}"
    return f"{condition.low} 起" if condition.low else f"至 {condition.high}"


@blueprint.post("/registers/<pack>/<name>/views")
def keep_view(pack: str, name: str) -> ResponseReturnValue:
    """Keep this list's filters, order and columns under a name."""
    register, _ = wanted(pack, name)
    asked = asked_of(register)
    with writing() as connection:
        save_view(connection, person_id=actor().person_id, register=register.name, title=request.form.get("title", ""), query=asked.address, at=now())
    return redirect(address(pack, name, asked))


@blueprint.post("/registers/<pack>/<name>/views/<view_id>/remove")
def drop_view(pack: str, name: str, view_id: str) -> ResponseReturnValue:
    register, _ = wanted(pack, name)
    with writing() as connection:
        remove_view(connection, person_id=actor().person_id, view_id=identifier(view_id, "常用列表"))
    return redirect(address(pack, name, asked_of(register)))


def address(pack: str, name: str, asked: Asked) -> str:
    """The list's address with everything that ``asked`` says."""
    return url_for("registers.listed", pack=pack, name=name) + (f"?{asked.address}" if asked.address else "")


@blueprint.get("/registers/<pack>/<name>/<record_id>")
def one(pack: str, name: str, record_id: str) -> ResponseReturnValue:
    register, table = wanted(pack, name)
    with reading() as connection:
        record, history = query.one(connection, actor=actor(), register=register, table=table, record_id=identifier(record_id, "记录"))
        editor = may_edit(connection, register=register, actor=actor(), unit_id=record.unit_id, on=today())
        files = files_of(connection, record_id=record.id)
        values = {
            "compressed": {str(id): row for id, row in compression_of(connection, attachment_ids=map(UUID, files)).items()} if files else {},
            "register": register, "record": record, "history": history, "pack": pack, "name": name, "editor": editor,
            "files": files, "gone": _gone(register, record, files), "change_at": _change_at(connection, register, record),
            "related": pointing_at(application(), connection, actor=actor(), register=register.name, record_id=record.id),
            "linked": _linked(connection, register, record), "urge_key": _urge_key(connection, register, record),
        }
    return render_template("registers/one.html", **values)


def _urge_key(connection: Connection, register: Register, record: query.Record) -> str:
    """For one urging of who holds the record's case; empty where the reader may not."""
    may = register.urges is not None and record.case_id is not None and holds_role(connection, role=register.urges, posts=actor().posts, on=today())
    return new_key() if may and anybody_to_urge(connection, actor=actor(), case_id=record.case_id) else ""


@blueprint.post("/registers/<pack>/<name>/<record_id>/urge")
def urge(pack: str, name: str, record_id: str) -> ResponseReturnValue:
    """Urge whoever holds a step of the record's case."""
    register, _ = wanted(pack, name)
    urge_record(
        application(), actor=actor(), register=register.name, record_id=identifier(record_id, "记录"), words=request.form.get("words", ""), key=sent_key(), at=now(),
    )
    return done(url_for("registers.one", pack=pack, name=name, record_id=record_id), "已催办，对方收到了通知。")


def _gone(register: Register, record: query.Record, files: Mapping[str, AttachmentMeta]) -> list[AttachmentMeta]:
    """Files of the record that no field names any more: taken out, still kept."""
    named = {entry["id"] for one in register.fields.values() if one.type == "files" for entry in record.values[one.name] or ()}
    return [meta for id, meta in files.items() if id not in named]


def _linked(connection: Connection, register: Register, record: query.Record) -> dict[str, str]:
    """Addresses of what the record's fields name: other records, and the pages of people whom the reader is above."""
    found = {f.name: url_for("registers.one", record_id=record.values[f.name], **_place(f.register)) for f in register.fields.values() if f.type == "record" and record.values[f.name]}
    for f in register.fields.values():
        who = record.values[f.name] if f.type == "person" and not f.secret else None
        if who and may_see_officer(connection, reader=actor(), person_id=who, on=today()):
            found[f.name] = url_for("officers.one", person_id=who)
    return found


def _place(register: str | None) -> dict[str, Any]:
    pack, name = str(register).split(".", 1)
    return {"pack": pack, "name": name}


def _change_at(connection: Connection, register: Register, record: query.Record) -> str | None:
    """Where a change of the record is asked for, when that is a procedure and the reader may start it."""
    start = next((one for one in application().catalogue.starts() if one.process == register.process), None)
    if start is None or not may_start(application(), connection, actor=actor(), role=start.role, at=now()):
        return None
    return url_for("start.form", **{**_place(start.process), f"f.{register.name.split('.', 1)[1]}": str(record.id)})
