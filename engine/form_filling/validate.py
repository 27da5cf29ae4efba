"""Validates what was sent, always on the server: wrong, missing and extra fields each give one Chinese message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.form_filling.context import FormContext
from engine.form_filling.harvest import Harvest, harvest
from engine.form_filling.messages import missing_message, schema_problem
from engine.form_filling.model import Field, Form, Right, right_of
from engine.form_filling.problems import Problems
from engine.form_filling.settle import Settled, evaluate, feel_names, row_names, settle
from engine.form_filling.widgets import widget_of
from engine.kernel.errors import Invalid

TITLES = "$titles"


@dataclass(frozen=True, kw_only=True)
class Validated:
    """A form that holds.

    data            clean JSON values of all shown fields that may be seen, money as ``"123.40"``; empty ones are left out
    titles          path → title of its time, for codes and ids
    facts           x-gc.fact → Decimal, date, datetime, text, bool, list or dict
    case_fields     ``title``, ``subject``, ``address`` → text
    record_fields   ``<pack>.<register>.<field>`` → typed value (as facts)
    search_text     folded text of the fields marked search
    attachments     ids of attachments that the data names
    parties         field → party value, for the party table
    secrets         paths in data whose text is stored encrypted
    """

    data: dict[str, Any]
    titles: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    case_fields: dict[str, str] = field(default_factory=dict)
    record_fields: dict[str, Any] = field(default_factory=dict)
    search_text: str = ""
    attachments: list[str] = field(default_factory=list)
    parties: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)

    @property
    def stored(self) -> dict[str, Any]:
        """``data`` with the titles of their time under ``$titles``: what a submission keeps."""
        return self.data | ({TITLES: self.titles} if self.titles else {})


def validate(form: Form, *, data: Mapping[str, Any], rights: Mapping[str, Right], context: FormContext) -> Validated:
    """The clean form, or Invalid whose ``fields`` maps paths such as ``party.identifier`` or ``evidence.2.kind`` to messages.

    Only fields with the right ``write`` are taken from ``data``; all others come from ``context.known``.
    """
    problems = _refuse_foreign(form, data, rights, context)
    values: dict[str, Any] = {}
    for one in form.fields.values():
        if right_of(rights, one.name) != "write":
            values[one.name] = context.known.get(one.name)
        elif one.compute is None:
            values[one.name] = _clean(one, data.get(one.name), one.name, problems, context)
    settled = settle(form, values=values, context=context)
    writable = [one for one in form.fields.values() if right_of(rights, one.name) == "write"]
    _judge(writable, settled.values, feel_names(form, settled, context), "", settled, problems, context)
    problems = {path: message for path, message in problems.items() if not _concealed(path, settled.hidden)}
    if problems:
        raise Invalid(f"还有 {len(problems)} 处要改，改好就能提交", fields=_in_order(form, problems))
    shown = [one for one in form.fields.values() if right_of(rights, one.name) != "hide"]
    found: Harvest = harvest(shown, writable, settled, context)
    return Validated(**found.__dict__)


def _refuse_foreign(form: Form, data: Mapping[str, Any], rights: Mapping[str, Right], context: FormContext) -> dict[str, str]:
    """Fields the form has not, fields kept from this person (the two look the same) and fields that may not be changed here."""
    problems = {}
    for name, value in data.items():
        if name == TITLES:
            continue
        right = right_of(rights, name) if name in form.fields else "hide"
        if right == "hide":
            problems[name] = f"这张表没有“{name}”这一栏，请去掉后再提交。"
        elif right == "read" and value not in (None, "") and value != context.known.get(name):
            problems[name] = f"“{form.fields[name].title}”在这一步不能改，请去掉后再提交。"
    return problems


def _clean(one: Field, value: Any, path: str, problems: dict[str, str], context: FormContext) -> Any:
    """The clean value; on a fault its messages go into ``problems`` and None comes back."""
    widget = widget_of(one)
    if value is None or widget.empty(value):
        return None
    if one.columns:
        return _clean_rows(one, value, path, problems, context)
    try:
        clean = widget.clean(one, value, context)
    except Problems as problem:
        problems.update(problem.below(path))
        return None
    if clean is not None and (fault := schema_problem(one, clean)):
        problems[path] = fault
        return None
    return clean


def _clean_rows(one: Field, value: Any, path: str, problems: dict[str, str], context: FormContext) -> Any:
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        problems[path] = f"“{one.title}”应是一行一行的内容。"
        return None
    rows = []
    for place, row in enumerate(value):
        for name in row:
            if name not in one.columns:
                problems[f"{path}.{place}.{name}"] = f"第 {place + 1} 行没有“{name}”这一栏，请去掉后再提交。"
        cells = {
            column.name: _clean(column, row.get(column.name), f"{path}.{place}.{column.name}", problems, context)
            for column in one.columns.values()
            if column.compute is None
        }
        rows.append(cells)
    if fault := schema_problem(one, rows):
        problems[path] = fault
    return rows


def _judge(
    fields: Iterable[Field],
    values: Mapping[str, Any],
    names: Mapping[str, Any],
    path: str,
    settled: Settled,
    problems: dict[str, str],
    context: FormContext,
) -> None:
    """Required values that are missing, values that don't fit their siblings, and the author's own checks; one message per field."""
    for one in fields:
        here = f"{path}{one.name}"
        if here in settled.hidden or _already(here, problems):
            continue
        value = values.get(one.name)
        if widget_of(one).empty(value):
            if here in settled.required:
                problems[here] = missing_message(one) if one.compute is None else f"“{one.title}”还算不出来，请先填好它用到的栏。"
            continue
        if one.columns:
            for place, row in enumerate(value or ()):
                below = f"{here}.{place}."
                _judge(one.columns.values(), row, row_names(one, row, names, below, settled.hidden), below, settled, problems, context)
        failed = widget_of(one).misfit(one, value, values, context) or next(
            (check.message for check in one.checks if evaluate(check.test, names) is False), None
        )
        if failed:
            problems[here] = failed


def _already(path: str, problems: Mapping[str, str]) -> bool:
    return any(known == path or (known.startswith(path + ".")) for known in problems)


def _concealed(path: str, hidden: set[str]) -> bool:
    """A field that a condition hides can't be wrong."""
    return any(path == gone or path.startswith(gone + ".") for gone in hidden)


def _in_order(form: Form, problems: Mapping[str, str]) -> dict[str, str]:
    """Messages in the order in which the form shows its fields."""
    names = [name for group in form.groups for name in group.fields]
    places = {name: place for place, name in enumerate(names)}

    def place(path: str) -> tuple[int, list[tuple[int, str]]]:
        head, *rest = path.split(".")
        return places.get(head, len(names)), [(int(part), "") if part.isdigit() else (0, "") for part in rest]

    return {path: problems[path] for path in sorted(problems, key=place)}
