"""Values as FEEL wants them, from Python and from JSON, and back to JSON."""
from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.decisions.errors import DecisionError
from engine.expressions.errors import Problem
from engine.expressions.numbers import from_python
from engine.expressions.temporal_text import parse_date, parse_datetime, parse_duration, parse_time, text_of
from engine.expressions.values import kind_of

_MAX_DEPTH = 60
_READERS = {"date": parse_date, "time": parse_time, "date and time": parse_datetime, "duration": parse_duration}


def normal(value: Any, depth: int = 0) -> Any:
    """Numbers as Decimal, sequences as list, mappings as dict with str keys; raises DecisionError for what FEEL has no type for."""
    if depth > _MAX_DEPTH:
        raise DecisionError("输入数据嵌套太深")
    match kind_of(value):
        case "number":
            return _number(value)
        case "list":
            return [normal(item, depth + 1) for item in value]
        case "context":
            return {str(key): normal(item, depth + 1) for key, item in value.items()}
        case "other":
            raise DecisionError(f"输入数据里有 FEEL 没有的类型：{type(value).__name__}")
        case _:
            return value


def _number(value: Any) -> Decimal:
    try:
        return from_python(value)
    except Problem as problem:
        raise DecisionError(problem.message) from None


def from_json(value: Any, depth: int = 0) -> Any:
    """A JSON value; ``{"date": "2026-01-02"}``, ``{"time": …}``, ``{"date and time": …}``, ``{"duration": …}`` are moments."""
    if depth > _MAX_DEPTH:
        raise DecisionError("输入数据嵌套太深")
    if isinstance(value, list):
        return [from_json(item, depth + 1) for item in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        (key, inner), = value.items()
        if key in _READERS and isinstance(inner, str):
            try:
                return _READERS[key](inner)
            except Problem as problem:
                raise DecisionError(problem.message) from None
    return {key: from_json(item, depth + 1) for key, item in value.items()}


def to_json(value: Any, depth: int = 0) -> Any:
    """The same, outwards: integers as int, other numbers as Decimal (written without loss), moments as one-entry objects."""
    if depth > _MAX_DEPTH:
        raise DecisionError("结果嵌套太深")
    kind = kind_of(value)
    match kind:
        case "list":
            return [to_json(item, depth + 1) for item in value]
        case "context":
            return {key: to_json(item, depth + 1) for key, item in value.items()}
        case "date" | "time" | "date and time":
            return {kind: text_of(value)}
        case "days and time duration" | "years and months duration":
            return {"duration": text_of(value)}
        case "number":
            return _number(value)
        case "string" | "boolean" | "null":
            return value
        case "range":
            from engine.expressions.builtin_conversion import shown
            return shown(value)
        case _:
            raise DecisionError("结果是函数，不能写成 JSON")
