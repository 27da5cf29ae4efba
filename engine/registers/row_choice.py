"""Rows of an import that somebody chooses by their numbers in the file: 2-500、620."""
from __future__ import annotations

import re
from collections.abc import Sequence

from engine.kernel.errors import Invalid
from engine.registers.workbook import MOST_ROWS

MOST_RANGES = 200
_RANGE = re.compile(r"(\d{1,7})(?:[-—~至到](\d{1,7}))?")


def read_choice(text: str) -> list[list[int]]:
    """Pairs of first and last row, both included; empty for all rows. Raises Invalid."""
    parts = [part for part in re.split(r"[,，、;；\s]+", re.sub(r"\s*([-—~至到])\s*", r"\1", text)) if part]
    found = [_RANGE.fullmatch(part) for part in parts]
    if len(parts) > MOST_RANGES or not all(found):
        raise _wrong()
    pairs = [[int(one[1]), int(one[2] or one[1])] for one in found if one]
    if any(not 2 <= first <= last <= MOST_ROWS + 1 for first, last in pairs):
        raise _wrong()
    return pairs


def chosen(row: int, pairs: Sequence[Sequence[int]]) -> bool:
    """Whether a row of the file is among those chosen; without a choice every one is."""
    return not pairs or any(first <= row <= last for first, last in pairs)


def _wrong() -> Invalid:
    return Invalid(f"要导入的行写行号，从小到大，如 2-500、620；第 1 行是栏目，最多 {MOST_RANGES} 段。", fields={"rows": "写行号，如 2-500、620。"})
