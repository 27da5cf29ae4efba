"""Ranges of a thematic map: equal in width, equal in number, or as somebody writes their upper ends."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from engine.kernel.errors import Invalid

WAYS: Mapping[str, str] = {"equal": "等距", "count": "等量", "own": "自定"}
MOST = 5
"""Ranges at most: as many shades as can be told apart."""


def equal_ends(values: Sequence[Decimal], ranges: int = MOST) -> list[Decimal]:
    """The upper ends of ranges of one width from the least to the most; one range when all are the same."""
    if not values:
        return []
    low, high = min(values), max(values)
    if low == high:
        return [high]
    whole = all(value % 1 == 0 for value in values)
    ends = [low + (high - low) * place / ranges for place in range(1, ranges)]
    return list(dict.fromkeys([*(end // 1 if whole else end for end in ends), high]))


def count_ends(values: Sequence[Decimal], ranges: int = MOST) -> list[Decimal]:
    """Upper ends so that every range holds about as many values; the same value never falls into two."""
    ordered = sorted(values)
    ends = [ordered[-(-len(ordered) * place // ranges) - 1] for place in range(1, ranges + 1)] if ordered else []
    return list(dict.fromkeys(ends))


def own_ends(text: str, values: Sequence[Decimal]) -> list[Decimal]:
    """``10, 20, 50``: what lies above the last is a range of its own. Raises Invalid."""
    parts = text.replace("，", ",").replace("、", ",").replace(" ", ",").split(",")
    try:
        ends = [Decimal(part) for part in parts if part]
    except InvalidOperation:
        raise _wrong() from None
    if not ends or len(ends) > MOST - 1 or ends != sorted(set(ends)) or not all(end.is_finite() for end in ends):
        raise _wrong()
    most = max(values, default=ends[-1])
    return [*ends, most] if most > ends[-1] else ends


def _wrong() -> Invalid:
    return Invalid(f"自定分级写 1 到 {MOST - 1} 个从小到大的数，用逗号隔开，如 10,20,50。", fields={"ends": "从小到大，逗号隔开。"})


def rank_of(value: Decimal | None, ends: Sequence[Decimal]) -> int | None:
    """The range that ``value`` falls into, from 0; None without a value."""
    return None if value is None else next((place for place, end in enumerate(ends) if value <= end), len(ends) - 1)
