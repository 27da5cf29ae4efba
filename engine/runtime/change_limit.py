"""Another value for a legal clock from a day on: a new dated row with its law, tried out before it is kept.

Clocks that run keep the rule with which they started; those that start from that day on take the new one.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from engine.access import audit
from engine.access.actors import Actor
from engine.deadlines.declared import rule_of_row
from engine.deadlines.due import Result
from engine.deadlines.rows import reckon
from engine.deadlines.rules import ClockRefused, ClockRule, quantity, rule_of
from engine.kernel.clock import SHANGHAI, legal_date
from engine.kernel.errors import Invalid
from engine.reference import calendars
from engine.reference.parameters import add_value, find_value, get_value
from engine.runtime.application import Application
from engine.storage.tables.cases import case_clock

TUNED = ("count_first_day", "roll_rest_day", "extension", "suspension")


@dataclass(frozen=True, kw_only=True)
class LimitEffect:
    """What a new value would do: both rules and where each would end if a clock started on the day it is to hold from."""

    valid_from: date
    before: ClockRule | None
    after: ClockRule
    due_before: Result | None
    due_after: Result
    running: int


def limit_effect(
    connection: Connection, *, clock: str, value: int, valid_from: date, source: str, detail: Mapping[str, Any], on: date, unit_id: UUID | None = None
) -> LimitEffect:
    """Try a value out without keeping it. Raises ClockRefused for a rule that can't be, Invalid, NotFound for no such clock."""
    if valid_from < on:
        raise Invalid("生效日不能早于今天：已经开始的期限按开始时的规定计算。", fields={"valid_from": "请填今天或以后。"})
    if not source.strip():
        raise Invalid("请写明依据。", fields={"source": "请写明法律、规章或者文件的名称和条款。"})
    if unknown := sorted(set(detail) - set(TUNED)):
        raise ClockRefused(f"不能在这里调整 {'、'.join(unknown)}。")
    current = find_value(connection, name=clock, on=valid_from, unit_id=unit_id) or get_value(connection, name=clock, on=on, unit_id=unit_id)
    merged = {name: item for name, item in {**current.rule, **detail}.items() if item is not None}
    after = rule_of_row({"value": Decimal(value), "unit": current.unit, "source": source, "valid_from": valid_from, "detail": {"title": current.title, **merged}})
    before = rule_of(current)
    calendar, start = calendars.load(connection), {"start_on": valid_from, "start_at": datetime.combine(valid_from, datetime.min.time(), SHANGHAI)}
    name = case_clock.c.clock
    running = connection.scalar(
        select(func.count()).select_from(case_clock).where(func.split_part(name, "/", 1) == clock, case_clock.c.state.in_(("running", "suspended")))
    )
    return LimitEffect(
        valid_from=valid_from, before=before, after=after, due_before=reckon(before, start, [], calendar=calendar), due_after=reckon(after, start, [], calendar=calendar),
        running=running or 0,
    )


def change_limit(
    app: Application, *, actor: Actor, clock: str, value: int, valid_from: date, source: str, detail: Mapping[str, Any], at: datetime, unit_id: UUID | None = None
) -> UUID:
    """Keep the value. Raises Forbidden, and what ``limit_effect`` raises; nothing is kept then."""
    actor.require("admin")
    with app.db.begin() as connection:
        limit_effect(connection, clock=clock, value=value, valid_from=valid_from, source=source, detail=detail, on=legal_date(at), unit_id=unit_id)
        id = add_value(connection, name=clock, value=Decimal(value), valid_from=valid_from, source=source.strip(), unit_id=unit_id, detail=detail)
        audit.note(connection, actor=actor, at=at, action="clock.limit", object=clock, detail={"value": value, "from": valid_from, "source": source, **detail})
    return id


def rule_words(rule: ClockRule) -> Sequence[str]:
    """What a rule says besides its amount, in Chinese; a limit that nobody set isn't spoken of."""
    said = [] if rule.in_hours else ["开始当日计入" if rule.count_first_day else "开始当日不计入", "末日遇休息日顺延" if rule.roll_rest_day else "末日遇休息日不顺延"]
    unit = rule.extension_unit or rule.unit
    parts = [
        "不能延长" if rule.extensions == 0 else f"可延长 {rule.extensions} 次" if rule.extensions else "",
        f"每次最多延长 {quantity(rule.extension_amount, unit)}" if rule.extension_amount else "",
        f"合计最多延长 {quantity(rule.extension_total, unit)}" if rule.extension_total else "",
    ]
    stops = [] if rule.suspensions is None else ["不能暂停" if rule.suspensions == 0 else f"可暂停 {rule.suspensions} 次"]
    return [*said, *(["，".join(part for part in parts if part)] if any(parts) else []), *stops]
