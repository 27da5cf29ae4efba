"""Equality, order and membership: three-valued; ``None`` is FEEL's null, Problem is "these two can't be compared"."""
from __future__ import annotations

from typing import Any

from engine.expressions.errors import Problem
from engine.expressions.numbers import as_number
from engine.expressions.temporal import (
    SECOND,
    date_days,
    duration_nanos,
    instant,
    time_instant,
)
from engine.expressions.values import Range, kind_of, title_of

_MAX_EQUAL_DEPTH = 100


def equal(left: Any, right: Any, depth: int = 0) -> bool:
    """Whether two values are the same; raises Problem for two kinds (except null, which equals only null)."""
    if left is None or right is None:
        return left is right
    kind = kind_of(left)
    if kind != kind_of(right):
        raise Problem(f"{title_of(left)}与{title_of(right)}不能比较")
    if kind == "number":
        return as_number(left) == as_number(right)
    if kind == "list":
        return _equal_lists(left, right, depth)
    if kind == "context":
        return _equal_contexts(left, right, depth)
    if kind == "range":
        return _equal_ranges(left, right, depth)
    if kind in _TEMPORAL:
        return _equal_moments(kind, left, right)
    return bool(left is right if kind == "other" else left == right)


def same(left: Any, right: Any) -> bool:
    """Equality for membership: two kinds are just different."""
    try:
        return equal(left, right)
    except Problem:
        return False


def _deeper(depth: int) -> int:
    if depth > _MAX_EQUAL_DEPTH:
        raise Problem("嵌套太深，不能比较")
    return depth + 1


def _equal_lists(left: Any, right: Any, depth: int) -> bool:
    depth = _deeper(depth)
    return len(left) == len(right) and all(_inner_equal(a, b, depth) for a, b in zip(left, right, strict=True))


def _equal_contexts(left: Any, right: Any, depth: int) -> bool:
    depth = _deeper(depth)
    return len(left) == len(right) and all(key in right and _inner_equal(value, right[key], depth) for key, value in left.items())


def _inner_equal(left: Any, right: Any, depth: int) -> bool:
    try:
        return equal(left, right, depth)
    except Problem:
        return False


def _equal_ranges(left: Range, right: Range, depth: int) -> bool:
    if (left.start_included, left.end_included, left.operator) != (right.start_included, right.end_included, right.operator):
        return False
    depth = _deeper(depth)
    return _inner_equal(left.start, right.start, depth) and _inner_equal(left.end, right.end, depth)


_TEMPORAL = ("date", "time", "date and time", "days and time duration")


def _equal_moments(kind: str, left: Any, right: Any) -> bool:
    """Equality of moments goes by whole seconds, as DMN's value function does."""
    if kind == "date":
        return date_days(left) == date_days(right)
    if kind == "days and time duration":
        return duration_nanos(left) == duration_nanos(right)
    of = time_instant if kind == "time" else instant
    (zoned, a), (other, b) = of(left), of(right)
    return zoned == other and a // SECOND == b // SECOND


def order_key(value: Any) -> tuple[str, Any]:
    """Kind and a Python value that orders values of one kind; raises Problem for a kind without order."""
    kind = kind_of(value)
    if kind == "number":
        return kind, as_number(value)
    if kind == "string":
        return kind, value
    if kind == "date":
        return kind, date_days(value)
    if kind == "time":
        zoned, at = time_instant(value)
        return ("time with zone" if zoned else kind), at
    if kind == "date and time":
        zoned, at = instant(value)
        return ("date and time with zone" if zoned else kind), at
    if kind == "days and time duration":
        return kind, duration_nanos(value)
    if kind == "years and months duration":
        return kind, value.total
    raise Problem(f"{title_of(value)}没有大小")


def compare(left: Any, right: Any) -> int | None:
    """-1, 0 or 1; None when one is null; raises Problem for two kinds or a kind without order."""
    if left is None or right is None:
        return None
    (kind, a), (other, b) = order_key(left), order_key(right)
    if kind != other:
        raise Problem(f"{title_of(left)}与{title_of(right)}不能比较大小")
    return (a > b) - (a < b)


def less(left: Any, right: Any) -> bool | None:
    order = compare(left, right)
    return None if order is None else order < 0


def less_equal(left: Any, right: Any) -> bool | None:
    order = compare(left, right)
    return None if order is None else order <= 0


def greater(left: Any, right: Any) -> bool | None:
    order = compare(left, right)
    return None if order is None else order > 0


def greater_equal(left: Any, right: Any) -> bool | None:
    order = compare(left, right)
    return None if order is None else order >= 0


def within(value: Any, bounds: Range) -> bool | None:
    """Whether a value lies in a range; null when the value or a written end is null."""
    if bounds.operator == "=":
        return equal(value, bounds.start)
    if bounds.operator == "!=":
        return not equal(value, bounds.start)
    lower: bool | None = True
    if bounds.operator not in ("<", "<="):
        lower = less_equal(bounds.start, value) if bounds.start_included else less(bounds.start, value)
    if lower is False or bounds.operator in (">", ">="):
        return lower
    upper = less_equal(value, bounds.end) if bounds.end_included else less(value, bounds.end)
    return upper if lower is True or upper is False else None


def contained(value: Any, target: Any) -> bool | None:
    """``value in target``: equal to it, in the range, or equal to or in an item of the list."""
    if isinstance(target, Range):
        if isinstance(value, Range):
            return same(value, target)
        return within(value, target)
    if kind_of(target) == "list":
        return _in_list(value, target)
    return equal(value, target)


def _in_list(value: Any, items: Any) -> bool:
    for item in items:
        try:
            if isinstance(item, Range) and not isinstance(value, Range):
                hit = within(value, item)
            else:
                hit = equal(value, item)
        except Problem:
            hit = False
        if hit:
            return True
    return kind_of(value) == "list" and same(value, items)
