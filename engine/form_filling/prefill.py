"""What the platform already has when a form is opened or a field changes: earlier answers, defaults, suggestions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.form_filling.context import FormContext, Prefilled
from engine.form_filling.model import Field, Form, Right, right_of
from engine.form_filling.settle import evaluate, feel_names, given_names, settle
from engine.form_filling.widgets import widget_of


def initial_data(form: Form, *, context: FormContext, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The values a form opens with when there is no draft: ``given``, what the server holds, then x-gc.prefill, default and suggest."""
    data: dict[str, Any] = dict(given or {})
    for field in form.fields.values():
        if field.name in data:
            continue
        value = context.known.get(field.name)
        if value is None:
            found = prefilled(field, context)
            value = found.value if found else None
        if value is not None:
            data[field.name] = value
    for field in form.fields.values():
        if field.suggest is not None and field.name not in data:
            value = suggestion(form, field, data, context)
            if value is not None:
                data[field.name] = value
    return data


def prefilled(field: Field, context: FormContext) -> Prefilled | None:
    """The value that x-gc.prefill gives, else that of x-gc.default (FEEL when it is text)."""
    if field.gc.get("prefill"):
        found = context.prefill(field.gc["prefill"])
        if found is not None and found.value not in (None, "", [], {}):
            return found
    if field.default is not None:
        value = widget_of(field).from_feel(field, evaluate(field.default, given_names(context)))
    else:
        value = field.gc.get("default")
    return None if value is None else Prefilled(value=value, source="")


def suggestion(form: Form, field: Field, values: Mapping[str, Any], context: FormContext) -> Any:
    """What x-gc.suggest offers for these values; None when it has nothing."""
    if field.suggest is None:
        return None
    names = feel_names(form, settle(form, values=values, context=context), context)
    return widget_of(field).from_feel(field, evaluate(field.suggest, names))


def suggest_after(
    form: Form, *, changed: str, data: Mapping[str, Any], rights: Mapping[str, Right], context: FormContext
) -> dict[str, Any]:
    """``data`` with the suggestions that depend on the field ``changed`` put in; an offer of nothing changes nothing."""
    offered = dict(data)
    for field in form.fields.values():
        if field.suggest is not None and changed in field.suggest.names and right_of(rights, field.name) == "write":
            values = {**{name: context.known.get(name) for name in form.fields if right_of(rights, name) != "write"}, **offered}
            value = suggestion(form, field, values, context)
            if value is not None:
                offered[field.name] = value
    return offered
