"""What advanced conditions and kept lists of cases may name: a case as if it were a record of a register."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from engine.kernel.errors import Invalid
from engine.registers.conditions import Condition, plain_condition, read_condition
from engine.registers.declaration import Field, Register

NAME = "cases"
_FIELDS = (
    Field(name="title", title="案由、标题"), Field(name="number", title="编号"), Field(name="subject", title="当事人"), Field(name="address", title="地址"),
    Field(name="kind", title="类别", type="choice"), Field(name="state_title", title="状态"), Field(name="search", title="登记的其他内容"),
    Field(name="updated_at", title="最近变动", type="datetime"), Field(name="closed_at", title="办结时间", type="datetime"),
)
CASES = Register(name=NAME, title="案件", case="none", fields={one.name: one for one in _FIELDS})
"""Columns of ``case_file``; the unit and the time of registration come with every register."""


def read_tree(text: str) -> Condition | None:
    """The condition in an address; raises Invalid."""
    if not text:
        return None
    try:
        told: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Invalid("条件没有传完整，请回到列表重新打开高级条件。", code="bad_condition") from None
    return read_condition(told, CASES)


def write_tree(condition: Condition | None) -> str:
    """The condition as an address holds it, empty for none."""
    return orjson.dumps(plain_condition(condition)).decode() if condition else ""


def words_of(kinds: Mapping[str, str], units: Mapping[str, str]) -> Any:
    """What people read for a stored value."""
    return lambda field, value: kinds.get(value, value) if field.name == "kind" else units.get(value, value) if field.type == "unit" else value
