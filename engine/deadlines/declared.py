"""What a parameters.yaml may say, checked before it is in force."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from engine.deadlines.rules import HOURS, UNITS, ClockRefused, ClockRule, rule_from
from engine.deadlines.steps import check_soon, parse_steps
from engine.kernel.errors import GuichengError
from engine.reference.parameters import declared_rows

KEYS = {
    "title", "unit", "read_at", "values", "count_first_day", "roll_rest_day", "extension", "suspension", "office_hours", "soon", "steps", "every_step",
}
EXTENSION = {"times", "amount", "unit", "total", "roles"}


def check_parameters(name: str, content: Any) -> list[str]:
    """What is wrong with the parameters of a pack, one Chinese sentence each; nothing when all is well."""
    if not isinstance(content, Mapping):
        return ["parameters.yaml 应是“名称: 内容”的对照。"]
    pack = name.split(".", 1)[0]
    return [f"{key}：{fault}" for key, declared in content.items() for fault in _faults(f"{pack}.{key}", declared)]


def _faults(name: str, declared: Any) -> list[str]:
    if not isinstance(declared, Mapping):
        return ["要写明 title、unit 和 values。"]
    try:
        rows = declared_rows(name, declared)
        if declared.get("unit") in UNITS or declared.get("unit") in HOURS:
            return _of_clock(declared, rows)
    except GuichengError as error:
        return [error.message]
    return []


def _of_clock(declared: Mapping[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    found = [f"不认识的项 {key}。" for key in sorted(set(declared) - KEYS)]
    found += [f"extension 里不认识的项 {key}。" for key in sorted(set(declared.get("extension") or {}) - EXTENSION)]
    for row in rows:
        rule_of_row(row)
    return found


def rule_of_row(row: Mapping[str, Any]) -> ClockRule:
    """The clock that a row of a parameter describes; raises ClockRefused for anything it can't be."""
    value = row["value"]
    if value is None or value != int(value):
        raise ClockRefused("期限的数值应是整数。")
    if not isinstance(row["valid_from"], date):
        raise ClockRefused("生效日应写成 2026-03-02。")
    rule = rule_from({**row["detail"], "amount": int(value), "unit": row["unit"], "law": row["source"]})
    check_soon(rule.soon)
    parse_steps(rule.steps)
    return rule
