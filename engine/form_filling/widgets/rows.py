"""A table of rows; every column is a field of its own kind. On a phone a row is text until 改 is pressed."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.widgets import widget_of
from engine.form_filling.widgets.base import Widget

MOST = 500


class Rows(Widget):
    """``minItems`` and ``maxItems`` bound the number of rows (500 at most); ``x-gc.total`` lists columns that are summed."""

    block = True
    control = False

    def read_html(self, field: Field, posted: MultiDict[str, str], name: str) -> Any:
        numbers = {
            int(part)
            for key in posted
            if key.startswith(name + ".") and (part := key[len(name) + 1 :].split(".")[0]).isdigit() and len(part) < 7
        }
        rows = []
        for number in sorted(numbers)[: MOST + 1]:
            row = {
                column.name: value
                for column in field.columns.values()
                if column.compute is None
                and (value := widget_of(column).read_html(column, posted, f"{name}.{number}.{column.name}")) is not None
            }
            rows.append(row)
        return [row for row in rows if row] or None

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        lines = []
        for row in value:
            cells = [widget_of(c).text(c, row[c.name], context) for c in field.columns.values() if row.get(c.name) not in (None, "", [])]
            lines.append("，".join(cells))
        return "；".join(lines)

    def typed(self, field: Field, value: Any) -> Any:
        return [
            {c.name: widget_of(c).typed(c, row[c.name]) if row.get(c.name) is not None else None for c in field.columns.values()}
            for row in value
        ]

    def titles(self, field: Field, value: Any, context: FormContext) -> dict[str, str]:
        return self._below(field, value, lambda column, cell: widget_of(column).titles(column, cell, context))

    def secrets(self, field: Field, value: Any) -> list[str]:
        return list(self._below(field, value, lambda column, cell: dict.fromkeys(widget_of(column).secrets(column, cell), "")))

    def attachments(self, field: Field, value: Any) -> list[str]:
        return [
            id
            for row in value
            for column in field.columns.values()
            if row.get(column.name)
            for id in widget_of(column).attachments(column, row[column.name])
        ]

    def _below(self, field: Field, value: Any, find: Any) -> dict[str, str]:
        found = {}
        for place, row in enumerate(value):
            for column in field.columns.values():
                if row.get(column.name) is not None:
                    for path, text in find(column, row[column.name]).items():
                        found[f"{place}.{column.name}" + (f".{path}" if path else "")] = text
        return found


widget = Rows()
