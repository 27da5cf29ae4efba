"""What a time limit is, and what can happen to it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from engine.kernel.errors import Invalid
from engine.reference.parameters import Parameter

UNITS = {"working_day": "个工作日", "day": "日", "month": "个月", "year": "年"}
KINDS = ("suspend", "resume", "exclude", "extend")
HOURS = {"hour": "小时", "working_hour": "个工作小时"}
MOST = {"working_day": 5_000, "day": 10_000, "month": 360, "year": 30, "hour": 20_000, "working_hour": 4_000}
OFFICE_HOURS = ((time(9), time(17)),)
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class ClockRefused(Invalid):
    """A time limit or an event on it breaks a counting rule; the Chinese message names the rule."""

    code = "clock_refused"


@dataclass(frozen=True, kw_only=True)
class ClockRule:
    """A time limit: ``amount`` of ``unit`` (working_day, day, month, year, hour, working_hour).

    ``extensions`` is how often it may be extended, ``extension_amount`` and ``extension_unit`` how far each time,
    ``extension_total`` how far altogether, ``extension_roles`` who may; ``suspensions`` how often it may stand still; None
    or nothing sets no limit. ``steps`` are what happens before, at and after its end (``steps.py``), ``soon`` when its
    light turns yellow. ``office_hours`` count for working_hour. ``measure`` is the parameter that it is, where a clock of another name is measured by it.
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
    extension_total: int | None = None
    extension_roles: tuple[str, ...] = ()
    suspensions: int | None = None
    soon: str = ""
    steps: tuple[Mapping[str, Any], ...] = ()
    office_hours: tuple[tuple[time, time], ...] = OFFICE_HOURS
    measure: str = ""

    def __post_init__(self) -> None:
        check_amount(self.amount, self.unit, {**UNITS, **HOURS})

    @property
    def in_hours(self) -> bool:
        return self.unit in HOURS


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a clock.

    suspend: does not count from ``on`` on. resume: counts again from ``on``. exclude: ``on`` to ``until``, both included,
    do not count. extend: ``amount`` of ``unit`` more (``on`` is the day it was granted, where known). On clocks in hours
    ``on_at`` and ``until_at`` are the instants; a day alone stands for its midnight, an excluded one for all of it.
    """

    kind: str
    on: date | None = None
    until: date | None = None
    amount: int | None = None
    unit: str | None = None
    ground: str = ""
    on_at: datetime | None = None
    until_at: datetime | None = None


def check_amount(amount: Any, unit: Any, units: Mapping[str, str] = UNITS) -> None:
    """Raise ClockRefused unless ``amount`` of ``unit`` can be counted."""
    if unit not in units:
        known = "hour（小时）或 working_hour（工作小时）" if units is HOURS else "working_day（工作日）、day（日）、month（月）或 year（年）"
        raise ClockRefused(f"期限单位应是 {known}。")
    if isinstance(amount, bool) or not isinstance(amount, int) or not 1 <= amount <= MOST[unit]:
        raise ClockRefused(f"期限数值应是 1 到 {MOST[unit]} 的整数。")


def quantity(amount: int, unit: str) -> str:
    """15 个工作日, 3 个月."""
    return f"{amount} {(UNITS | HOURS)[unit]}"


def rule_of(parameter: Parameter) -> ClockRule:
    """The clock that a dated parameter describes; raises ClockRefused when it is no time limit."""
    if parameter.value is None or parameter.unit not in UNITS | HOURS or parameter.value != int(parameter.value):
        raise ClockRefused(f"{parameter.title}不是期限，不能计时。")
    return rule_from(
        {"amount": int(parameter.value), "unit": parameter.unit, "title": parameter.title, "law": parameter.source, **parameter.rule}
    )


def rule_from(stored: Mapping[str, Any]) -> ClockRule:
    """The rule in a parameter's detail or a clock's row: flat keys, ``extension: {times, amount, unit, total, roles}``, ``suspension: {times}``."""
    extension = stored.get("extension") or {}
    return ClockRule(
        amount=stored["amount"],
        unit=stored["unit"],
        count_first_day=bool(stored.get("count_first_day", False)),
        roll_rest_day=bool(stored.get("roll_rest_day", stored["unit"] not in HOURS)),
        title=stored.get("title", ""),
        law=stored.get("law", ""),
        extensions=extension.get("times"),
        extension_amount=extension.get("amount"),
        extension_unit=extension.get("unit", stored["unit"]),
        extension_total=extension.get("total"),
        extension_roles=tuple(extension.get("roles") or ()),
        suspensions=(stored.get("suspension") or {}).get("times"),
        soon=stored.get("soon") or "",
        steps=tuple(stored.get("steps") or ()),
        office_hours=office_hours_of(stored["office_hours"]) if stored.get("office_hours") else OFFICE_HOURS,
        measure=stored.get("measure") or "",
    )


def rule_detail(rule: ClockRule) -> dict[str, Any]:
    """What a clock's row keeps of its rule besides amount and unit."""
    extension = {"times": rule.extensions, "amount": rule.extension_amount, "unit": rule.extension_unit, "total": rule.extension_total, "roles": [*rule.extension_roles]}
    detail: dict[str, Any] = {
        "count_first_day": rule.count_first_day,
        "roll_rest_day": rule.roll_rest_day,
        "extension": {name: value for name, value in extension.items() if value not in (None, [])},
    }
    if rule.suspensions is not None:
        detail["suspension"] = {"times": rule.suspensions}
    if rule.measure:
        detail["measure"] = rule.measure
    if rule.soon:
        detail["soon"] = rule.soon
    if rule.steps:
        detail["steps"] = [dict(step) for step in rule.steps]
    if rule.unit == "working_hour":
        detail["office_hours"] = [f"{first:%H:%M}-{last:%H:%M}" for first, last in rule.office_hours]
    return detail


def office_hours_of(spans: Sequence[str]) -> tuple[tuple[time, time], ...]:
    """``["09:00-11:30", "13:30-17:00"]`` as pairs of times; raises ClockRefused unless they are in order and apart."""
    found: list[tuple[time, time]] = []
    if not isinstance(spans, list | tuple) or not spans:
        raise ClockRefused("office_hours 应是时间段的列表，如 [\"09:00-17:00\"]。")
    for span in spans:
        match = _SPAN.fullmatch(span) if isinstance(span, str) else None
        if match is None:
            raise ClockRefused("办公时间应写成 09:00-17:00，分段的按先后写。")
        hours = [int(part) for part in match.groups()]
        first, last = time(hours[0], hours[1]), time(23, 59, 59, 999999) if hours[2] == 24 else time(hours[2], hours[3])
        if first >= last or (found and first < found[-1][1]):
            raise ClockRefused("办公时间的各段要先后相接、互不重叠。")
        found.append((first, last))
    return tuple(found)
