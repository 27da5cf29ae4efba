"""What grants by field mean for the forms of cases: a form field that is written into a register's column is read as that column is.

Whoever fills a step in is ruled by the diagram; what others read of it, and what a step only shows, by the grants too.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.access.actors import Actor
from engine.form_filling.model import Field, Form, Right
from engine.kernel.names import pack_of, qualify
from engine.registers.declaration import HIDDEN
from engine.registers.granted import level_of

TITLES = "$titles"
"""What the codes of the answers were called when they were given."""
PLAIN = ("text", "textarea", "opinion")
"""Kinds of fields whose masked value can be shown as dots; others are hidden instead."""


def held_back(form: Form, actor: Actor) -> dict[str, str]:
    """{field: hide or mask} of what ``actor`` may not read openly; empty for nearly everybody."""
    if not any(one.kind == "field" for one in actor.grants):
        return {}
    found = {name: level_of(actor, column) for name, one in form.fields.items() if (column := _column(form, one))}
    return {name: "mask" if level == "mask" and form.fields[name].kind in PLAIN else "hide" for name, level in found.items() if level in ("hide", "mask")}


def _column(form: Form, one: Field) -> str:
    """``<pack>.<register>.<field>`` that a field of the form is written into, or nothing."""
    register, _, name = str(one.gc.get("field") or "").rpartition(".")
    return f"{register if '.' in register else qualify(register, pack_of(form.name))}.{name}" if register else ""


def reading_rights(form: Form, actor: Actor) -> dict[str, Right]:
    """The rights with which answers are shown to ``actor``, read-only."""
    hidden: dict[str, Right] = {name: "hide" for name, level in held_back(form, actor).items() if level == "hide"}
    return {"*": "read", **hidden}


def narrowed(form: Form, actor: Actor, rights: Mapping[str, Any]) -> dict[str, Any]:
    """The rights of a step: what it only shows is hidden where the actor may not read it; what it has filled in stays open."""
    shut = held_back(form, actor)
    return {name: "hide" if name in shut and right == "read" else right for name, right in rights.items()}


def readable(form: Form, actor: Actor, data: Mapping[str, Any]) -> dict[str, Any]:
    """The answers as ``actor`` may read them: without what is hidden, dots for what is masked."""
    shut = held_back(form, actor)
    if not shut:
        return dict(data)
    told: dict[str, Any] = {name: HIDDEN if shut.get(name) == "mask" and value else value for name, value in data.items() if shut.get(name) != "hide"}
    if isinstance(told.get(TITLES), Mapping):
        told[TITLES] = {name: title for name, title in told[TITLES].items() if name not in shut}
    return told
