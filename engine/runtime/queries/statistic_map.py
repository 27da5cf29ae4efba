"""One measure of a statistic by districts or streets, with the range that each falls into."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import Connection, Table

from engine.access.actors import Actor
from engine.kernel.errors import Invalid
from engine.reporting.statistics.areas import Areas
from engine.reporting.statistics.asked import Question
from engine.reporting.statistics.count import Ask
from engine.reporting.statistics.declaration import UNIT, Measure, Statistic
from engine.reporting.statistics.ranges import MOST, count_ends, equal_ends, own_ends, rank_of
from engine.runtime.queries.areas import district_areas, has_streets, street_areas
from engine.runtime.queries.statistics import Cell, Row, answer, root_of


@dataclass(frozen=True, kw_only=True)
class Shade:
    """One area: its figures, the range of the first one (None without a value), the district it lies in."""

    row: Row
    cell: Cell
    rank: int | None
    district: str


@dataclass(frozen=True, kw_only=True)
class Themed:
    """``elsewhere`` is what lies in no area that is shown; ``streets`` are the districts whose streets have outlines."""

    measure: Measure
    level: str
    district: str
    shades: Sequence[Shade]
    elsewhere: Row | None
    total: Cell
    ends: Sequence[Decimal]
    streets: Sequence[str]
    districts: dict[str, str]


def unit_dimensions(statistic: Statistic) -> list[str]:
    """Dimensions whose groups are units, and so lie somewhere."""
    return [name for name in statistic.dimensions if (held := statistic.dimension(name)) is None or held.type == "unit"]


def theme(
    connection: Connection, *, question: Question, table: Table, actor: Actor, level: str = "", district: str = "", way: str = "equal", ends: str = "",
) -> Themed:
    """The first measure of ``question`` by area: ``level`` district or street, "" for streets where only one district shows. Raises Invalid."""
    statistic, streets = question.statistic, has_streets(connection)
    if question.by not in unit_dimensions(statistic):
        raise Invalid("这个统计没有按单位的分组，不能上图。", code="no_area")
    name = question.measures[0]
    root = root_of(connection, statistic=statistic, actor=actor, unit_id=question.unit_id)
    ask = Ask(period=question.period, by=question.by, grain=question.grain, where=question.where, root=root if question.unit_id or question.by == UNIT else None)

    def by(areas: Areas) -> tuple[list[Row], Row | None, Row]:
        found = answer(connection, statistic=statistic, table=table, actor=actor, ask=replace(ask, areas=areas), measures=[name], order=name)
        return [row for row in found.rows if row.key], next((row for row in found.rows if not row.key), None), found.total

    areas = district_areas(connection)
    shown, elsewhere, total = ([], None, None) if level == "street" else by(areas)
    alone = shown[0].key if len(shown) == 1 and not level else ""
    if level == "street" or alone in streets:
        areas, level, district = street_areas(connection, district=district or alone), "street", district or alone
        shown, elsewhere, total = by(areas)
    assert total is not None
    values = [value for row in shown if (value := row.cells[name].value) is not None]
    limits = own_ends(ends, values) if way == "own" else count_ends(values, MOST) if way == "count" else equal_ends(values, MOST)
    return Themed(
        measure=statistic.measures[name], level=level or "district", district=district, elsewhere=elsewhere, total=total.cells[name], ends=limits, streets=streets,
        districts=dict(district_areas(connection).titles), shades=[Shade(row=row, cell=row.cells[name], rank=rank_of(row.cells[name].value, limits), district=areas.districts.get(row.key, "")) for row in shown],
    )
