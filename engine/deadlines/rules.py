"""What a time limit is, and what can happen to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.kernel.errors import Invalid
from engine.reference.parameters import Parameter

UNITS = {"working_day": "个工作日", "day": "日", "month": "个月", "year": "年"}
KINDS = ("suspend", "resume", "exclude", "extend")
MOST = {"working_day": 5_000, "day": 10_000, "month": 360, "year": 30}


class ClockRefused(Invalid):
    """A time limit or an event on it breaks a counting rule; the Chinese message names the rule."""

    code = "clock_refused"


@dataclass(frozen=True, kw_only=True)
class ClockRule:
    """A time limit: ``amount`` of ``unit`` (working_day, day, month, year).

    ``extensions`` is how often it may be extended, ``extension_amount`` and ``extension_unit`` how far each time; None
    sets no limit.
    """

    amount: int
    unit: str
    count_first_day: bool = False
    roll_rest_day: bool = True
    title: str = ""
    law: str = ""
    extensions: int | None = None
    extension_amount: int | None = None
    extension_unit: str | None = None

    def __post_init__(self) -> None:
        check_amount(self.amount, self.unit)


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a clock.

    suspend: does not count from ``on`` on. resume: counts again from ``on``. exclude: ``on`` to ``until``, both included,
    do not count. extend: ``amount`` of ``unit`` more (``on`` is the day it was granted, where known).
    """

    kind: str
    on: date | None = None
    until: date | None = None
    amount: int | None = None
    unit: str | None = None
    ground: str = ""


def check_amount(amount: Any, unit: Any) -> None:
    """Raise ClockRefused unless ``amount`` of ``unit`` can be counted."""
    if unit not in UNITS:
        raise ClockRefused("期限单位应是 working_day（工作日）、day（日）、month（月）或 year（年）。")
    if isinstance(amount, bool) or not isinstance(amount, int) or not 1 <= amount <= MOST[unit]:
        raise ClockRefused(f"期限数值应是 1 到 {MOST[unit]} 的整数。")


def quantity(amount: int, unit: str) -> str:
    """15 个工作日, 3 个月."""
    return f"{amount} {UNITS[unit]}"


def rule_of(parameter: Parameter) -> ClockRule:
    """The clock that a dated parameter describes; raises ClockRefused when it is no time limit."""
    if parameter.value is None or parameter.unit not in UNITS or parameter.value != int(parameter.value):
        raise ClockRefused(f"{parameter.title}不是期限，不能计时。")
    return rule_from(
        {"amount": int(parameter.value), "unit": parameter.unit, "title": parameter.title, "law": parameter.source, **parameter.rule}
    )


def rule_from(stored: Mapping[str, Any]) -> ClockRule:
    """The rule in a parameter's detail or a clock's row: flat keys, and ``extension: {times, amount, unit}``."""
    extension = stored.get("extension") or {}
    return ClockRule(
        amount=stored["amount"],
        unit=stored["unit"],
        count_first_day=bool(stored.get("count_first_day", False)),
        roll_rest_day=bool(stored.get("roll_rest_day", True)),
        title=stored.get("title", ""),
        law=stored.get("law", ""),
        extensions=extension.get("times"),
        extension_amount=extension.get("amount"),
        extension_unit=extension.get("unit", stored["unit"]),
    )


def rule_detail(rule: ClockRule) -> dict[str, Any]:
    """What a clock's row keeps of its rule besides amount and unit."""
    return {
        "count_first_day": rule.count_first_day,
        "roll_rest_day": rule.roll_rest_day,
        "extension": {"times": rule.extensions, "amount": rule.extension_amount, "unit": rule.extension_unit},
    }
