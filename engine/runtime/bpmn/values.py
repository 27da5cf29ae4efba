"""Routing facts: what they may be, where they live, and FEEL over them.

Each process and each called process has one set of facts that all its branches and sub-processes share. A token carries only what is its own:
the ``outcome`` of the step it comes from, the item of its multi-instance, the payload of its error. An instance of a multi-instance activity
is a scope of its own: what it writes stays with it and leaves only through the result collection.
"""
from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson

from engine.expressions import Expression, FeelError, compile_expression
from engine.kernel.names import is_name
from engine.runtime.bpmn.errors import FactRefused, FlowError

MAX_FACT_BYTES = 2048
MAX_LIST_BYTES = 65_536
CASE_FACTS = ("case_id", "initiator_id", "unit_id")
TOKEN_FACTS = frozenset({"outcome"})
REFERENCES = frozenset({"form", "document", "decision", "role", "handler"})


@lru_cache(maxsize=8192)
def compiled(text: str) -> Expression:
    """The compiled FEEL expression of ``text`` (a leading ``=`` is dropped); raises FeelError."""
    return compile_expression(text[1:].strip() if text.startswith("=") else text)


def evaluate(text: str, facts: Mapping[str, Any], *, element: str, title: str, process: str = "") -> Any:
    """The value of FEEL ``text`` over ``facts``, strictly: an unknown name or a wrong type is a FlowError that names the element, not null."""
    try:
        return compiled(text).evaluate_strict(facts)
    except FeelError as error:
        raise FlowError(f"节点「{title}」的表达式“{text[:120]}”不能求值：{error}。请检查事实的值，或修改流程图后重试。", element=element, title=title, process=process) from None


def plain(value: Any, *, name: str) -> Any:
    """``value`` as a routing fact: JSON scalars, lists, dicts. Integral numbers become int, dates ISO text; anything else is refused."""
    result = _plain(value, name)
    room = MAX_LIST_BYTES if isinstance(result, list) else MAX_FACT_BYTES
    if isinstance(result, str | list | dict) and len(orjson.dumps(result)) > room:
        raise FactRefused(f"事实“{name}”超过 {room} 字节。流程只存放路由所需的小数据，请把内容存入表单或台账。", element="", fact=name)
    return result


def _plain(value: Any, name: str) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return _integer(value, name)
    if isinstance(value, float | Decimal):
        return _number(Decimal(str(value)), name)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"PT{int(value.total_seconds())}S"
    if isinstance(value, Mapping):
        return {str(key): _plain(item, name) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, name) for item in value]
    raise FactRefused(f"事实“{name}”的值类型（{type(value).__name__}）不能存入流程，只能是文字、数字、是否、空值或由它们组成的小列表。", fact=name)


def _integer(value: int, name: str) -> int:
    if abs(value) >= 2**63:
        raise FactRefused(f"事实“{name}”的数值过大，请改存为文字。", fact=name)
    return value


def _number(value: Decimal, name: str) -> int | float:
    if not value.is_finite():
        raise FactRefused(f"事实“{name}”不是有限的数。", fact=name)
    if value == value.to_integral_value() and abs(value) < 2**63:
        return int(value)
    if Decimal(repr(float(value))) != value:
        raise FactRefused(f"事实“{name}”的小数位数过多，不能准确保存，请改存为文字。", fact=name)
    return float(value)


def literal(text: str, kind: str) -> Any:
    """A literal attribute value read as the declared type ``kind`` (number and boolean are converted, all else is text)."""
    if kind == "number":
        try:
            return plain(Decimal(text), name=text)
        except ArithmeticError:
            return None
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.strip().lower())
    return text

def qualified(value: Any, kind: str, pack: str) -> Any:
    """A bare reference of a kind that names content, seen from ``pack``."""
    return f"{pack}.{value}" if kind in REFERENCES and isinstance(value, str) and is_name(value) else value
