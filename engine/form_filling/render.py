"""Renders a form: to fill in, to read, to print; from the same schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from engine.form_filling.context import FormContext
from engine.form_filling.items import Item, id_of
from engine.form_filling.model import Field, Form, Group, Mode, Right, right_of
from engine.form_filling.party_parts import LABELS
from engine.form_filling.prefill import prefilled, suggestion
from engine.form_filling.problems import Problems
from engine.form_filling.settle import Settled, settle
from engine.form_filling.templates import environment
from engine.form_filling.validate import TITLES
from engine.form_filling.widgets import widget_of


@dataclass(frozen=True)
class ShownGroup:
    """A heading with the fields that show now. ``state`` is late, ok or none, ``state_text`` its words."""

    group: Group
    items: list[Item]
    state: str
    state_text: str

    @property
    def id(self) -> str:
        return f"g-{self.group.key}"


@dataclass(frozen=True)
class ErrorLine:
    """One line of the summary: where it leads and what it says."""

    target: str
    text: str


def render_form(
    form: Form,
    *,
    data: Mapping[str, Any],
    rights: Mapping[str, Right],
    errors: Mapping[str, str],
    context: FormContext,
    mode: Mode = "edit",
) -> Markup:
    """The form as HTML, without the ``<form>`` element around it.

    ``data`` is what to show in writable fields (a draft, what was just posted, or ``prefill.initial_data``); other fields
    show ``context.known`` first. Fields with the right ``hide`` leave no trace. ``errors`` maps paths to messages.
    """
    groups = shown_groups(form, data=data, rights=rights, errors=errors, context=context, mode=mode)
    template = environment().get_template("print.html" if mode == "print" else "form.html")
    return Markup(template.render(form=form, groups=groups, lines=error_lines(form, errors, rights), context=context, mode=mode))


def render_groups(
    form: Form, *, data: Mapping[str, Any], rights: Mapping[str, Right], context: FormContext, errors: Mapping[str, str] | None = None
) -> Markup:
    """All groups for an exchange in the page after one field changed; each carries hx-swap-oob."""
    groups = shown_groups(form, data=data, rights=rights, errors=errors or {}, context=context, mode="edit")
    return Markup(environment().get_template("live.html").render(form=form, groups=groups, mode="edit"))


def shown_groups(
    form: Form, *, data: Mapping[str, Any], rights: Mapping[str, Right], errors: Mapping[str, str], context: FormContext, mode: Mode
) -> list[ShownGroup]:
    """Groups with what shows in them; a group in which nothing shows is left out."""
    values, typed = _values(form, data, rights, context)
    settled = settle(form, values=values, context=context)
    titles = data.get(TITLES) or context.known.get(TITLES) or {}
    shown = []
    for group in form.groups:
        items = [
            _item(
                form,
                form.fields[name],
                typed,
                settled,
                rights,
                errors,
                context,
                mode,
                titles,
                alone=len(group.fields) == 1 or form.fields[name].title == group.title,
            )
            for name in group.fields
            if right_of(rights, name) != "hide" and name not in settled.hidden
        ]
        if mode != "edit":
            items = [item for item in items if mode == "print" or not item.empty]
        if items:
            shown.append(ShownGroup(group, items, *_state(items, errors)))
    return shown


def error_lines(form: Form, errors: Mapping[str, str], rights: Mapping[str, Right]) -> list[ErrorLine]:
    """The summary above the form; a message for no shown field leads to the top."""
    lines = []
    for path, message in errors.items():
        name, *rest = path.split(".")
        field = form.fields.get(name)
        if field is None or right_of(rights, name) == "hide":
            lines.append(ErrorLine("f-top", message))
            continue
        where = field.title
        if field.kind == "party" and rest:
            where += f"，{next((labels[rest[0]] for labels in LABELS.values() if rest[0] in labels), '类别')}"
        if field.columns and rest and rest[0].isdigit():
            column = field.columns.get(rest[1]) if len(rest) > 1 else None
            where += f"第 {int(rest[0]) + 1} 行" + (f"，{column.title}" if column else "")
        lines.append(ErrorLine(id_of(path), f"{where}：{message}"))
    return lines


def _values(
    form: Form, data: Mapping[str, Any], rights: Mapping[str, Right], context: FormContext
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(clean values for conditions and sums, values as they were typed)."""
    clean: dict[str, Any] = {}
    typed: dict[str, Any] = {}
    for name, field in form.fields.items():
        right = right_of(rights, name)
        value = data.get(name) if right == "write" else context.known.get(name, data.get(name) if right == "read" else None)
        typed[name] = value
        clean[name] = _try_clean(field, value, context)
    return clean, typed


def _try_clean(field: Field, value: Any, context: FormContext) -> Any:
    widget = widget_of(field)
    if value is None or widget.empty(value):
        return None
    if field.columns:
        rows = value if isinstance(value, list) else []
        return [
            {name: _try_clean(column, row.get(name), context) for name, column in field.columns.items()} if isinstance(row, Mapping) else {}
            for row in rows
        ]
    try:
        return widget.clean(field, value, context)
    except Problems:
        return value if field.kind in ("party", "address") else None


def _item(
    form: Form,
    field: Field,
    typed: Mapping[str, Any],
    settled: Settled,
    rights: Mapping[str, Right],
    errors: Mapping[str, str],
    context: FormContext,
    mode: Mode,
    titles: Mapping[str, str],
    *,
    alone: bool,
) -> Item:
    name = field.name
    value = settled.values.get(name) if field.compute else typed[name]
    if field.columns:
        value = _with_computed(field, value, settled.values.get(name))
    return Item(
        field=field,
        value=value,
        path=name,
        siblings=typed,
        settled=settled,
        errors=errors,
        context=context,
        writable=mode == "edit" and right_of(rights, name) == "write",
        alone=alone,
        titles=titles,
        origin=_origin(form, field, value, settled, context) if mode == "edit" else "",
    )


def _with_computed(field: Field, rows: Any, settled: Any) -> Any:
    """Rows as typed, with the computed columns as they were settled."""
    computed = [column.name for column in field.columns.values() if column.compute]
    if not computed or not isinstance(rows, list) or not isinstance(settled, list):
        return rows
    return [
        {**row, **{name: done.get(name) for name in computed}} if isinstance(row, Mapping) else row
        for row, done in zip(rows, settled, strict=True)
    ]


def _origin(form: Form, field: Field, value: Any, settled: Settled, context: FormContext) -> str:
    """Where a value came from, as long as it still is what was filled in."""
    if value is None:
        return ""
    if field.name in context.origins and value == context.known.get(field.name):
        return context.origins[field.name]
    found = prefilled(field, context) if field.gc.get("prefill") else None
    if found and found.source and found.value == value:
        return found.source
    if field.suggest is not None and suggestion(form, field, settled.values, context) == value:
        return f"按{'、'.join(form.fields[name].title for name in form.fields if name in field.suggest.names)}填好"
    return ""


def _state(items: Iterable[Item], errors: Mapping[str, str]) -> tuple[str, str]:
    """What the list of groups says beside a heading."""
    items = list(items)
    bad = sum(1 for path in errors if any(path == item.path or path.startswith(item.path + ".") for item in items))
    if bad:
        return "late", f"{bad} 处要改"
    missing = [item for item in items if item.editable and item.required and item.empty]
    if missing:
        return "none", "未填" if len(missing) == sum(1 for item in items if item.editable) else f"还差 {len(missing)} 处"
    if all(item.empty for item in items if item.editable) and any(item.editable for item in items):
        return "none", "未填" if any(item.by_outcome for item in items) else "可不填"
    return "ok", "已填"
