"""What a template sees of one field: its value, name, id, messages and the parts its widget prepared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as made
from functools import cached_property
from typing import Any

from markupsafe import Markup

from engine.form_filling.context import FormContext
from engine.form_filling.from_html import PREFIX
from engine.form_filling.model import Field
from engine.form_filling.settle import Settled
from engine.form_filling.templates import macros
from engine.form_filling.widgets import widget_of


@dataclass
class Item:
    """One field at one place. ``path`` is ``party`` or ``evidence.0.kind``; ``label`` is what a screen reader says."""

    field: Field
    value: Any
    path: str
    siblings: Mapping[str, Any]
    settled: Settled
    errors: Mapping[str, str]
    context: FormContext
    writable: bool
    label: str = ""
    origin: str = ""
    alone: bool = False
    titles: Mapping[str, str] = made(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{PREFIX}.{self.path}"

    @property
    def id(self) -> str:
        return id_of(self.path)

    @property
    def title(self) -> str:
        return self.field.title

    @property
    def gc(self) -> Mapping[str, Any]:
        return self.field.gc

    @property
    def by_outcome(self) -> bool:
        """Whether the button decides if it is required: then it is not called 可不填 before one is pressed."""
        return self.field.require is not None and "outcome" in self.field.require.names

    @property
    def required(self) -> bool:
        return self.path in self.settled.required

    @property
    def empty(self) -> bool:
        return widget_of(self.field).empty(self.value)

    @property
    def block(self) -> bool:
        return widget_of(self.field).block

    @property
    def control(self) -> bool:
        """True when one control carries the id, so that a label can point at it."""
        return widget_of(self.field).control and self.editable

    @property
    def editable(self) -> bool:
        return self.writable and self.field.compute is None

    @property
    def width(self) -> str:
        return f"{self.gc['width']}rem" if self.gc.get("width") else ""

    @cached_property
    def view(self) -> dict[str, Any]:
        return widget_of(self.field).view(self.field, self.value, self.context, self.siblings)

    @cached_property
    def text(self) -> str:
        """The value as people read it; the title of its time where one is kept."""
        if self.empty:
            return ""
        kept = self.titles.get(self.path)
        try:
            return kept or widget_of(self.field).text(self.field, self.value, self.context)
        except (ValueError, TypeError, AttributeError, KeyError):
            return str(self.value)

    def error(self, part: str = "") -> str:
        return self.errors.get(f"{self.path}.{part}" if part else self.path, "")

    def part_id(self, part: str) -> str:
        return id_of(f"{self.path}.{part}")

    @property
    def bad(self) -> bool:
        return any(path == self.path or path.startswith(self.path + ".") for path in self.errors)

    def described(self, part: str = "") -> Markup:
        """``aria-invalid`` and ``aria-describedby`` for the control of this field, or of one part of it."""
        id, error = (self.part_id(part), self.error(part)) if part else (self.id, self.error())
        ids = [f"{id}-e"] if error else []
        if not part and self.gc.get("help") and not self.label:
            ids.append(f"{id}-h")
        attributes = Markup(' aria-invalid="true"') if error else Markup("")
        return attributes + (Markup(' aria-describedby="{}"').format(" ".join(ids)) if ids else Markup(""))

    @property
    def live(self) -> Markup:
        """Marks a control whose change the server wants to know at once."""
        return Markup(" data-live") if self.field.drives else Markup("")

    @property
    def kept(self) -> bool:
        return bool(self.origin) and not self.empty

    def edit(self) -> Markup:
        return Markup(macros(f"widgets/{self.field.kind}.html").edit(self))

    def said(self) -> Markup:
        return Markup(macros(f"widgets/{self.field.kind}.html").said(self))

    def rows(self) -> list[list[Item]]:
        """The cells of a table of rows."""
        rows = self.value if isinstance(self.value, list) else []
        return [self.cells(place, row if isinstance(row, Mapping) else {}) for place, row in enumerate(rows)]

    def cells(self, place: int | str, row: Mapping[str, Any]) -> list[Item]:
        """One row; ``place`` is its number from 0, or ``__i__`` for the row that the page copies."""
        spoken = f"第 {place + 1} 行" if isinstance(place, int) else "新一行"
        return [
            Item(
                field=column,
                value=row.get(column.name),
                path=f"{self.path}.{place}.{column.name}",
                siblings=row,
                settled=self.settled,
                errors=self.errors,
                context=self.context,
                writable=self.writable,
                label=f"{spoken}{column.title}",
                titles=self.titles,
            )
            for column in self.field.columns.values()
        ]

    @property
    def hidden(self) -> bool:
        return self.path in self.settled.hidden


def id_of(path: str) -> str:
    """The HTML id of the control at ``path``."""
    return "f-" + path.replace(".", "-")
