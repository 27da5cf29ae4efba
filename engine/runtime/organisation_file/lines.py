"""The rows of a file: what their cells hold, what is wrong with them, and what they change."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from engine.kernel.errors import Invalid
from engine.reference.dictionaries import Dictionary
from engine.registers.check_rows import Names, Plan, plan_columns
from engine.registers.declaration import Register
from engine.registers.workbook import read_sheets
from engine.runtime.organisation_file.shape import SHEETS

NOBODY = Names(people={}, units={})


@dataclass(kw_only=True)
class Line:
    """One row: ``values`` by field, ``wrong`` by column (-1: the row as a whole)."""

    sheet: str
    number: int
    cells: Sequence[Any]
    values: dict[str, Any]
    wrong: dict[int, str]
    columns: Mapping[str, int]

    def fault(self, name: str, words: str) -> None:
        """``words`` at the cell of field ``name``; the first fault of a cell stays."""
        self.wrong.setdefault(self.columns.get(name, -1), words)

    def get(self, name: str) -> Any:
        return self.values.get(name)

    def text(self, name: str) -> str:
        return str(self.values.get(name) or "")


@dataclass(frozen=True, kw_only=True)
class Change:
    """A row made (``before`` is None) or changed; ``after`` holds the columns that it sets. ``row`` 0 follows from other rows."""

    sheet: str
    row: int
    table: str
    id: UUID
    before: dict[str, Any] | None
    after: dict[str, Any]
    text: str


@dataclass(kw_only=True)
class Judged:
    """What a file would do: its lines by sheet, and the changes in the order of writing."""

    lines: dict[str, list[Line]]
    titles: dict[str, list[str]]
    changes: list[Change] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(len(lines) for lines in self.lines.values())

    @property
    def wrong(self) -> int:
        return sum(1 for line in self.every() if line.wrong)

    def every(self) -> Iterator[Line]:
        for lines in self.lines.values():
            yield from lines

    def problems(self, most: int) -> list[dict[str, Any]]:
        """The first ``most`` faults: {sheet, row, title, text}."""
        found = [
            {"sheet": line.sheet, "row": line.number, "title": self.titles[line.sheet][column].removesuffix("*") if column >= 0 else "整行", "text": words}
            for line in self.every() for column, words in line.wrong.items()
        ]
        return found[:most]


def read_lines(data: bytes, *, dictionaries: Mapping[str | None, Dictionary], on: date) -> Judged:
    """Every row of every sheet that the file has, cell by cell. Raises Invalid for headings that don't fit or a file without rows."""
    sheets = read_sheets(data, names=[part.title for part in SHEETS])
    lines: dict[str, list[Line]] = {}
    titles: dict[str, list[str]] = {}
    for part in SHEETS:
        if part.title in sheets:
            headings, count, rows = sheets[part.title]
            if headings or count:
                titles[part.title] = headings
                lines[part.title] = list(_lines(part, plan_columns(part, headings, dictionaries=dictionaries, names=NOBODY, on=on), rows))
    judged = Judged(lines=lines, titles=titles)
    if not judged.total:
        raise Invalid("表里除了第一行没有内容，没有可导入的行。")
    return judged


def _lines(part: Register, plan: Plan, rows: Iterator[list[Any]]) -> Iterator[Line]:
    columns = {one.name: column for column, one, _ in plan.columns}
    for number, cells in enumerate(rows, start=2):
        if any(cell not in ("", None) for cell in cells):
            values, wrong = plan.check(cells)
            yield Line(sheet=part.title, number=number, cells=cells, values=values, wrong=wrong, columns=columns)
