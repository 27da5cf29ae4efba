"""Rules of counting that administrators added: dated rows behind those of the file, never changed. Old periods keep the old rule."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, insert, null, select

from engine.access.actors import Actor
from engine.kernel.errors import Invalid
from engine.kernel.ids import new_id
from engine.registers.conditions import Condition, plain_condition, read_condition
from engine.reporting.statistics.declaration import Measure, Rule, Statistic, in_order
from engine.storage.tables.statistics import statistic_rule


@dataclass(frozen=True, kw_only=True)
class Added:
    """One row. ``where`` None counts everything; ``fault`` says why a row no longer holds (its field is gone): it is passed over."""

    id: UUID
    measure: str
    since: date
    where: Condition | None
    source: str
    by_name: str
    at: datetime
    fault: str = ""


def added_rules(connection: Connection, *, statistic: Statistic) -> list[Added]:
    """Rows of ``statistic`` in the order they hold: by day, of one day the latest last."""
    t = statistic_rule.c
    rows = connection.execute(select(statistic_rule).where(t.statistic == statistic.name).order_by(t.valid_from, t.at, t.id)).mappings()
    found = []
    for row in rows:
        where, fault = None, "" if row["measure"] in statistic.measures else "这个指标已经没有了。"
        try:
            where = None if row["condition"] is None else read_condition(row["condition"], statistic.register)
        except Invalid as problem:
            fault = problem.message
        found.append(Added(id=row["id"], measure=row["measure"], since=row["valid_from"], where=where, source=row["source"], by_name=row["by_name"], at=row["at"], fault=fault))
    return found


def with_rules(statistic: Statistic, added: Sequence[Added], *, also: Mapping[str, Rule] | None = None) -> Statistic:
    """``statistic`` with the added rows, and with ``also`` tried out behind them."""
    measures = dict(statistic.measures)
    rows = [(one.measure, Rule(since=one.since, where=one.where, source=one.source)) for one in added if not one.fault]
    for name, rule in [*rows, *(also or {}).items()]:
        measures[name] = _behind(measures[name], rule)
    return replace(statistic, measures=measures)


def _behind(measure: Measure, rule: Rule) -> Measure:
    first = measure.rules or (Rule(since=None, where=None),)
    return replace(measure, rules=in_order([*first, rule]))


def add_rule(
    connection: Connection, *, statistic: Statistic, measure: str, since: date, where: Condition | None, source: str, actor: Actor, at: datetime,
) -> UUID:
    """Keep a row. Raises Invalid for a share, an unknown measure, no source."""
    known = statistic.measures.get(measure)
    if known is None or known.over == "share":
        raise Invalid("请选一个指标；比率由它的两个指标算出，改那两个的口径。", code="bad_measure", fields={"measure": "请从列出的指标里选。"})
    if not source.strip():
        raise Invalid("请写明依据。", fields={"source": "写文件名称，或者为什么这样改。"})
    id = new_id()
    connection.execute(insert(statistic_rule).values(
        id=id, statistic=statistic.name, measure=measure, valid_from=since, condition=null() if where is None else plain_condition(where), source=source.strip()[:500], by_id=actor.person_id,
        by_name=actor.name, unit_id=actor.unit_id, district_id=actor.district_id, at=at,
    ))
    return id
