"""The figures of automatic items, counted for every assessed unit as whoever counts may see them, each with the list behind it."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, select

from engine.access.actors import Actor
from engine.packs.library import Library
from engine.registers.filters import Asked
from engine.reporting.assessments.sheet import Item
from engine.reporting.statistics.catalogue import get_statistic
from engine.reporting.statistics.count import Ask, Figures, Root, figures_over, tree_of
from engine.reporting.statistics.declaration import UNIT, Statistic
from engine.reporting.statistics.periods import Period
from engine.reporting.statistics.rules import added_rules, with_rules
from engine.storage.tables.organisation import unit


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What an automatic item says about one unit. ``figures``: {name, title, unit, value, list, behind} each, as the score keeps them."""

    figures: Sequence[Mapping[str, str]]
    score: Decimal


def count_items(connection: Connection, *, library: Library, actor: Actor, items: Sequence[Item], period: Period, units: Sequence[UUID]) -> dict[tuple[UUID, str], Counted]:
    """{(unit, item): what it says} of the automatic ``items``. One reading per statistic, date and parent of ``units``. Raises Invalid for a formula."""
    places = connection.execute(select(unit.c.id, unit.c.path).where(unit.c.id.in_(list(units)))).mappings().all()
    wanted: dict[str, list[str]] = {}
    for figure in (figure for item in items for figure in item.figures.values()):
        wanted.setdefault(figure.statistic, []).append(figure.measure)
    found: dict[tuple[UUID, str], Decimal | None] = {}
    known: dict[str, Statistic] = {}
    for name, measures in wanted.items():
        statistic, table = get_statistic(library, name)
        known[name] = with_rules(statistic, added_rules(connection, statistic=statistic))
        for parent, children in _by_parent(connection, places).items():
            ask = Ask(period=period, by=UNIT, root=parent)
            (figures,) = figures_over(connection, statistic=known[name], table=table, actor=actor, ask=ask, measures=list(dict.fromkeys(measures)), periods=[period])
            found.update(_of_units(name, measures, figures, children, known[name]))
    return {(place["id"], item.key): _counted(item, place["id"], period, found, known) for place in places for item in items if item.automatic}


def _by_parent(connection: Connection, places: Sequence[RowMapping]) -> dict[Root, dict[str, UUID]]:
    """{parent: {segment of the path below it: unit}}."""
    grouped: dict[str, dict[str, UUID]] = {}
    for place in places:
        parent, _, last = place["path"].rstrip("/").rpartition("/")
        grouped.setdefault(f"{parent}/", {})[last] = place["id"]
    ids = dict(connection.execute(select(unit.c.path, unit.c.id).where(unit.c.path.in_(list(grouped)))).tuples().all())
    return {Root(id=ids[path], path=path): children for path, children in grouped.items()}


def _of_units(name: str, measures: Sequence[str], figures: Figures, children: Mapping[str, UUID], statistic: Statistic) -> dict[tuple[UUID, str], Decimal | None]:
    none = {measure: Decimal(0) if statistic.measures[measure].over in ("count", "sum") else None for measure in measures}
    return {(id, f"{name}/{measure}"): figures.get(segment, none).get(measure) for segment, id in children.items() for measure in measures}


def _counted(item: Item, id: UUID, period: Period, found: Mapping[tuple[UUID, str], Decimal | None], known: Mapping[str, Statistic]) -> Counted:
    values = {name: found[id, f"{one.statistic}/{one.measure}"] for name, one in item.figures.items()}
    told = [_told(name, values[name], known[one.statistic], one.measure, period, id) for name, one in item.figures.items()]
    return Counted(figures=told, score=item.reckon(values))


def _told(name: str, value: Decimal | None, statistic: Statistic, measure: str, period: Period, id: UUID) -> dict[str, Any]:
    one = statistic.measures[measure]
    behind = "" if one.over == "share" else Asked(where=tree_of(statistic, one, period), under=id).address
    return {
        "name": name, "title": one.title, "unit": one.unit, "value": "" if value is None else f"{value:f}", "list": statistic.register.name, "behind": behind, "statistic": statistic.title,
    }
