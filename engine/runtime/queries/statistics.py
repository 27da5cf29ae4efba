"""A statistic as pages, charts, exports and reports show it: rows with titles, 同比, 环比, lights, and the list behind every figure."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, select

from engine.access.actors import Actor
from engine.access.scope import scope_root
from engine.kernel.errors import Invalid
from engine.registers.conditions import OWNER, Condition, Group, Leaf
from engine.registers.declaration import Field
from engine.registers.filters import Asked
from engine.reporting.statistics.count import LARGEST_GROUPS, TIME, Ask, Figures, Root, figures_over, tree_of
from engine.reporting.statistics.declaration import UNIT, Measure, Statistic
from engine.reporting.statistics.periods import Period, period_of, read_period
from engine.reporting.statistics.rules import added_rules, with_rules
from engine.reporting.statistics.targets import added_targets, with_targets
from engine.runtime.queries.record_words import Words
from engine.storage.tables.organisation import unit

NOWHERE = "没有划入区域的"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One figure. ``before`` and ``year_before`` are the compared periods' values, the growths in percent; None is nothing to compare with.

    ``behind`` is the register list's address with exactly the records that were counted; empty for a share.
    """

    value: Decimal | None
    light: str = ""
    before: Decimal | None = None
    growth: Decimal | None = None
    year_before: Decimal | None = None
    year_growth: Decimal | None = None
    behind: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One group. ``inside`` is what narrows the same statistic to this group: ("unit", id) or (dimension, code); None where there is nothing further."""

    key: str
    title: str
    cells: Mapping[str, Cell]
    inside: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """``total`` is the whole of what was asked, ``rows`` its groups in order."""

    statistic: Statistic
    ask: Ask
    measures: Sequence[Measure]
    total: Row
    rows: Sequence[Row]


def answer(
    connection: Connection, *, statistic: Statistic, table: Table, actor: Actor, ask: Ask, measures: Sequence[str] = (), compare: bool = True, top: int | None = None,
    order: str = "",
) -> Answer:
    """Rows in the dimension's own order (time forward, else by the first measure, largest first; ``order`` names another), ``top`` of them.

    Rules of counting that administrators added hold. Raises Invalid for measures and dimensions that aren't there.
    """
    statistic = with_targets(with_rules(statistic, added_rules(connection, statistic=statistic)), added_targets(connection, statistic=statistic))
    named = _named(statistic, measures)
    if ask.by == UNIT and ask.root is None:
        ask = replace(ask, root=root_of(connection, statistic=statistic, actor=actor))
    count = _counter(connection, statistic, table, actor, ask, named, compare)
    whole = replace(ask, by=None)
    grouped = count(ask) if ask.by else None
    now, then, year = _summed(statistic, named, grouped) if grouped and _adds_up(statistic, named, grouped) else count(whole)
    total = Row(key="", title="合计", cells=_cells(statistic, whole, named, "", None, now, then, year))
    rows = _rows(connection, statistic, ask, named, grouped) if grouped else []
    if ask.by not in (None, TIME):
        by = order if order in named else named[0]
        rows.sort(key=lambda row: (row.cells[by].value is None, -(row.cells[by].value or 0), row.title))
    return Answer(statistic=statistic, ask=ask, measures=[statistic.measures[name] for name in named], total=total, rows=rows[:top] if top else rows)


def root_of(connection: Connection, *, statistic: Statistic, actor: Actor, unit_id: UUID | None = None) -> Root:
    """The unit ``unit_id``, else the highest one whose records the reader may see."""
    if unit_id is not None:
        path = connection.scalar(select(unit.c.path).where(unit.c.id == unit_id))
        if path is None:
            raise Invalid("没有这个单位，请重新选。", code="unknown_unit")
        return Root(id=unit_id, path=path)
    scope = statistic.register.scope
    path = actor.unit_path.split("/", 1)[0] + "/"
    if not actor.sees_everything and scope in ("unit", "case"):
        path = scope_root(actor) or actor.unit_path
    elif not actor.sees_everything and scope == "agency" and actor.district_id is not None:
        path = connection.scalar(select(unit.c.path).where(unit.c.id == actor.district_id)) or actor.unit_path
    return Root(id=connection.execute(select(unit.c.id).where(unit.c.path == path)).scalar_one(), path=path)


def _named(statistic: Statistic, measures: Sequence[str]) -> list[str]:
    unknown = [name for name in measures if name not in statistic.measures]
    if unknown:
        raise Invalid("没有这个指标，请从列出的里选。", code="bad_measure")
    return list(dict.fromkeys(measures)) or list(statistic.measures)


Compared = tuple[Figures, Figures | None, Figures | None]
"""Figures of the period asked about, of the one before, and of the one a year before."""


def _counter(connection: Connection, statistic: Statistic, table: Table, actor: Actor, ask: Ask, named: Sequence[str], compare: bool) -> Callable[[Ask], Compared]:
    """Counts all three periods in one reading of the records."""
    compared = compare and ask.period is not None

    def count(one: Ask) -> Compared:
        assert not compared or one.period is not None
        periods = [one.period, one.period.before(), one.period.year_before()] if compared and one.by != TIME and one.period else [one.period]
        found = figures_over(connection, statistic=statistic, table=table, actor=actor, ask=one, measures=named, periods=periods)
        return (found[0], found[1], found[2]) if len(found) == 3 else (found[0], None, None)

    return count


def _adds_up(statistic: Statistic, named: Sequence[str], grouped: Compared) -> bool:
    """Whether the groups make up the whole: counts and sums do, and there are comparisons where the total needs them."""
    additive = all(statistic.measures[name].over in ("count", "sum") for name in named)
    return additive and grouped[1] is not None and len(grouped[0]) < LARGEST_GROUPS


def _summed(statistic: Statistic, named: Sequence[str], grouped: Compared) -> Compared:
    def total(found: Figures | None) -> Figures:
        return {"": {name: sum((value for values in (found or {}).values() if (value := values[name]) is not None), Decimal(0)) for name in named}}

    return total(grouped[0]), total(grouped[1]), total(grouped[2])


def _rows(connection: Connection, statistic: Statistic, ask: Ask, named: Sequence[str], grouped: Compared) -> list[Row]:
    now, then, year = grouped
    if ask.by == TIME:
        return _over_time(statistic, ask, named, now)
    titles, inside = _titles(connection, statistic, ask, sorted({*now, *(then or {}), *(year or {})}))
    keys = [key for key in titles if key in now]
    return [
        Row(key=key, title=titles[key], inside=inside.get(key), cells=_cells(statistic, ask, named, key, inside.get(key), now, then, year)) for key in keys
    ]


def _over_time(statistic: Statistic, ask: Ask, named: Sequence[str], now: Figures) -> list[Row]:
    """Every step of the period, those without a record too; of an open period those that have records."""
    steps = ask.period.split(ask.grain) if ask.period else [read_period(_code(key, ask.grain)) for key in sorted(now) if key]
    rows = []
    for step in steps:
        whole = next((key for key in now if key and _starts(key, step, ask.grain)), "")
        values = now.get(whole, {}) if whole else {}
        cells = {name: _cell(statistic, replace(ask, by=None, period=step), name, _or_zero(statistic.measures[name], values.get(name))) for name in named}
        rows.append(Row(key=step.code, title=step.title, cells=cells, inside=(TIME, step.code)))
    return rows


def _starts(key: str, step: Period, grain: str) -> bool:
    return period_of(step.first, grain).first.isoformat() == key


def _code(key: str, grain: str) -> str:
    return period_of(date.fromisoformat(key), grain).code


def _or_zero(measure: Measure, value: Decimal | None) -> Decimal | None:
    return Decimal(0) if value is None and measure.over in ("count", "sum") else value


def _titles(connection: Connection, statistic: Statistic, ask: Ask, keys: Sequence[str]) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """{key: title} and {key: what narrows to it}."""
    if ask.areas is not None:
        return {key: ask.areas.titles.get(key, NOWHERE) for key in keys}, {}
    field = statistic.dimension(str(ask.by))
    if field is None:
        return _unit_titles(connection, ask, keys)
    words = _short_names(connection, keys) if field.type == "unit" else _words(connection, field, keys)
    return {key: words(key) for key in keys}, {key: (str(ask.by), key) for key in keys}


def _unit_titles(connection: Connection, ask: Ask, keys: Sequence[str]) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    assert ask.root is not None
    paths = {ask.root.path + (f"{key}/" if key else ""): key for key in keys}
    rows = connection.execute(select(unit.c.id, unit.c.path, unit.c.short_name).where(unit.c.path.in_(list(paths)))).all()
    titles = {paths[row.path]: row.short_name if paths[row.path] else f"{row.short_name}（本级）" for row in rows}
    return titles, {paths[row.path]: (UNIT, str(row.id)) for row in rows if paths[row.path]}


def _short_names(connection: Connection, keys: Sequence[str]) -> Callable[[str], str]:
    """Units as charts call them; a name that two of them share is written out."""
    rows = connection.execute(select(unit.c.id, unit.c.short_name, unit.c.name).where(unit.c.id.in_([UUID(key) for key in keys if key]))).all()
    shared = {row.short_name for row in rows if sum(other.short_name == row.short_name for other in rows) > 1}
    names = {str(row.id): row.name if row.short_name in shared else row.short_name for row in rows}
    return lambda key: names.get(key, "未填")


def _words(connection: Connection, field: Field, keys: Sequence[str]) -> Callable[[str], str]:
    values = {key: _stored(field, key) for key in keys}
    words = Words(connection, [field], [{field.name: value} for value in values.values()])
    return lambda key: words.text(field, values[key]) or "未填"


def _stored(field: Field, key: str) -> Any:
    if not key:
        return None
    if field.type == "boolean":
        return key == "true"
    return UUID(key) if field.type in ("unit", "person", "record") else key


def _cells(
    statistic: Statistic, ask: Ask, named: Sequence[str], key: str, inside: tuple[str, str] | None, now: Figures, then: Figures | None, year: Figures | None,
) -> dict[str, Cell]:
    narrowed = _narrowed(statistic, ask, key, inside)
    found = {}
    for name in named:
        measure = statistic.measures[name]
        value = _or_zero(measure, now.get(key, {}).get(name))
        cell = _cell(statistic, narrowed, name, value)
        before, year_before = (None if other is None else _or_zero(measure, other.get(key, {}).get(name)) for other in (then, year))
        found[name] = replace(cell, before=before, growth=_growth(value, before), year_before=year_before, year_growth=_growth(value, year_before))
    return found


def _narrowed(statistic: Statistic, ask: Ask, key: str, inside: tuple[str, str] | None) -> Ask:
    """The question whose only figure is this group's."""
    if ask.by in (None, TIME):
        return ask
    field = statistic.dimension(str(ask.by))
    if ask.areas is not None:
        return replace(ask, by=None, where=_both(ask.where, Leaf(field=field or OWNER, verb="is", values=ask.areas.named(key))))
    if field is None:
        if inside:
            return replace(ask, by=None, root=Root(id=UUID(inside[1]), path=""))
        assert ask.root is not None
        return replace(ask, by=None, root=None, where=_both(ask.where, Leaf(field=OWNER, verb="is", values=(str(ask.root.id),))))
    leaf = Leaf(field=field, verb="is", values=(key,)) if key else Leaf(field=field, verb="empty", values=("yes",))
    return replace(ask, by=None, where=_both(ask.where, leaf))


def _both(first: Condition | None, second: Condition) -> Condition:
    return second if first is None else Group(how="all", parts=[first, second])


def _cell(statistic: Statistic, ask: Ask, name: str, value: Decimal | None) -> Cell:
    measure = statistic.measures[name]
    behind = ""
    if measure.over != "share" and not _unnamed(ask):
        behind = Asked(where=tree_of(statistic, measure, ask.period, where=ask.where), under=ask.root.id if ask.root else None).address
    target = measure.target_on(ask.period.last if ask.period else None)
    return Cell(value=value, light=target.light(value) if target else "", behind=behind)


def _unnamed(ask: Ask) -> bool:
    """Whether the group is one that no address can name: an area of too many units, or what lies in none."""
    last = ask.where.parts[-1] if isinstance(ask.where, Group) and ask.where.parts else ask.where
    return ask.areas is not None and isinstance(last, Leaf) and last.verb == "is" and not last.values


def _growth(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    if now is None or not before:
        return None
    return round((now - before) * 100 / before, 1)
