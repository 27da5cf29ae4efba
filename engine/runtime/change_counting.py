"""Another rule of counting for a measure from a day on: tried out over the last months, then kept, on record."""
from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Connection, Table

from engine.access import audit
from engine.access.actors import Actor
from engine.kernel.errors import Forbidden, Invalid
from engine.registers.conditions import Condition, plain_condition
from engine.reporting.statistics.count import Ask, figures
from engine.reporting.statistics.declaration import Rule, Statistic
from engine.reporting.statistics.periods import Period, period_of
from engine.reporting.statistics.rules import add_rule, added_rules, with_rules
from engine.reporting.statistics.targets import add_target
from engine.runtime.application import Application

RIGHTS = frozenset({"admin", "analyst"})
MONTHS = 6


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One month: as it is counted today, as it would be after the change, and as if the new rule had always held."""

    period: Period
    now: Decimal | None
    then: Decimal | None
    always: Decimal | None


def may_change_counting(actor: Actor) -> bool:
    """Whether ``actor`` may add rules of counting and targets."""
    return bool(RIGHTS & actor.rights)


def require_change_counting(actor: Actor) -> None:
    if not may_change_counting(actor):
        raise Forbidden("您不能改统计口径，请联系系统管理员或流程设计。")


def try_counting(
    connection: Connection, *, statistic: Statistic, table: Table, actor: Actor, measure: str, since: date, where: Condition | None, on: date,
) -> list[Tried]:
    """The last months as ``actor`` sees them, and the month of ``since``. Raises Forbidden, Invalid."""
    require_change_counting(actor)
    _check(connection, statistic, measure, since)
    added = added_rules(connection, statistic=statistic)
    old, new = with_rules(statistic, added), with_rules(statistic, added, also={measure: Rule(since=since, where=where)})
    always = replace(statistic, measures={**statistic.measures, measure: replace(statistic.measures[measure], rules=(Rule(since=None, where=where),))})
    months = [period_of(on, "month")]
    while len(months) < MONTHS:
        months.append(months[-1].before())
    if period_of(since, "month") not in months:
        months.insert(0, period_of(since, "month"))

    def value(one: Statistic, period: Period) -> Decimal | None:
        return figures(connection, statistic=one, table=table, actor=actor, ask=Ask(period=period), measures=[measure])[""][measure]

    return [Tried(period=month, now=value(old, month), then=value(new, month), always=value(always, month)) for month in sorted(months, key=lambda one: one.first)]


def change_counting(
    app: Application, *, statistic: Statistic, actor: Actor, measure: str, since: date, where: Condition | None, source: str, at: datetime,
) -> UUID:
    """Keep the rule. Raises Forbidden, Invalid for a day before the newest rule: what older periods count never changes behind it."""
    require_change_counting(actor)
    with app.db.begin() as connection:
        _check(connection, statistic, measure, since)
        id = add_rule(connection, statistic=statistic, measure=measure, since=since, where=where, source=source, actor=actor, at=at)
        audit.note(
            connection, actor=actor, at=at, action="statistic.rule", object=statistic.name,
            detail={"measure": measure, "from": since, "where": plain_condition(where) if where is not None else None, "source": source.strip()},
        )
    return id


def change_target(
    app: Application, *, statistic: Statistic, actor: Actor, measure: str, since: date, good: Decimal | None, fair: Decimal | None, less: bool, source: str, at: datetime,
) -> UUID:
    """Set a target from a day on, or with neither end none. Raises Forbidden, Invalid with a message per field."""
    require_change_counting(actor)
    with app.db.begin() as connection:
        id = add_target(connection, statistic=statistic, measure=measure, since=since, good=good, fair=fair, less=less, source=source, actor=actor, at=at)
        told = {"measure": measure, "from": since, "good": None if good is None else str(good), "fair": None if fair is None else str(fair), "less": less, "source": source.strip()}
        audit.note(connection, actor=actor, at=at, action="statistic.target", object=statistic.name, detail=told)
    return id


def _check(connection: Connection, statistic: Statistic, measure: str, since: date) -> None:
    known = statistic.measures.get(measure)
    if known is None or known.over == "share":
        raise Invalid("请选一个指标；比率由它的两个指标算出，改那两个的口径。", fields={"measure": "请从列出的指标里选。"})
    now = with_rules(statistic, added_rules(connection, statistic=statistic)).measures[measure]
    last = max((rule.since for rule in now.rules if rule.since is not None), default=None)
    if last is not None and since < last:
        raise Invalid(f"这个指标从 {last} 起已经换过口径，新的不能早于这一天：以前的期间保持原来的口径。", fields={"since": f"请填 {last} 或以后。"})
