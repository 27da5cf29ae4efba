"""Targets that administrators set: dated rows behind those of the file, never changed. A period that ended before a row's day keeps its old light."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Connection, insert, select

from engine.access.actors import Actor
from engine.kernel.errors import Invalid
from engine.kernel.ids import new_id
from engine.reporting.statistics.declaration import Statistic, Target
from engine.storage.tables.statistics import statistic_target


@dataclass(frozen=True, kw_only=True)
class AddedTarget:
    """One row; ``target`` None ends the one before."""

    id: UUID
    measure: str
    since: date
    target: Target | None
    source: str
    by_name: str
    at: datetime


def added_targets(connection: Connection, *, statistic: Statistic) -> list[AddedTarget]:
    """Rows of ``statistic`` in the order they hold: by day, of one day the latest last."""
    t = statistic_target.c
    rows = connection.execute(select(statistic_target).where(t.statistic == statistic.name).order_by(t.valid_from, t.at, t.id)).mappings()
    return [
        AddedTarget(
            id=row["id"], measure=row["measure"], since=row["valid_from"], source=row["source"], by_name=row["by_name"], at=row["at"],
            target=None if row["good"] is None else Target(good=row["good"], fair=row["fair"], less=row["less"]),
        )
        for row in rows
    ]


def with_targets(statistic: Statistic, added: Sequence[AddedTarget]) -> Statistic:
    """``statistic`` with the rows behind its own targets; rows of measures that are gone don't count."""
    if not added:
        return statistic
    measures = {
        name: replace(one, targets=tuple((row.since, row.target) for row in added if row.measure == name)) for name, one in statistic.measures.items()
    }
    return replace(statistic, measures=measures)


def add_target(
    connection: Connection, *, statistic: Statistic, measure: str, since: date, good: Decimal | None, fair: Decimal | None, less: bool, source: str, actor: Actor, at: datetime,
) -> UUID:
    """Keep a row. Raises Invalid for an unknown measure, ends in the wrong order, no source, a day before the newest row."""
    faults: dict[str, str] = {}
    if measure not in statistic.measures:
        faults["measure"] = "请从列出的指标里选。"
    if (good is None) != (fair is None):
        faults["fair"] = "达标线和接近线要么都写，要么都不写（不再设目标）。"
    elif good is not None and fair is not None and (fair > good) is not less and fair != good:
        faults["fair"] = "越小越好的，接近线要大于达标线。" if less else "越大越好的，接近线要小于达标线。"
    if not source.strip():
        faults["source"] = "写文件名称，或者为什么这样定。"
    last = max((one.since for one in added_targets(connection, statistic=statistic) if one.measure == measure), default=None)
    if last is not None and since < last:
        faults["since"] = f"请填 {last} 或以后：以前的期间保持原来的目标。"
    if faults:
        raise Invalid(f"还有 {len(faults)} 处要改。", code="bad_target", fields=faults)
    id = new_id()
    connection.execute(insert(statistic_target).values(
        id=id, statistic=statistic.name, measure=measure, valid_from=since, good=good, fair=fair, less=less, source=source.strip()[:500], by_id=actor.person_id, by_name=actor.name,
        unit_id=actor.unit_id, district_id=actor.district_id, at=at,
    ))
    return id
