"""The form of a register's record, made from its declaration: what one fills in on the page, checked like any form."""
from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from engine.form_filling.model import Form
from engine.kernel.clock import SHANGHAI
from engine.kernel.gm import sm3_hex
from engine.registers.declaration import Field, Register
from engine.runtime.application import Application

SHAPES: Mapping[str, dict[str, Any]] = {
    "text": {"type": "string", "maxLength": 2000}, "number": {"type": "number"}, "money": {"type": "string"}, "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"}, "boolean": {"type": "boolean"}, "choice": {"type": "string"},
    "choices": {"type": "array", "items": {"type": "string"}}, "person": {"type": "string"}, "unit": {"type": "string"},
    "record": {"type": "string"}, "files": {"type": "array"}, "tags": {"type": "array", "items": {"type": "string"}},
    "point": {"type": "object"}, "outline": {"type": "object"},
}
KEPT = "已有内容不显示；不填就不变，填了就换成新的。"


def form_of_register(app: Application, register: Register, *, new: bool) -> Form:
    """The form for a ``new`` record or for changing one; in the latter, secret fields open empty and an empty one changes nothing."""
    key = ("register_form", repr(register), new)
    if key not in app.cache:
        app.cache[key] = Form.load(_definition(register, new), name=register.name, hash=sm3_hex(repr(key).encode())[:16], common=lambda name: {})
    made: Form = app.cache[key]
    return made


def form_of_field(app: Application, register: Register, field: Field) -> Form:
    """A form of this one field, not required: what is set on many records at once."""
    key = ("register_field", repr(register), field.name)
    if key not in app.cache:
        definition = {"type": "object", "title": field.title, "properties": {field.name: _property(field, True)}}
        app.cache[key] = Form.load(definition, name=register.name, hash=sm3_hex(repr(key).encode())[:16], common=lambda name: {})
    made: Form = app.cache[key]
    return made


def _definition(register: Register, new: bool) -> dict[str, Any]:
    fields = [one for one in register.fields.values() if one.filled]
    return {
        "type": "object", "title": register.title, "required": [one.name for one in fields if one.required and (new or not one.secret)],
        "properties": {one.name: _property(one, new) for one in fields},
    }


def _property(one: Field, new: bool) -> dict[str, Any]:
    gc: dict[str, Any] = {"widget": _widget(one)}
    for key in ("dictionary", "register"):
        if getattr(one, key):
            gc[key] = getattr(one, key)
    if one.compress:
        gc["compress"] = True
    help = one.help if new or not one.secret else f"{one.help}{KEPT}"
    return {**SHAPES["text" if gc["widget"] == "text" else one.type], "title": one.title, "x-gc": {**gc, "help": help} if help else gc}


def _widget(one: Field) -> str:
    return "text" if one.type in ("choice", "choices") and not one.dictionary else one.type


def answers_of_record(register: Register, values: Mapping[str, Any]) -> dict[str, Any]:
    """A record's columns as the form holds them; what is secret or empty is left out."""
    return {
        name: _answer(one, values[name]) for name, one in register.fields.items() if one.filled and not one.secret and values.get(name) is not None
    }


def _answer(one: Field, value: Any) -> Any:
    if one.type == "money":
        return f"{value:.2f}"
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if one.type == "datetime":
        return value.astimezone(SHANGHAI).isoformat(timespec="seconds")
    if one.type == "date":
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def columns_of_answers(register: Register, answers: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
    """Checked answers as values for the record: an empty field is cleared, an empty secret one of an existing record left alone."""
    found = {}
    for name, one in register.fields.items():
        value = answers.get(name)
        if one.filled and (value is not None or not (new or one.secret)):
            found[name] = value
    return found
