"""Which rules of a table can match at all, found by a look at the input instead of a walk through the rules.

A rule whose first tested cell holds only texts, or only numbers, is found by that cell's input: where the input is another
text or number the rule ends at this cell, so nothing of it would have been evaluated. Every other rule, and every rule where
the input is neither text nor number, is walked through as it stands.
"""
from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

WORTH = 16
First = tuple[int, frozenset[Any]] | None
"""The input column of a rule's first tested cell and the constants in it; None when it holds anything else."""


class RuleIndex:
    """Built once from ``firsts``, one for each rule."""

    def __init__(self, firsts: Sequence[First]) -> None:
        self._always: list[int] = []
        self._groups: dict[tuple[int, bool], dict[Any, list[int]]] = {}
        for number, first in enumerate(firsts):
            if first is None:
                self._always.append(number)
                continue
            column, constants = first
            group = self._groups.setdefault((column, type(next(iter(constants))) is str), {})
            for constant in constants:
                group.setdefault(constant, []).append(number)
        self.worth = len(firsts) - len(self._always) >= WORTH

    def candidates(self, values: Sequence[Any]) -> list[int]:
        """Numbers of the rules to walk through, in their order."""
        found = list(self._always)
        for (column, texts), group in self._groups.items():
            value, kind = values[column], type(values[column])
            if (kind is str) if texts else (kind is Decimal or kind is int):
                found += group.get(value, ())
            else:
                found += {number for numbers in group.values() for number in numbers}
        return sorted(found)
