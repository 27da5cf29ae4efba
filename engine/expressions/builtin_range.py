"""Relations between points and ranges (Allen's interval algebra, DMN 10.3.4.10)."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.expressions.builtins import builtin
from engine.expressions.compare import compare, same
from engine.expressions.errors import Problem
from engine.expressions.values import Range, kind_of

Relation = Callable[[Any, Any], "bool | None"]


def _order(left: Any, right: Any) -> int:
    order = compare(left, right)
    if order is None:
        raise Problem("空值没有先后")
    return order


def _closed(value: Range) -> Range:
    """A range with two ends; ``=`` ranges have them, open-ended ones do not compare."""
    if value.operator == "!=":
        raise Problem("这个区间没有两端")
    return value


def _start_order(left: Range, right: Range) -> int:
    """Order of where two ranges begin; an open-ended range begins before everything."""
    if left.start is None or right.start is None:
        return (left.start is not None) - (right.start is not None)
    return _order(left.start, right.start) or (right.start_included - left.start_included)


def _end_order(left: Range, right: Range) -> int:
    if left.end is None or right.end is None:
        return (left.end is None) - (right.end is None)
    return _order(left.end, right.end) or (left.end_included - right.end_included)


def _after_end(bounds: Range, point: Any, included: bool = True) -> bool:
    """Whether a point (or a start that includes it or not) lies behind the range."""
    if bounds.end is None:
        return False
    order = _order(bounds.end, point)
    return order < 0 or order == 0 and not (bounds.end_included and included)


def _before_start(bounds: Range, point: Any) -> bool:
    if bounds.start is None:
        return False
    order = _order(point, bounds.start)
    return order < 0 or order == 0 and not bounds.start_included


def _in(point: Any, bounds: Range) -> bool:
    return not _after_end(bounds, point) and not _before_start(bounds, point)


def _before(left: Any, right: Any) -> bool:
    if isinstance(left, Range):
        if isinstance(right, Range):
            return right.start is not None and _after_end(left, right.start, right.start_included)
        return _after_end(left, right)
    if isinstance(right, Range):
        return _before_start(right, left)
    return _order(left, right) < 0


def _meets(left: Range, right: Range) -> bool:
    if left.end is None or right.start is None:
        return False
    return left.end_included and right.start_included and _order(left.end, right.start) == 0


def _overlaps(left: Range, right: Range) -> bool:
    return not _before(left, right) and not _before(right, left)


def _overlaps_before(left: Range, right: Range) -> bool:
    return _overlaps(left, right) and _start_order(left, right) < 0 and _end_order(left, right) <= 0


def _overlaps_after(left: Range, right: Range) -> bool:
    return _overlaps(left, right) and _start_order(left, right) > 0 and _end_order(left, right) >= 0


def _finishes(left: Any, right: Range) -> bool:
    if isinstance(left, Range):
        return _end_order(left, right) == 0 and _start_order(left, right) >= 0
    return right.end is not None and right.end_included and _order(left, right.end) == 0


def _starts(left: Any, right: Range) -> bool:
    if isinstance(left, Range):
        return _start_order(left, right) == 0 and _end_order(left, right) <= 0
    return right.start is not None and right.start_included and _order(left, right.start) == 0


def _during(left: Any, right: Range) -> bool:
    if isinstance(left, Range):
        return _start_order(left, right) >= 0 and _end_order(left, right) <= 0
    return _in(left, right)


def _coincides(left: Any, right: Any) -> bool:
    if isinstance(left, Range) and isinstance(right, Range):
        return _start_order(left, right) == 0 and _end_order(left, right) == 0
    return same(left, right)


def _declare(name: str, relation: Callable[[Any, Any], bool], shapes: str, swapped: bool = False) -> None:
    """Declares a relation for shapes such as "pr rr": p is a point, r a range."""
    for shape in shapes.split():
        builtin(name, ", ".join(_signature(shape)))(_relation(relation, shape, swapped))


def _signature(shape: str) -> list[str]:
    single = {"p": "point", "r": "range"}
    if shape[0] == shape[1]:
        return [f"{single[kind]}{position}:{'range' if kind == 'r' else 'any'}" for position, kind in enumerate(shape, 1)]
    return [f"{single[kind]}:{'range' if kind == 'r' else 'any'}" for kind in shape]


def _relation(relation: Callable[[Any, Any], bool], shape: str, swapped: bool) -> Callable[[Any, Any], bool]:
    def run(left: Any, right: Any) -> bool:
        for kind, value in zip(shape, (left, right), strict=True):
            if value is None or kind == "p" and kind_of(value) in ("range", "list", "context", "function", "boolean"):
                raise Problem("需要可比较的值或区间")
            if isinstance(value, Range):
                _closed(value)
        return relation(right, left) if swapped else relation(left, right)
    return run


_declare("before", _before, "rr rp pr pp")
_declare("after", _before, "rr rp pr pp", swapped=True)
_declare("meets", _meets, "rr")
_declare("met by", _meets, "rr", swapped=True)
_declare("overlaps", _overlaps, "rr")
_declare("overlaps before", _overlaps_before, "rr")
_declare("overlaps after", _overlaps_after, "rr")
_declare("finishes", _finishes, "rr pr")
_declare("finished by", _finishes, "rr rp", swapped=True)
_declare("includes", _during, "rr rp", swapped=True)
_declare("during", _during, "rr pr")
_declare("starts", _starts, "rr pr")
_declare("started by", _starts, "rr rp", swapped=True)
_declare("coincides", _coincides, "rr pp")
