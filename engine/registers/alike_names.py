"""Names that differ by one character, found without looking through all of them: each name stands under itself less any one of its characters."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

SHORTEST = 4
"""A name must be this long for one with a character less to count as alike."""


class AlikeNames:
    """``rows`` by their names; ``alike`` answers as the LIKE patterns of ``gazetteer.one_off`` would."""

    def __init__(self, rows: Iterable[tuple[str, Any]]) -> None:
        self._rows: dict[str, list[Any]] = {}
        for name, row in rows:
            self._rows.setdefault(name, []).append(row)
        self._less: dict[str, list[str]] = {}
        for name in self._rows:
            for less in _less(name):
                self._less.setdefault(less, []).append(name)

    def alike(self, name: str) -> Sequence[Any]:
        """Rows whose name has one character other than ``name``, one more, or, for a longer name, one less."""
        found: dict[str, None] = dict.fromkeys(self._less.get(name, ()))  # one more
        for less in _less(name):
            if less in self._rows and len(name) >= SHORTEST:
                found[less] = None
            found.update(dict.fromkeys(other for other in self._less.get(less, ()) if len(other) == len(name) and _one_other(other, name)))
        return [row for one in found if one != name for row in self._rows[one]]


def _less(name: str) -> set[str]:
    return {name[:place] + name[place + 1:] for place in range(len(name))}


def _one_other(one: str, other: str) -> bool:
    return sum(a != b for a, b in zip(one, other, strict=True)) == 1
