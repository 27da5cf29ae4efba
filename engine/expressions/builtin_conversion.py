"""Conversion functions: ``number``, ``string``, ``date``, ``time``, ``date and time``, ``duration``, ``range`` and the ``@`` literal."""
from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from engine.expressions.builtins import builtin
from engine.expressions.compare import compare
from engine.expressions.errors import FeelError, LimitReached, Problem
from engine.expressions.limits import MAX_STRING
from engine.expressions.numbers import as_integer, as_number
from engine.expressions.numbers import text_of as number_text
from engine.expressions.temporal import (
    DAY,
    SECOND,
    date_days,
    day_nanos,
    days_of,
    duration_nanos,
    make_date,
    make_datetime,
    make_time,
    months_between,
)
from engine.expressions.temporal_text import (
    fixed_zone,
    parse_any,
    parse_date,
    parse_datetime,
    parse_duration,
    parse_time,
)
from engine.expressions.temporal_text import (
    text_of as moment_text,
)
from engine.expressions.values import NUMBERS, Range, kind_of, title_of

_MAX_TEXT_DEPTH = 60
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,5})?\Z", re.ASCII)


@builtin("@", "text:string")
def at_literal(text: str) -> Any:
    return parse_any(text)


@builtin("number", "from:string, grouping separator:string?, decimal separator:string?", "from:number")
def number(text: Any, grouping: str | None = None, point: str | None = None) -> Decimal:
    """A number from its text, with separators such as "," and "."."""
    if kind_of(text) == "number":
        return as_number(text)
    if grouping not in (None, " ", ",", ".") or point not in (None, ",", ".") or grouping is not None and grouping == point:
        raise Problem("数字的分隔符不对")
    plain = text.replace(grouping, "") if grouping else text
    if point == ",":
        if "." in plain:
            raise Problem("不是数字")
        plain = plain.replace(",", ".")
    if not _NUMBER.match(plain):
        raise Problem(f"不是数字：{text[:40]}")
    value = NUMBERS.create_decimal(plain)
    return value if value else Decimal(0)


@builtin("string", "from:any")
def string(value: Any) -> str | None:
    if value is None:
        return None
    return value if type(value) is str else shown(value)


def shown(value: Any) -> str:
    """The text of any value as FEEL would write it; strings without their quotes."""
    pieces = _Pieces()
    _show(value, pieces, 0)
    return "".join(pieces)


class _Pieces(list[str]):
    """The parts of a text, bounded in sum."""

    size = 0

    def append(self, piece: str) -> None:
        self.size += len(piece)
        if self.size > MAX_STRING:
            raise LimitReached(f"文本超过 {MAX_STRING} 个字符")
        super().append(piece)


def _show(value: Any, out: _Pieces, depth: int) -> None:
    if depth > _MAX_TEXT_DEPTH:
        raise LimitReached("值太大，不能转成文本")
    kind = kind_of(value)
    match kind:
        case "null":
            out.append("null")
        case "boolean":
            out.append("true" if value else "false")
        case "number":
            out.append(number_text(as_number(value)))
        case "string":
            out.append('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"')
        case "list":
            _show_all("[", "]", [("", item) for item in value], out, depth)
        case "context":
            _show_all("{", "}", [(f"{key}: ", item) for key, item in value.items()], out, depth)
        case "range":
            _show_range(value, out, depth)
        case "function" | "other":
            out.append("function" if kind == "function" else "null")
        case _:
            out.append(moment_text(value) if depth == 0 else f'@"{moment_text(value)}"')


def _show_all(opening: str, closing: str, items: list[tuple[str, Any]], out: _Pieces, depth: int) -> None:
    out.append(opening)
    for position, (label, item) in enumerate(items):
        out.append((", " if position else "") + label)
        _show(item, out, depth + 1)
    out.append(closing)


def _show_range(value: Range, out: _Pieces, depth: int) -> None:
    if value.operator:
        out.append(f"({value.operator}")
        _show(value.end if value.start is None else value.start, out, depth + 1)
        out.append(")")
        return
    out.append("[" if value.start_included else "(")
    _show(value.start, out, depth + 1)
    out.append("..")
    _show(value.end, out, depth + 1)
    out.append("]" if value.end_included else ")")


@builtin("date", "from:string", "from:moment")
def date(value: Any) -> Any:
    return parse_date(value) if isinstance(value, str) else make_date(date_days(value))


@builtin("date", "year:number, month:number, day:number")
def date_of(year: Decimal, month: Decimal, day: Decimal) -> Any:
    return make_date(days_of(as_integer(year), as_integer(month), as_integer(day)))


@builtin("time", "from:any")
def time(value: Any) -> Any:
    """A time from text, from a date and time, or midnight UTC from a date."""
    if isinstance(value, str):
        return parse_time(value)
    kind = kind_of(value)
    if kind == "time":
        return value
    if kind == "date and time":
        return make_time(day_nanos(value), value.tzinfo)
    if kind == "date":
        return parse_time("00:00:00Z")
    raise Problem(f"{title_of(value)}不能转成时刻")


@builtin("time", "hour:number, minute:number, second:number, offset:days and time duration?")
def time_of(hour: Decimal, minute: Decimal, second: Decimal, offset: Any) -> Any:
    nanos = int(second * SECOND)
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= nanos < 60 * SECOND):
        raise Problem("没有这样的时刻")
    zone = None if offset is None else fixed_zone(int(duration_nanos(offset) / SECOND))
    return make_time((as_integer(hour) * 60 + as_integer(minute)) * 60 * SECOND + nanos, zone)


@builtin("date and time", "from:string", "from:date and time")
def date_and_time(value: Any) -> Any:
    return parse_datetime(value) if isinstance(value, str) else value


@builtin("date and time", "from:date")
def midnight(value: Any) -> Any:
    return make_datetime(date_days(value), 0, None)


@builtin("date and time", "date:moment, time:time")
def date_with_time(day: Any, at: Any) -> Any:
    return make_datetime(date_days(day), day_nanos(at), at.tzinfo)


@builtin("date and time", "year:number, month:number, day:number, hour:number, minute:number, second:number, offset:any?")
def date_and_time_of(year: Any, month: Any, day: Any, hour: Any, minute: Any, second: Any, offset: Any) -> Any:
    if isinstance(offset, str):
        at = parse_time(moment_text(time_of(hour, minute, second, None)) + "@" + offset)
    else:
        at = time_of(hour, minute, second, offset)
    return make_datetime(days_of(as_integer(year), as_integer(month), as_integer(day)), day_nanos(at) % DAY, at.tzinfo)


@builtin("duration", "from:string")
def duration(text: str) -> Any:
    return parse_duration(text)


@builtin("duration", "from:days and time duration", "from:years and months duration")
def duration_itself(value: Any) -> Any:
    return value


@builtin("years and months duration", "from:moment, to:moment")
def years_and_months_duration(start: Any, end: Any) -> Any:
    return months_between(start, end)


@builtin("range", "from:string")
def range_of(text: str) -> Range:
    """A range from its literal text; the ends are literals or calls of date functions with literal texts."""
    from engine.expressions import nodes
    from engine.expressions.expression import build_expression
    try:
        expression = build_expression(text.strip()) if text.strip() else None
    except LimitReached:
        raise
    except FeelError as error:
        raise Problem(error.reason) from None
    tree = expression.tree if expression is not None else None
    if not isinstance(tree, nodes.RangeLiteral) or tree.operator or not (_is_constant(tree.start) and _is_constant(tree.end)):
        raise Problem("不是区间的文本")
    assert expression is not None
    value = expression.evaluate({})
    if not isinstance(value, Range) or compare(value.start, value.end) not in (-1, 0):
        raise Problem("区间的两端不对")
    return value


def _is_constant(node: Any) -> bool:
    from engine.expressions import nodes
    if isinstance(node, nodes.Literal):
        return node.value is not None
    if isinstance(node, nodes.Call) and isinstance(node.function, nodes.Name):
        known = node.function.name in ("date", "time", "date and time", "duration", "@")
        return known and all(isinstance(argument, nodes.Literal) for argument in node.arguments)
    return False
