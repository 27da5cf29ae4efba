"""A tree of conditions under edit: AND and OR over a list's fields; each press of its page is a request, so it needs no script of its own.

The tree travels as JSON in a hidden field; its controls are named by their place in it (``v.0.1`` is the second part of the first part).
What is typed is put into the tree before the pressed button is carried out.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from flask import render_template, request
from sqlalchemy import Connection

from engine.kernel.errors import Invalid
from engine.registers.conditions import DEEPEST, MOST_LEAVES, Condition, offered, plain_condition, read_condition, verbs_of
from engine.registers.declaration import PLACED, Field, Register
from engine.registers.filters import LONGEST_TREE
from engine.runtime.queries.record_words import dictionaries_of
from engine.storage.tables.organisation import unit
from engine.web.context import actor, reading

WORDS: Mapping[str, str] = {"is": "是", "not": "不是", "has": "含有", "range": "在…之间", "empty": "填没填", "near": "在附近", "inside": "在范围内", "box": "在图幅内"}
HOW: Mapping[str, str] = {"all": "全都满足", "any": "满足任意一条", "none": "一条也不满足"}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What list the conditions narrow: its fields, the choices that no dictionary gives, where its page stands and leads."""

    register: Register
    section: str
    crumbs: Sequence[tuple[str, str]]
    action: str
    back: str
    choices: Mapping[str, Sequence[tuple[str, str]]]


def opened(where: Condition | None) -> dict[str, Any]:
    """The tree that the page begins with."""
    if where is None:
        return {"all": []}
    told = plain_condition(where)
    return told if how_of(told) else {"all": [told]}


def pressed(register: Register) -> tuple[str, dict[str, Any]]:
    """(what to do, the tree) after one press: ``stay`` draws the page again, ``show`` asks for the list. Raises Invalid."""
    tree = _filled(_sent_tree(), "", register)
    act, _, place = request.form.get("act", "").partition(":")
    if act in ("leaf", "group") and _leaves(tree) < MOST_LEAVES:
        held = _at(tree, place)
        added: dict[str, Any] = {"field": fields_of(register)[0].name} if act == "leaf" else {"any": []}
        held[how_of(held)].append(added)
    elif act == "drop" and place:
        above, _, last = place.rpartition(".")
        held = _at(tree, above)
        del held[how_of(held)][int(last)]
    return ("show" if act == "show" else "stay"), tree


def condition_of(tree: Mapping[str, Any], register: Register) -> Condition | None:
    """The condition that the tree says, None when it says nothing yet; raises Invalid."""
    cleaned = _cleaned(tree)
    return read_condition(cleaned, register) if cleaned and _leaves(cleaned) else None


def draw(subject: Subject, tree: Mapping[str, Any], *, problem: str = "") -> str:
    """The page."""
    register = subject.register
    with reading() as connection:
        choices = {**_choices(connection, register), **subject.choices}
    return render_template(
        "conditions/page.html", subject=subject, register=register, tree=tree, told=orjson.dumps(tree).decode(), fields={one.name: one for one in fields_of(register)}, verbs_of=verbs_of,
        words=WORDS, hows=HOW, choices=choices, problem=problem, deepest=DEEPEST, how_of=how_of, verb_of=verb_of,
    )


def fields_of(register: Register) -> list[Field]:
    """Fields that the page offers: what is drawn on maps or picked by search is not."""
    return [one for one in offered(register) if one.type not in ("person", "record", *PLACED)]


def _choices(connection: Connection, register: Register) -> dict[str, list[tuple[str, str]]]:
    """What may be chosen, by field: a dictionary's titles, yes and no, the units at and below the reader's bureau."""
    fields = fields_of(register)
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
    if not isinstance(tree, dict) or not how_of(tree):
        raise Invalid("条件没有传完整，请回到列表重新打开高级条件。", code="bad_condition")
    return tree


def how_of(tree: Mapping[str, Any]) -> str:
    """all, any or none where ``tree`` is a group, else nothing."""
    return next((how for how in HOW if isinstance(tree.get(how), list)), "")


def verb_of(leaf: Mapping[str, Any]) -> str:
    return "range" if {"from", "to"} & set(leaf) else next((verb for verb in WORDS if verb in leaf), "")


def _at(tree: Any, place: str) -> Any:
    """The group at ``place`` ("" is the whole, "0.1" the second part of the first); raises Invalid."""
    try:
        for step in filter(None, place.split(".")):
            tree = tree[how_of(tree)][int(step)]
    except (KeyError, IndexError, ValueError, TypeError):
        raise Invalid("条件没有传完整，请回到列表重新打开高级条件。", code="bad_condition") from None
    return tree


def _filled(tree: Mapping[str, Any], place: str, register: Register, depth: int = 0) -> dict[str, Any]:
    """The tree with what was chosen and typed in the controls of this press."""
    if depth > DEEPEST:
        raise Invalid(f"条件最多套 {DEEPEST} 层。", code="bad_condition")
    how = how_of(tree)
    if how:
        parts = [_filled(part, f"{place}.{at}".lstrip("."), register, depth + 1) for at, part in enumerate(tree[how]) if isinstance(part, dict)]
        chosen = request.form.get(f"h.{place}", how)
        return {chosen if chosen in HOW else how: parts}
    fields = {one.name: one for one in fields_of(register)}
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
    how = how_of(tree)
    if how:
        parts = [part for part in (_cleaned(part) for part in tree[how]) if part]
        return {how: parts} if parts else None
    said = {key: value for key, value in tree.items() if key == "field" or value not in ("", [], None)}
    return said if len(said) > 1 else None


def _leaves(tree: Mapping[str, Any]) -> int:
    how = how_of(tree)
    return sum(_leaves(part) for part in tree[how]) if how else 1
