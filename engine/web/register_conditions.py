"""高级条件: a small editor for AND and OR over a register's fields; each press is a request, so it needs no script of its own.

The tree under edit travels as JSON in a hidden field; its controls are named by their place in it (``v.0.1`` is the second part of the
first part). What is typed is put into the tree before the pressed button is carried out.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from engine.kernel.errors import Invalid
from engine.registers.conditions import DEEPEST, MOST_LEAVES, offered, plain_condition, read_condition, verbs_of
from engine.registers.declaration import PLACED, Field, Register
from engine.registers.filters import LONGEST_TREE
from engine.runtime.queries.record_words import dictionaries_of
from engine.storage.tables.organisation import unit
from engine.web.context import actor, reading
from engine.web.registers import address, asked_of, wanted

blueprint = Blueprint("register_conditions", __name__)
WORDS: Mapping[str, str] = {"is": "是", "not": "不是", "has": "含有", "range": "在…之间", "empty": "填没填", "near": "在附近", "inside": "在范围内", "box": "在图幅内"}
HOW: Mapping[str, str] = {"all": "全都满足", "any": "满足任意一条", "none": "一条也不满足"}


@blueprint.get("/registers/<pack>/<name>/conditions")
def page(pack: str, name: str) -> ResponseReturnValue:
    register, _ = wanted(pack, name)
    asked = asked_of(register)
    tree: dict[str, Any] = {"all": []}
    if asked.where is not None:
        told = plain_condition(asked.where)
        tree = told if _how(told) else {"all": [told]}
    return _page(register, pack, name, tree)


@blueprint.post("/registers/<pack>/<name>/conditions")
def press(pack: str, name: str) -> ResponseReturnValue:
    """One press: add, take away, or look at the list with these conditions."""
    register, _ = wanted(pack, name)
    tree = _filled(_sent_tree(), "", register)
    act, _, place = request.form.get("act", "").partition(":")
    if act == "show":
        cleaned = _cleaned(tree)
        try:
            where = read_condition(cleaned, register) if cleaned and _leaves(cleaned) else None
            return redirect(address(pack, name, replace(asked_of(register), where=where)))
        except Invalid as problem:
            return _page(register, pack, name, tree, problem=problem.message), 422
    if act in ("leaf", "group") and _leaves(tree) < MOST_LEAVES:
        held = _at(tree, place)
        added: dict[str, Any] = {"field": _fields(register)[0].name} if act == "leaf" else {"any": []}
        held[_how(held)].append(added)
    elif act == "drop" and place:
        above, _, last = place.rpartition(".")
        held = _at(tree, above)
        del held[_how(held)][int(last)]
    return _page(register, pack, name, tree)


def _page(register: Register, pack: str, name: str, tree: Mapping[str, Any], *, problem: str = "") -> str:
    with reading() as connection:
        choices = _choices(connection, register)
    return render_template(
        "registers/conditions.html", register=register, pack=pack, name=name, tree=tree, told=orjson.dumps(tree).decode(), fields={one.name: one for one in _fields(register)}, verbs_of=verbs_of,
        words=WORDS, hows=HOW, choices=choices, problem=problem, deepest=DEEPEST, how_of=_how, verb_of=_verb, list_query=asked_of(register).address,
    )


def _fields(register: Register) -> list[Field]:
    return [one for one in offered(register) if one.type not in ("person", "record", *PLACED)]


def _choices(connection: Connection, register: Register) -> dict[str, list[tuple[str, str]]]:
    """What may be chosen, by field: a dictionary's titles, yes and no, the units at and below the reader's bureau."""
    fields = _fields(register)
    dictionaries = dictionaries_of(connection, fields)
    found = {one.name: [(code, entry.title) for code, entry in dictionaries[one.dictionary].entries.items()] for one in fields if one.dictionary in dictionaries}
    found |= {one.name: [("true", "是"), ("false", "否")] for one in fields if one.type == "boolean"}
    if any(one.type == "unit" for one in fields):
        near = unit.select().with_only_columns(unit.c.id, unit.c.short_name).where(unit.c.bureau == actor().bureau, unit.c.active).order_by(unit.c.path).limit(400)
        if actor().district_id is not None:
            near = near.where(unit.c.district_id == actor().district_id)
        units = [(str(row.id), row.short_name) for row in connection.execute(near)]
        found |= {one.name: units for one in fields if one.type == "unit"}
    return found


def _sent_tree() -> dict[str, Any]:
    try:
        tree = orjson.loads(request.form.get("tree", "")[:LONGEST_TREE])
    except orjson.JSONDecodeError:
        tree = None
    if not isinstance(tree, dict) or not _how(tree):
        raise Invalid("条件没有传完整，请回到列表重新打开高级条件。", code="bad_condition")
    return tree


def _how(tree: Mapping[str, Any]) -> str:
    """all, any or none where ``tree`` is a group, else nothing."""
    return next((how for how in HOW if isinstance(tree.get(how), list)), "")


def _verb(leaf: Mapping[str, Any]) -> str:
    return "range" if {"from", "to"} & set(leaf) else next((verb for verb in WORDS if verb in leaf), "")


def _at(tree: Any, place: str) -> Any:
    """The group at ``place`` ("" is the whole, "0.1" the second part of the first); raises Invalid."""
    try:
        for step in filter(None, place.split(".")):
            tree = tree[_how(tree)][int(step)]
    except (KeyError, IndexError, ValueError, TypeError):
        raise Invalid("条件没有传完整，请回到列表重新打开高级条件。", code="bad_condition") from None
    return tree


def _filled(tree: Mapping[str, Any], place: str, register: Register, depth: int = 0) -> dict[str, Any]:
    """The tree with what was chosen and typed in the controls of this press."""
    if depth > DEEPEST:
        raise Invalid(f"条件最多套 {DEEPEST} 层。", code="bad_condition")
    how = _how(tree)
    if how:
        parts = [_filled(part, f"{place}.{at}".lstrip("."), register, depth + 1) for at, part in enumerate(tree[how]) if isinstance(part, dict)]
        chosen = request.form.get(f"h.{place}", how)
        return {chosen if chosen in HOW else how: parts}
    fields = {one.name: one for one in _fields(register)}
    name = request.form.get(f"f.{place}")
    if name is None or name not in fields:
        return dict(tree)
    verbs = verbs_of(fields[name])
    verb = request.form.get(f"o.{place}", "")
    verb = verb if verb in verbs and name == tree.get("field") else verbs[0]
    return {"field": name, **_typed(place, verb)}


def _typed(place: str, verb: str) -> dict[str, Any]:
    if verb == "range":
        return {end: request.form.get(f"{end}.{place}", "").strip() for end in ("from", "to")}
    if verb == "empty":
        return {"empty": request.form.get(f"e.{place}") != "no"}
    return {verb: [value.strip() for value in request.form.getlist(f"v.{place}") if value.strip()]}


def _cleaned(tree: Mapping[str, Any]) -> dict[str, Any] | None:
    """Without lines that say nothing yet and groups that hold none."""
    how = _how(tree)
    if how:
        parts = [part for part in (_cleaned(part) for part in tree[how]) if part]
        return {how: parts} if parts else None
    said = {key: value for key, value in tree.items() if key == "field" or value not in ("", [], None)}
    return said if len(said) > 1 else None


def _leaves(tree: Mapping[str, Any]) -> int:
    how = _how(tree)
    return sum(_leaves(part) for part in tree[how]) if how else 1
