"""Counting: a measure over a period as a condition on records, and that condition as SQL. The list behind a figure has the same condition."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, Table, Text, and_, cast, func, literal, literal_column, or_, select

from engine.access.actors import Actor
from engine.registers.conditions import Condition, Group, Leaf, clause_of
from engine.registers.declaration import Field
from engine.registers.scope import visible
from engine.reporting.statistics.areas import Areas
from engine.reporting.statistics.declaration import UNIT, Measure, Statistic
from engine.reporting.statistics.periods import Period
from engine.storage.tables.organisation import unit

TIME = "time"
LARGEST_GROUPS = 2_000


@dataclass(frozen=True, kw_only=True)
class Root:
    """The unit whose direct children are the groups of the unit dimension."""

    id: UUID
    path: str


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is asked of a statistic. ``by`` is a dimension, ``time`` or None for one figure each; ``where`` narrows further; ``root`` narrows to units; ``areas`` groups the units of a dimension by the areas of the map that they lie in."""

    period: Period | None
    by: str | None = None
    grain: str = "month"
    where: Condition | None = None
    root: Root | None = None
    areas: Areas | None = None


Figures = Mapping[str, Mapping[str, Decimal | None]]
"""{group key: {measure: value}}; the key of no grouping is the empty text."""


def tree_of(statistic: Statistic, measure: Measure, period: Period | None, *, where: Condition | None = None) -> Condition:
    """The condition that a record fulfils when ``measure`` counts it in ``period``: the list behind the figure."""
    parts: list[Condition] = [one for one in (statistic.where, where) if one is not None]
    return Group(how="all", parts=[*parts, _counted(measure, period)])


def _counted(measure: Measure, period: Period | None) -> Condition:
    first, last = (period.first, period.last) if period else (None, None)
    if not measure.rules:
        return _between(measure.on, first, last)
    ways: list[Condition] = []
    for place, rule in enumerate(measure.rules):
        following = measure.rules[place + 1].since if place + 1 < len(measure.rules) else None
        start = max(filter(None, (first, rule.since)), default=None)
        end = min(filter(None, (last, following - timedelta(days=1) if following else None)), default=None)
        if start is None or end is None or start <= end:
            ways.append(Group(how="all", parts=[_between(measure.on, start, end), *([rule.where] if rule.where is not None else [])]))
    return ways[0] if len(ways) == 1 else Group(how="any", parts=ways or [_nothing(measure.on)])


def _between(on: Field, first: date | None, last: date | None) -> Condition:
    if first is None and last is None:
        return Group(how="all", parts=[])
    return Leaf(field=on, verb="range", low=first.isoformat() if first else "", high=last.isoformat() if last else "")


def _nothing(on: Field) -> Condition:
    return Leaf(field=on, verb="range", low="9999-12-30", high="1000-01-01")


def figures(connection: Connection, *, statistic: Statistic, table: Table, actor: Actor, ask: Ask, measures: Sequence[str]) -> Figures:
    """The measures as ``actor`` may see them. Raises Invalid for a dimension that isn't offered."""
    return figures_over(connection, statistic=statistic, table=table, actor=actor, ask=ask, measures=measures, periods=[ask.period])[0]


def figures_over(
    connection: Connection, *, statistic: Statistic, table: Table, actor: Actor, ask: Ask, measures: Sequence[str], periods: Sequence[Period | None],
) -> list[Figures]:
    """The same for each of ``periods`` (in place of the one in ``ask``), in one reading: one statement per date that measures are about.

    A group is there when a record of it is counted in that period.
    """
    wanted = {name: statistic.measures[name] for name in _with_parts(statistic, measures)}
    found: list[dict[str, dict[str, Decimal | None]]] = [{} for _ in periods]
    for on in {one.on.name: one.on for one in wanted.values() if one.over != "share"}.values():
        together = [one for one in wanted.values() if one.over != "share" and one.on.name == on.name]
        for row in connection.execute(_statement(statistic, table, actor, ask, on, together, periods)).mappings():
            key = str(row["x_key"] if row["x_key"] is not None else "")
            for place, values in enumerate(found):
                if row[f"n_{place}"]:
                    values.setdefault(key, {}).update({one.name: _decimal(row[f"m{place}_{one.name}"]) for one in together})
    for values in found:
        if ask.by is None:
            values.setdefault("", {})
    return [{key: {name: _value(wanted[name], values) for name in measures} for key, values in one.items()} for one in found]


def _with_parts(statistic: Statistic, measures: Sequence[str]) -> list[str]:
    named = [part for name in measures for part in (statistic.measures[name].parts or ())]
    return list(dict.fromkeys([*measures, *named]))


def _value(measure: Measure, values: Mapping[str, Decimal | None]) -> Decimal | None:
    if measure.over != "share":
        value = values.get(measure.name)
        return Decimal(0) if value is None and measure.over in ("count", "sum") else value
    part, whole = (values.get(name) for name in measure.parts or ("", ""))
    return round((part or Decimal(0)) * 100 / whole, 2) if whole else None


def _statement(
    statistic: Statistic, table: Table, actor: Actor, ask: Ask, on: Field, measures: Sequence[Measure], periods: Sequence[Period | None],
) -> Select[Any]:
    columns, any_counted = [], list[ColumnElement[bool]]()
    for place, period in enumerate(periods):
        counted = [clause_of(_counted(measure, period), table) for measure in measures]
        columns += [_aggregate(measure, table, clause).label(f"m{place}_{measure.name}") for measure, clause in zip(measures, counted, strict=True)]
        columns.append(func.count().filter(or_(*counted)).label(f"n_{place}"))
        any_counted += counted
    areas = ask.areas.lookup() if ask.areas is not None and ask.by is not None else None
    statement = visible(statistic.register, table, actor, (_key(statistic, table, ask, on) if areas is None else areas.c.area).label("x_key"), *columns)
    if areas is not None:
        held = statistic.dimension(str(ask.by))
        statement = statement.outerjoin_from(table, areas, areas.c.unit_id == table.c[held.name if held else "unit_id"])
    if ask.root is not None or ask.by == UNIT:
        statement = statement.join_from(table, unit, unit.c.id == table.c.unit_id) if _by_owner(statistic, ask) and areas is None else statement
        statement = _below(statement, table, ask)
    for condition in (statistic.where, ask.where):
        if condition is not None:
            statement = statement.where(clause_of(condition, table))
    if None not in periods:
        statement = statement.where(or_(*any_counted))
    return statement.group_by(literal_column("1")).limit(LARGEST_GROUPS) if ask.by else statement


def _by_owner(statistic: Statistic, ask: Ask) -> bool:
    return ask.by == UNIT and statistic.dimension(UNIT) is None


def _below(statement: Select[Any], table: Table, ask: Ask) -> Select[Any]:
    if ask.root is None:
        return statement
    below = unit.alias("below")
    return statement.where(table.c.unit_id.in_(select(below.c.id).where(below.c.path.startswith(ask.root.path, autoescape=True))))


def _key(statistic: Statistic, table: Table, ask: Ask, on: Field) -> ColumnElement[Any]:
    if ask.by is None:
        return literal("")
    if ask.by == TIME:
        local = func.timezone("Asia/Shanghai", table.c[on.name]) if on.type == "datetime" else table.c[on.name]
        return func.to_char(func.date_trunc(ask.grain, local), "YYYY-MM-DD")
    field = statistic.dimension(ask.by)
    if field is not None:
        return cast(table.c[field.name], Text)
    if ask.root is None:
        return unit.c.path
    return func.split_part(func.substr(unit.c.path, len(ask.root.path) + 1), "/", 1)


def _aggregate(measure: Measure, table: Table, counted: ColumnElement[bool]) -> ColumnElement[Any]:
    if measure.of is None:
        return func.count().filter(counted)
    column = table.c[measure.of.name]
    if measure.over == "median":
        return func.percentile_cont(0.5).within_group(column).filter(and_(counted, column.is_not(None)))
    return (func.sum if measure.over == "sum" else func.avg)(column).filter(counted)


def _decimal(value: Any) -> Decimal | None:
    if value is None:
        return None
    number = Decimal(str(value))
    return Decimal(int(number)) if number == number.to_integral_value() else round(number, 2)
