"""What is over because a clock ran out: rights that closed, acts that are refused. Derived from the clocks, never stored.

A clock that ended before its end closes and blocks nothing; what was closed at its end stays closed when it is ended later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, text

from engine.deadlines.rows import stored_rule
from engine.deadlines.rules import ClockRule
from engine.deadlines.steps import ClockStep, instant_of, parse_steps
from engine.kernel.errors import Invalid
from engine.reference import calendars
from engine.reference.cache import Cached
from engine.storage.tables.cases import case_clock


class ClockOver(Invalid):
    """An act that a clock forbids since it ran out; the message names clock, day and law."""

    code = "clock_over"


@dataclass(frozen=True, kw_only=True)
class Right:
    """A right that a clock closes at ``until``; ``open`` on the day asked. ``until`` is None while the clock stands still."""

    name: str
    title: str
    open: bool
    until: datetime | None
    clock: str
    words: str


def case_rights(connection: Connection, *, case_id: UUID, at: datetime) -> list[Right]:
    """The rights that clocks of a case close, by name: of two clocks that close one, the later started counts. One statement."""
    found: dict[str, Right] = {}
    for row, rule, step, instant in _held(connection, case_id, "close"):
        closed = instant is not None and at >= instant and _ran_until(row, instant)
        name, title = step.names[0], step.title or step.names[0]
        words = f"“{title}”已于 {_day(row['due_on'])} 届满关闭{_law(rule)}" if closed else f"“{title}”至 {_day(row['due_on'])} 止" if instant else f"“{title}”的期限已暂停"
        found[name] = Right(name=name, title=title, open=not closed, until=instant, clock=row["title"], words=words)
    return list(found.values())


def require_open_right(connection: Connection, *, case_id: UUID, name: str, at: datetime) -> None:
    """Raise ClockOver when a clock has closed the right; nothing when none speaks of it."""
    for right in case_rights(connection, case_id=case_id, at=at):
        if right.name == name and not right.open:
            raise ClockOver(f"{right.words}，不能再办理。")


def require_not_over(connection: Connection, *, case_id: UUID, acts: tuple[str, ...], at: datetime) -> None:
    """Raise ClockOver when a clock of the case forbids one of ``acts`` (process, process/node, process/node/outcome).

    No statement unless a parameter declares a block for one of them; then one.
    """
    if not declared_blocks(connection).intersection(acts):
        return
    for row, rule, step, instant in _held(connection, case_id, "block"):
        if instant is not None and at >= instant and _ran_until(row, instant) and set(step.names) & set(acts):
            why = f"：{step.text}" if step.text else ""
            raise ClockOver(f"“{row['title']}”已于 {_day(row['due_on'])} 届满{_law(rule)}，这一步不能再办{why}。", clock=row["clock"])


def _held(connection: Connection, case_id: UUID, kind: str) -> Iterator[tuple[Mapping[Any, Any], ClockRule, ClockStep, datetime | None]]:
    """(row, rule, step, instant) of every step of ``kind`` on the case's clocks, in the order the clocks started."""
    c = case_clock.c
    rows = connection.execute(select(case_clock).where(c.case_id == case_id, c.state != "cancelled").order_by(c.start_on, c.id)).mappings()
    for row in rows:
        rule = stored_rule(row)
        for step in parse_steps(rule.steps):
            if step.kind == kind:
                calendar = calendars.load(connection, district_id=row["district_id"])
                yield row, rule, step, instant_of(step, row["due_on"], row["due_at"], calendar) if row["due_on"] else None


def _ran_until(row: Mapping[Any, Any], instant: datetime) -> bool:
    return row["ended_at"] is None or row["ended_at"] >= instant


def _law(rule: ClockRule) -> str:
    return f"（{rule.law}）" if rule.law else ""


def _day(day: date | None) -> str:
    return f"{day:%Y-%m-%d}" if day else ""


def declared_blocks(connection: Connection) -> frozenset[str]:
    """Every act that a parameter of any date blocks; cached."""
    return _blocks.get(connection, "all")


_BLOCKS = text("""
    SELECT DISTINCT jsonb_array_elements_text(CASE jsonb_typeof(step->'block') WHEN 'array' THEN step->'block' ELSE jsonb_build_array(step->'block') END)
    FROM parameter_value, jsonb_array_elements(CASE jsonb_typeof(detail->'steps') WHEN 'array' THEN detail->'steps' ELSE '[]' END) step WHERE step ? 'block'
""")


def _read_blocks(connection: Connection, _: str) -> frozenset[str]:
    return frozenset(connection.scalars(_BLOCKS))


_blocks: Cached[frozenset[str]] = Cached(_read_blocks)
