"""为什么看得到、看不到: for a person and a case, a record, a function or a procedure, each way with whether it leads there."""
from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from engine.access.actors import RIGHTS, Actor
from engine.access.organisation import get_person
from engine.kernel.errors import GuichengError, Invalid, NotFound
from engine.runtime.queries import organisation, rights
from engine.web.admin_forms import require_reader
from engine.web.context import application, identifier, reading, today
from engine.web.more_acts import near

blueprint = Blueprint("admin_why", __name__)
NOBODY = "他没有在用的账号、岗位或单位，什么也看不到。"


@blueprint.get("/admin/why")
def page() -> ResponseReturnValue:
    require_reader()
    asked = {name: request.args.get(name, "").strip()[:300] for name in ("person", "thing", "right", "start")}
    values: dict[str, Any] = {"who": None, "answer": None, "message": ""}
    starts = sorted({(one.process, one.title) for one in application().catalogue.starts()}, key=lambda pair: pair[1])
    with reading() as connection:
        people = near(connection)
        if asked["person"]:
            id = identifier(asked["person"], "人员")
            values["who"] = get_person(connection, person_id=id)
            try:
                values["answer"] = _explain(connection, organisation.actor_in(connection, person_id=id, on=today()), asked)
            except GuichengError as problem:
                values["message"] = problem.message
    return render_template("admin/why.html", asked=asked, people=people, rights=RIGHTS, starts=starts, **values)


def _explain(connection: Connection, who: Actor | None, asked: dict[str, str]) -> dict[str, Any] | None:
    if not (asked["thing"] or asked["right"] or asked["start"]):
        return None
    if who is None:
        return {"title": "", "sees": False, "ways": [], "note": NOBODY}
    if asked["thing"]:
        return _thing(connection, who, asked["thing"])
    if asked["right"]:
        if asked["right"] not in RIGHTS:
            raise Invalid("没有这项功能，请重新选。")
        sees, found = rights.why_function(connection, who, asked["right"], on=today())
        return {"title": RIGHTS[asked["right"]].split("：")[0], "sees": sees, "ways": found, "can": True}
    sees, found = rights.why_start(application(), connection, who, asked["start"], on=today())
    return {"title": "发起 " + asked["start"], "sees": sees, "ways": found, "can": True}


def _thing(connection: Connection, who: Actor, text: str) -> dict[str, Any]:
    """A case by number or address, a record by the address of its page."""
    parts = [part for part in urlsplit(text).path.split("/") if part]
    if "registers" in parts and len(parts) >= parts.index("registers") + 4:
        pack, name, record = parts[parts.index("registers") + 1 : parts.index("registers") + 4]
        sees, found = rights.why_record(application(), connection, who, register=f"{pack}.{name}", record_id=identifier(record, "记录"))
        return {"title": "这条台账记录", "sees": sees, "ways": found}
    case_id = rights.find_case(connection, text)
    if case_id is None:
        raise NotFound("没有这个案号或地址的案件。台账记录请贴它那一页的地址。")
    sees, found = rights.why_case(connection, who, case_id)
    return {"title": "这件案件", "sees": sees, "ways": found}
