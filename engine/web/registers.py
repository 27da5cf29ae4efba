"""台账: the registers there are, their records, one record with its history."""
from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from engine.registers.catalogue import get_register, registers_of
from engine.runtime.queries import registers as query
from engine.web.context import actor, application, identifier, reading

blueprint = Blueprint("registers", __name__)


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
    register, table = get_register(application().library, f"{pack}.{name}")
    asked = request.args.get("q", "").strip()[:100]
    with reading() as connection:
        records = query.listed(
            connection, actor=actor(), register=register, table=table, query=asked, after=request.args.get("after"), before=request.args.get("n", 0, type=int),
        )
    return render_template("registers/list.html", register=register, records=records, pack=pack, name=name, asked=asked)


@blueprint.get("/registers/<pack>/<name>/<record_id>")
def one(pack: str, name: str, record_id: str) -> ResponseReturnValue:
    register, table = get_register(application().library, f"{pack}.{name}")
    with reading() as connection:
        record, history = query.one(connection, actor=actor(), register=register, table=table, record_id=identifier(record_id, "记录"))
    return render_template("registers/one.html", register=register, record=record, history=history, pack=pack, name=name)
