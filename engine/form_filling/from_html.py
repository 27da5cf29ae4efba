"""Reads what a page posted into the shape of the form's data. Nothing is judged here, so that a draft keeps what was typed."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from engine.form_filling.model import Form
from engine.form_filling.widgets import widget_of

PREFIX = "data"


def from_html(form: Form, posted: MultiDict[str, str]) -> dict[str, Any]:
    """The data that the controls named ``data.<field>…`` carry; names that the form has not are kept, so that they are refused."""
    data: dict[str, Any] = {}
    for field in form.fields.values():
        if field.compute is None:
            value = widget_of(field).read_html(field, posted, f"{PREFIX}.{field.name}")
            if value is not None:
                data[field.name] = value
    for key in posted:
        name = key[len(PREFIX) + 1 :].split(".")[0] if key.startswith(PREFIX + ".") else ""
        if name and name not in form.fields:
            data[name] = posted[key]
    return data
