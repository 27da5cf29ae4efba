"""What a table answers when several rules match."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.decisions.errors import DecisionError
from engine.expressions.builtin_list import count, maximum_of, minimum_of, sum_of
from engine.expressions.compare import same


@dataclass
class Hit:
    """A rule that matched: its number from 1, its output cells, and its value (one output, or a context of all)."""

    rule: int
    parts: list[Any]
    value: Any


Orders = list["list[Any] | None"]


def _rules(hits: list[Hit]) -> str:
    return "、".join(str(hit.rule) for hit in hits[:10])


def _unique(title: str, hits: list[Hit], orders: Orders) -> Any:
    if len(hits) > 1:
        raise DecisionError(f"{title}：命中策略是“唯一”，但第 {_rules(hits)} 条规则同时命中")
    return hits[0].value


def _any(title: str, hits: list[Hit], orders: Orders) -> Any:
    different = [hit for hit in hits[1:] if not same(hit.value, hits[0].value)]
    if different:
        raise DecisionError(f"{title}：命中策略是“任意”，但第 {_rules([hits[0], *different])} 条规则的输出不同")
    return hits[0].value


def _first(title: str, hits: list[Hit], orders: Orders) -> Any:
    return hits[0].value


def _ranked(hits: list[Hit], orders: Orders) -> list[Hit]:
    """Hits by the order of the output values, the first output first."""
    def rank(hit: Hit) -> tuple[int, ...]:
        return tuple(_place(part, order) for part, order in zip(hit.parts, orders, strict=True) if order)
    return sorted(hits, key=rank)


def _place(value: Any, order: list[Any]) -> int:
    return next((position for position, known in enumerate(order) if same(value, known)), len(order))


def _priority(title: str, hits: list[Hit], orders: Orders) -> Any:
    return _ranked(hits, orders)[0].value


def _rule_order(title: str, hits: list[Hit], orders: Orders) -> Any:
    return [hit.value for hit in hits]


def _output_order(title: str, hits: list[Hit], orders: Orders) -> Any:
    return [hit.value for hit in _ranked(hits, orders)]


POLICIES: dict[str, Callable[[str, list[Hit], Orders], Any]] = {
    "UNIQUE": _unique, "ANY": _any, "FIRST": _first, "PRIORITY": _priority, "RULE ORDER": _rule_order, "OUTPUT ORDER": _output_order,
    "COLLECT": _rule_order,
}
_AGGREGATIONS: dict[str, Callable[[list[Any]], Any]] = {"SUM": sum_of, "MIN": minimum_of, "MAX": maximum_of, "COUNT": count}


def aggregate(name: str, values: list[Any]) -> Any:
    """SUM, MIN, MAX or COUNT of the outputs; raises Problem for values that can't be."""
    if name not in _AGGREGATIONS:
        raise DecisionError(f"不认识的汇总方式 {name}")
    return _AGGREGATIONS[name](values)
