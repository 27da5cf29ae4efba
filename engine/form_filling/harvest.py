"""What a valid form yields: data, facts, what goes onto the case and into registers, what is searched."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.settle import Settled
from engine.form_filling.widgets import widget_of


@dataclass
class Harvest:
    """See ``validate.Validated``; the names are the same."""

    data: dict[str, Any] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    case_fields: dict[str, str] = field(default_factory=dict)
    record_fields: dict[str, Any] = field(default_factory=dict)
    search_text: str = ""
    attachments: list[str] = field(default_factory=list)
    parties: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)


def harvest(shown: Iterable[Field], writable: Iterable[Field], settled: Settled, context: FormContext) -> Harvest:
    """Data of all ``shown`` fields; what leaves the form only from those that were ``writable``.

    A writable field that is now empty or hidden by a condition gives null facts and null record fields, so that an
    earlier answer does not outlive its withdrawal.
    """
    found = Harvest()
    wrote = {one.name for one in writable}
    words: list[str] = []
    for one in shown:
        value = None if one.name in settled.hidden else _pruned(one, settled.values.get(one.name), f"{one.name}.", settled.hidden)
        filled = not widget_of(one).empty(value)
        if filled:
            _keep(found, one, value, context)
        if one.name in wrote:
            _spread(found, one, value if filled else None, words, context)
    found.search_text = fold(" ".join(words))
    return found


def _pruned(one: Field, value: Any, path: str, hidden: set[str]) -> Any:
    """Rows without the cells that a condition hides and without empty ones; rows with nothing in them go."""
    if not one.columns or not isinstance(value, list):
        return value
    rows = []
    for place, row in enumerate(value):
        kept = {
            name: cell
            for name, cell in row.items()
            if f"{path}{place}.{name}" not in hidden and name in one.columns and not widget_of(one.columns[name]).empty(cell)
        }
        if kept:
            rows.append(kept)
    return rows or None


def _keep(found: Harvest, one: Field, value: Any, context: FormContext) -> None:
    widget = widget_of(one)
    found.data[one.name] = value
    found.titles |= {f"{one.name}.{path}" if path else one.name: title for path, title in widget.titles(one, value, context).items()}
    found.attachments += [id for id in widget.attachments(one, value) if id not in found.attachments]
    found.secrets += [f"{one.name}.{path}" if path else one.name for path in widget.secrets(one, value)]


def _spread(found: Harvest, one: Field, value: Any, words: list[str], context: FormContext) -> None:
    widget = widget_of(one)
    typed = widget.typed(one, value) if value is not None else None
    if one.gc.get("fact"):
        found.facts[one.gc["fact"]] = typed
    if one.gc.get("field"):
        found.record_fields[one.gc["field"]] = typed
    if value is None:
        return
    if one.gc.get("case"):
        found.case_fields[one.gc["case"]] = widget.text(one, value, context)
    if one.gc.get("search"):
        words.append(widget.searched(one, value, context))
    if one.kind == "party":
        found.parties[one.name] = value


def fold(text: str) -> str:
    """Text as the search column keeps it: full-width narrowed, small letters, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
