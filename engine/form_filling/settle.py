"""Settles conditions and sums: which fields show, which must be filled, what computed fields hold. FEEL, on the server only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from inspect import signature
from typing import Any

from engine.expressions import Expression, Function
from engine.form_filling.context import FormContext
from engine.form_filling.model import Field, Form
from engine.form_filling.widgets import widget_of
from engine.kernel.errors import GuichengError

_PARAMETERS: dict[Any, tuple[str, ...]] = {}


@dataclass
class Settled:
    """Paths are ``field`` or ``rows.0.column``. ``values`` keeps what was given, with computed values put in."""

    values: dict[str, Any] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    required: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)


def settle(form: Form, *, values: Mapping[str, Any], context: FormContext) -> Settled:
    """Settle ``values`` (clean ones; what could not be cleaned should be left out)."""
    settled = Settled(values=dict(values))
    names = given_names(context)
    _settle_level(form.fields, form.order, settled.values, names, "", settled, context)
    return settled


def feel_names(form: Form, settled: Settled, context: FormContext) -> dict[str, Any]:
    """What a check may read: every shown field as FEEL sees it, ``today``, ``now`` and what the page gives."""
    return given_names(context) | _as_feel(form.fields.values(), settled.values, settled.hidden, "")


def given_names(context: FormContext) -> dict[str, Any]:
    """What FEEL may read beside the fields: what the page gives, ``today`` and ``now``; Python functions become FEEL functions."""
    given = {
        name: Function(_parameters(value), value) if callable(value) else value for name, value in context.names.items()
    }
    return {"outcome": None, **given, "today": context.today, "now": context.at}


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the parameters; functions made anew for every form share their code, and so what it says."""
    code = getattr(function, "__code__", None)
    if code is None or hasattr(function, "__wrapped__"):
        return tuple(signature(function).parameters)
    place = (code, type(function))
    if place not in _PARAMETERS:
        _PARAMETERS[place] = tuple(signature(function).parameters)
    return _PARAMETERS[place]


def row_names(field: Field, row: Mapping[str, Any], names: Mapping[str, Any], path: str, hidden: set[str]) -> dict[str, Any]:
    """The names of the form with the columns of one row before them."""
    return {**names, **_as_feel(field.columns.values(), row, hidden, path)}


def evaluate(expression: Expression, names: Mapping[str, Any]) -> Any:
    """The value, null where FEEL or what it asks can't say."""
    try:
        return expression.evaluate(names)
    except GuichengError:
        return None


def _settle_level(
    fields: Mapping[str, Field],
    order: Iterable[str],
    values: dict[str, Any],
    names: dict[str, Any],
    path: str,
    settled: Settled,
    context: FormContext,
) -> None:
    names |= dict.fromkeys(fields)
    for name in order:
        one = fields[name]
        here = f"{path}{name}"
        if one.when is not None and evaluate(one.when, names) is not True:
            settled.hidden.add(here)
            continue
        if one.columns:
            values[name] = _settle_rows(one, values.get(name), names, here, settled, context)
        if one.compute is not None:
            values[name] = widget_of(one).from_feel(one, evaluate(one.compute, names))
        if one.required or (one.require is not None and evaluate(one.require, names) is True):
            settled.required.add(here)
        names[name] = _feel_value(one, values.get(name))


def _settle_rows(field: Field, value: Any, names: Mapping[str, Any], path: str, settled: Settled, context: FormContext) -> Any:
    if not isinstance(value, list):
        return value
    rows = []
    for place, row in enumerate(value):
        row = dict(row) if isinstance(row, Mapping) else {}
        _settle_level(field.columns, field.order, row, dict(names), f"{path}.{place}.", settled, context)
        rows.append(row)
    return rows


def _as_feel(fields: Iterable[Field], values: Mapping[str, Any], hidden: set[str], path: str) -> dict[str, Any]:
    return {one.name: None if f"{path}{one.name}" in hidden else _feel_value(one, values.get(one.name)) for one in fields}


def _feel_value(field: Field, value: Any) -> Any:
    """A stored value as FEEL sees it; null when it is empty or not clean."""
    widget = widget_of(field)
    if widget.empty(value):
        return [] if field.columns else None
    try:
        return widget.typed(field, value)
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
