"""Everything that a statistic's page shows for one question: figures, the way of units, the trend, the map."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Connection, Table, select

from engine.access.actors import Actor
from engine.kernel.errors import Invalid
from engine.reporting.statistics.asked import EMPTY, Question, grain_within
from engine.reporting.statistics.count import TIME, Ask
from engine.reporting.statistics.declaration import UNIT
from engine.reporting.statistics.periods import Period
from engine.runtime.queries.pages import Option
from engine.runtime.queries.record_words import dictionaries_of
from engine.runtime.queries.statistics import Answer, Row, answer, root_of
from engine.storage.tables.organisation import unit

TREND_STEPS = 13


@dataclass(frozen=True, kw_only=True)
class Step:
    """One unit on the way from the highest that the reader may see to the one that is asked about."""

    id: UUID
    name: str


@dataclass(frozen=True, kw_only=True)
class Area:
    """A district on the map; ``code`` is its administrative code."""

    code: str
    title: str
    value: Decimal | None
    behind: str
    inside: str


@dataclass(frozen=True, kw_only=True)
class Looked:
    """``trend`` is the first measure over time, ``past`` the same a year before, step by step."""

    answer: Answer
    way: Sequence[Step]
    trend: Sequence[Row]
    past: Sequence[Decimal | None]
    areas: Sequence[Area]
    options: Mapping[str, Sequence[Option]]

    @property
    def empty(self) -> bool:
        """Not a single record in what was asked."""
        return not any(cell.value for cell in self.answer.total.cells.values())


def look(connection: Connection, *, question: Question, table: Table, actor: Actor) -> Looked:
    """The page of ``question`` as ``actor`` may see it. Raises Invalid for a unit out of the reader's sight."""
    statistic = question.statistic
    top = root_of(connection, statistic=statistic, actor=actor)
    root = root_of(connection, statistic=statistic, actor=actor, unit_id=question.unit_id)
    if not root.path.startswith(top.path):
        raise Invalid("这个单位不在您能看的范围里，请重新选。", code="unknown_unit")
    ask = Ask(period=question.period, by=question.by, grain=question.grain, where=question.where, root=root if question.unit_id or question.by == UNIT else None)
    found = answer(connection, statistic=statistic, table=table, actor=actor, ask=ask, measures=question.measures, top=question.top, order=question.order)
    trend, past = _trend(connection, question, table, actor, ask)
    return Looked(
        answer=found, way=_way(connection, top.path, root.path), trend=trend, past=past, areas=_areas(connection, question, found), options=options_of(connection, question),
    )


def look_tile(connection: Connection, *, question: Question, table: Table, actor: Actor, grouped: bool) -> Looked:
    """The figures alone, for a tile of a dashboard or a part of a report; ``grouped`` False asks for the total only."""
    ask = Ask(period=question.period, by=question.by if grouped else None, grain=question.grain, where=question.where)
    found = answer(connection, statistic=question.statistic, table=table, actor=actor, ask=ask, measures=question.measures, top=question.top, order=question.order)
    return Looked(answer=found, way=[], trend=[], past=[], areas=_areas(connection, question, found) if grouped else [], options={})


def _way(connection: Connection, top: str, here: str) -> list[Step]:
    parts = here.strip("/").split("/")
    paths = ["/".join(parts[: place + 1]) + "/" for place in range(len(parts))]
    rows = connection.execute(select(unit.c.id, unit.c.short_name).where(unit.c.path.in_([path for path in paths if path.startswith(top)])).order_by(unit.c.path))
    return [Step(id=row.id, name=row.short_name) for row in rows]


def _trend(connection: Connection, question: Question, table: Table, actor: Actor, ask: Ask) -> tuple[Sequence[Row], list[Decimal | None]]:
    """A year or span month by month (or as fine as fits); any other period with the twelve before it."""
    period = question.period
    if question.by == TIME or period is None:
        return [], []
    grain = grain_within(period) if period.grain in ("year", "span") else period.grain
    whole = period if period.grain in ("year", "span") else _last_steps(period)

    past, name = whole.year_before(), question.measures[0]

    def over(span: Period) -> dict[str, Row]:
        asked = replace(ask, by=TIME, grain=grain, period=span)
        return {row.key: row for row in answer(connection, statistic=question.statistic, table=table, actor=actor, ask=asked, measures=[name], compare=False).rows}

    steps, earlier = whole.split(grain), past.split(grain)
    if grain != "day" and all(step.grain == grain for step in (*steps, *earlier)):  # both years in one reading
        found = over(Period(first=past.first, last=whole.last, grain="span"))
    else:
        found = {**over(past), **over(whole)}
    then = [found[step.code].cells[name].value for step in earlier]
    return [found[step.code] for step in steps], then if len(then) == len(steps) else []


def _last_steps(period: Period) -> Period:
    first = period
    for _ in range(TREND_STEPS - 1):
        first = first.before()
    return Period(first=first.first, last=period.last, grain="span")


def _areas(connection: Connection, question: Question, found: Answer) -> list[Area]:
    """Figures by district, where the groups are units of districts; bureaus of one district add up."""
    if question.by != UNIT or question.statistic.dimension(UNIT) is not None:
        return []
    ids = {UUID(row.inside[1]): row for row in found.rows if row.inside}
    codes = connection.execute(select(unit.c.id, unit.c.area_code).where(unit.c.id.in_(list(ids)), unit.c.kind == "district_bureau")).all()
    measure = found.measures[0]
    by_code: dict[str, list[Row]] = {}
    for id, code in codes:
        by_code.setdefault(code, []).append(ids[id])
    if len(by_code) < 2 or (measure.over not in ("count", "sum") and any(len(rows) > 1 for rows in by_code.values())):
        return []
    return [_area(code, rows, measure.name) for code, rows in by_code.items()]


def _area(code: str, rows: Sequence[Row], measure: str) -> Area:
    values = [row.cells[measure].value for row in rows]
    held = [value for value in values if value is not None]
    alone = rows[0] if len(rows) == 1 else None
    return Area(
        code=code, title="、".join(row.title for row in rows), value=sum(held, Decimal(0)) if held else None, behind=alone.cells[measure].behind if alone else "",
        inside=alone.inside[1] if alone and alone.inside else "",
    )


def options_of(connection: Connection, question: Question) -> dict[str, list[Option]]:
    """What can be ticked for each dimension that has a dictionary or is yes or no."""
    fields = [found for name in question.statistic.dimensions if (found := question.statistic.dimension(name)) is not None]
    dictionaries = dictionaries_of(connection, fields)
    offered: dict[str, list[Option]] = {}
    for one in fields:
        if one.type == "boolean":
            offered[one.name] = [Option(value="true", title="是"), Option(value="false", title="否"), Option(value=EMPTY, title="未填")]
        elif one.dictionary in dictionaries:
            entries = dictionaries[one.dictionary].entries.items()
            offered[one.name] = [*(Option(value=code, title=entry.title) for code, entry in entries), Option(value=EMPTY, title="未填")]
    return offered
