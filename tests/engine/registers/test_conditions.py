"""AND and OR over records: the SQL agrees with reading the tree over plain values; bad trees are refused in words."""
from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import select

from engine.kernel.clock import SHANGHAI
from engine.kernel.errors import Invalid
from engine.registers.conditions import Condition, Group, Leaf, clause_of, plain_condition, read_condition, told_condition
from engine.registers.filters import read_asked
from tests.engine.registers.stock import Stock

WORDS = ["伞-001", "布伞-004", "红%_"]
LEAVES = some.one_of(
    some.fixed_dictionaries({"field": some.just("code"), "has": some.sampled_from(["伞", "布", "00", "%", "_"])}),
    some.fixed_dictionaries({"field": some.just("colour"), "is": some.lists(some.sampled_from(["red", "blue"]), min_size=1, max_size=2)}),
    some.fixed_dictionaries({"field": some.just("colour"), "not": some.just("red")}),
    some.fixed_dictionaries({"field": some.sampled_from(["price", "bought_on", "checked_at", "tags", "working"]), "empty": some.booleans()}),
    some.fixed_dictionaries({"field": some.just("price"), "from": some.sampled_from(["0", "5", "39.90"])}),
    some.fixed_dictionaries({"field": some.just("price"), "from": some.just("5"), "to": some.sampled_from(["5", "100"])}),
    some.fixed_dictionaries({"field": some.just("bought_on"), "to": some.sampled_from(["2025-12-31", "2026-01-05"])}),
    some.fixed_dictionaries({"field": some.just("checked_at"), "from": some.just("2026-11-19"), "to": some.sampled_from(["2026-11-19", "2026-11-20"])}),
    some.fixed_dictionaries({"field": some.just("tags"), "has": some.lists(some.sampled_from(["new", "big"]), min_size=1, max_size=2)}),
    some.fixed_dictionaries({"field": some.just("working"), "is": some.booleans()}),
)
TREES = some.recursive(LEAVES, lambda inner: some.sampled_from(["all", "any", "none"]).flatmap(lambda how: some.lists(inner, max_size=3).map(lambda parts: {how: parts})), max_leaves=6)


def holds(condition: Condition, record: dict[str, Any]) -> bool:
    """The same tree read over one record's values, written apart from the SQL."""
    if isinstance(condition, Group):
        found = [holds(part, record) for part in condition.parts]
        return all(found) if condition.how == "all" else any(found) or not found if condition.how == "any" else not any(found)
    value = record.get(condition.field.name)
    if condition.verb == "empty":
        return (value is None) is (condition.values == ("yes",))
    if condition.verb == "not":
        return value is None or str(value) not in condition.values
    return value is not None and _fits(condition, value)


def _fits(leaf: Leaf, value: Any) -> bool:
    if leaf.verb == "range":
        low, high = leaf.low or None, leaf.high or None
        if isinstance(value, Decimal):
            return (low is None or value >= Decimal(low)) and (high is None or value <= Decimal(high))
        day = value.astimezone(SHANGHAI).date() if isinstance(value, datetime) else value
        return (low is None or day >= date.fromisoformat(low)) and (high is None or day <= date.fromisoformat(high))
    if leaf.verb == "has":
        return any(word in value for word in leaf.values)
    return (str(value).lower() if isinstance(value, bool) else str(value)) in leaf.values


@settings(max_examples=120, deadline=timedelta(seconds=5), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREES)
def test_sql_and_plain_reading_agree(filled: Stock, tree: dict[str, Any]) -> None:
    condition = read_condition(tree, filled.register)
    with filled.app.db.connect() as connection:
        records = [dict(row) for row in connection.execute(select(filled.table)).mappings()]
        found = set(connection.scalars(select(filled.table.c.code).where(clause_of(condition, filled.table))))
    assert found == {record["code"] for record in records if holds(condition, record)}
    assert read_condition(orjson.loads(orjson.dumps(plain_condition(condition))), filled.register) == condition
    assert told_condition(condition, lambda field, value: value)


def test_a_list_is_narrowed_by_a_tree_in_its_address(filled: Stock) -> None:
    tree = {"any": [{"field": "price", "from": "100"}, {"all": [{"field": "colour", "is": "red"}, {"field": "price", "to": "10"}]}]}
    pair = ("w", orjson.dumps(tree).decode())
    assert filled.codes(pair, ("sort", "code")) == ["伞-002", "布伞-004"]
    asked = read_asked(filled.register, [pair])
    assert read_asked(filled.register, asked.pairs) == asked and asked.narrowed
    assert filled.codes(("under", str(filled.town.units["district"])), login="chief") and not filled.codes(("under", str(filled.town.units["station_two"])), login="chief")


@pytest.mark.parametrize(("tree", "said"), [
    ({}, "没有可以查的栏目"), ([], "条件写成"), ({"all": "x"}, "加一个列表"), ({"field": "secret", "is": "甲"}, "没有可以查的栏目"), ({"field": "phone", "has": "139"}, "没有可以查的栏目"),
    ({"field": "colour"}, "要写一种"), ({"field": "colour", "is": "red", "not": "blue"}, "要写一种"), ({"field": "colour", "from": "a"}, "不能这样比较"), ({"field": "price", "from": "很多"}, "只写数字"),
    ({"field": "bought_on", "to": "昨天"}, "日期写成"), ({"field": "colour", "is": []}, "1 到 200 个值"), ({"field": "working", "is": "也许"}, "true 或 false"), ({"field": "holder", "is": "张三"}, "从列出的里选"),
    ({"all": [{"all": [{"all": [{"all": [{"all": [{"all": []}]}]}]}]}]}, "最多套"), ({"any": [{"field": "code", "has": "伞"}] * 41}, "最多 40 个"), ({"field": "price", "from": ""}, "从哪里或到哪里"),
    ({"field": "code", "has": {"a": 1}}, "条件值不对"),
])
def test_a_bad_tree_is_refused_in_words(stock: Stock, tree: Any, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read_condition(tree, stock.register)


def test_a_tree_is_told_in_chinese(stock: Stock) -> None:
    tree = {"all": [{"field": "colour", "is": ["red", "blue"]}, {"none": [{"field": "price", "from": "5", "to": "9"}, {"field": "holder", "empty": True}]}]}
    said = told_condition(read_condition(tree, stock.register), lambda field, value: {"red": "红", "blue": "蓝"}.get(value, value))
    assert said == "颜色是红、蓝 并且 （不是（单价不小于 5、不大于 9 或者 保管人未填））"
