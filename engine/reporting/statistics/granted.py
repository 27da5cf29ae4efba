"""A statistic as somebody may read it: without figures and groups that rest on fields hidden from them or masked."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engine.access.actors import Actor
from engine.kernel.errors import Forbidden
from engine.registers.conditions import Condition, Leaf
from engine.registers.granted import for_reader
from engine.reporting.statistics.declaration import Measure, Statistic


def known_to(statistic: Statistic, actor: Actor) -> Statistic:
    """``statistic`` itself for nearly everybody. Raises Forbidden when nothing is left to count."""
    register = for_reader(statistic.register, actor)
    if register is statistic.register:
        return statistic
    shut = {name for name, field in statistic.register.fields.items() if name not in register.fields or (register.fields[name].secret and not field.secret)}
    open_ = {name: one for name, one in statistic.measures.items() if not shut & set(_rests_on(one))}
    measures = {name: one for name, one in open_.items() if one.parts is None or set(one.parts) <= set(open_)}
    if not measures or shut & set(_fields(statistic.where)):
        raise Forbidden(f"“{statistic.title}”用到的栏目没有授权给您的角色，请联系安全管理员。")
    return replace(statistic, register=register, dimensions=tuple(one for one in statistic.dimensions if one not in shut), measures=measures)


def _rests_on(measure: Measure) -> Iterator[str]:
    if measure.of is not None:
        yield measure.of.name
    yield measure.on.name
    for rule in measure.rules:
        yield from _fields(rule.where)


def _fields(condition: Condition | None) -> Iterator[str]:
    if condition is None:
        return
    if isinstance(condition, Leaf):
        yield condition.field.name
    else:
        for part in condition.parts:
            yield from _fields(part)
