"""统计查询结果: a register's list as it is narrowed, added up by one of its fields; every figure opens its list."""
from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from engine.registers.conditions import Condition, Group, read_condition
from engine.registers.declaration import Register
from engine.registers.filters import Asked
from engine.runtime.queries.record_words import dictionaries_of
from engine.runtime.queries.register_tally import Tallied, groupings, summed, tally
from engine.storage.bounded import bounded
from engine.storage.tables.organisation import unit
from engine.web.context import actor, application
from engine.web.registers import address, asked_of, wanted

blueprint = Blueprint("register_tally", __name__)


@blueprint.get("/registers/<pack>/<name>/tally")
def page(pack: str, name: str) -> ResponseReturnValue:
    register, table = wanted(pack, name)
    asked, offered = asked_of(register), groupings(register)
    by = request.args.get("by") or offered[0].name
    with bounded(application().db, seconds=10) as connection:
        rows = tally(connection, actor=actor(), register=register, table=table, asked=asked, by=by)
        field = next(one for one in offered if one.name == by)
        words: dict[Any, str] = {True: "是", False: "否"}
        if field.type == "unit":
            words = {row.id: row.short_name for row in connection.execute(select(unit.c.id, unit.c.short_name).where(unit.c.id.in_([row.value for row in rows if row.value])))}
        elif field.dictionary:
            words = {code: entry.title for code, entry in dictionaries_of(connection, [field])[field.dictionary].entries.items()}
    told = [(words.get(row.value, str(row.value)) if row.value is not None else "未填", _behind(pack, name, register, asked, by, row), row) for row in rows]
    back = url_for("registers.listed", pack=pack, name=name) + (f"?{asked.address}" if asked.address else "")
    return render_template(
        "registers/tally.html", register=register, pack=pack, name=name, asked=asked, back=back, by=by, offered=offered, sums=summed(register), rows=told, total=sum(row.count for row in rows),
        totals=[sum((row.sums[place] or 0) for row in rows) for place in range(len(summed(register)))], most=max((row.count for row in rows), default=1),
    )


def _behind(pack: str, name: str, register: Register, asked: Asked, by: str, row: Tallied) -> str:
    """The list with this group alone, on top of what it is narrowed to."""
    value = row.value if not isinstance(row.value, UUID) else str(row.value)
    leaf = {"field": by, "empty": True} if row.value is None else {"field": by, "is": ["true" if value is True else "false" if value is False else value]}
    parts: list[Condition] = [*([asked.where] if asked.where else []), read_condition(leaf, register)]
    return address(pack, name, replace(asked, where=Group(how="all", parts=parts)))
