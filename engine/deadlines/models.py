"""Warning models: from when a clock's light is yellow, who is reminded, to whom it goes up. Dated rows; the pack brings the first.

A model holds for all clocks of a name from its day on, for those that run already too. What the law does at the end of a
clock (rights, blocked acts, messages) isn't part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, insert, select

from engine.deadlines.rules import ClockRule
from engine.deadlines.steps import WARNINGS, ClockStep, check_soon, parse_steps
from engine.kernel.errors import Invalid
from engine.kernel.ids import new_id
from engine.reference.cache import Cached
from engine.storage.tables.clocks import warning_model

Models = Mapping[str, tuple[tuple[date, Mapping[str, Any]], ...]]


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What a clock does: ``soon`` as ``3 working_day`` or nothing, and all its steps."""

    soon: str
    steps: tuple[ClockStep, ...]


def load_models(connection: Connection) -> Models:
    """{clock: ((valid from, model), …) newest first}; cached."""
    return _models.get(connection, "all")


def _read(connection: Connection, _: str) -> Models:
    m = warning_model.c
    found: dict[str, tuple[tuple[date, Mapping[str, Any]], ...]] = {}
    for row in connection.execute(select(m.clock, m.valid_from, m.model).order_by(m.clock, m.valid_from.desc(), m.at.desc(), m.id.desc())):
        found[row.clock] = (*found.get(row.clock, ()), (row.valid_from, row.model))
    return found


_models = Cached(_read)


def behaviour(rule: ClockRule, *, clock: str, models: Models, on: date) -> Behaviour:
    """The rule's own steps, with the warnings of the model in force on ``on`` in place of its own where there is one."""
    own = _parsed(orjson.dumps([dict(step) for step in rule.steps]))
    model = model_of(models, rule.measure or clock, on)
    if model is None:
        return Behaviour(soon=rule.soon, steps=own)
    law = tuple(step for step in own if step.kind not in WARNINGS)
    return Behaviour(soon=model.get("soon") or "", steps=(*law, *_parsed(orjson.dumps(model.get("steps") or []))))


def model_of(models: Models, clock: str, on: date) -> Mapping[str, Any] | None:
    """The model in force for a clock's name (a label doesn't matter), None when the pack's own holds."""
    rows = models.get(clock.partition("/")[0], ())
    return next((model for since, model in rows if since <= on), None)


@lru_cache(maxsize=2000)
def _parsed(steps: bytes) -> tuple[ClockStep, ...]:
    return parse_steps(orjson.loads(steps))


def add_model(
    connection: Connection, *, clock: str, valid_from: date, soon: str, steps: list[dict[str, Any]], source: str, by_id: UUID, by_name: str, at: datetime
) -> UUID:
    """A new dated version; the old ones stay. Raises ClockRefused for a wrong step, Invalid without a source."""
    if not source.strip():
        raise Invalid("请写明依据或理由。", fields={"source": "请写明文件名称，或者为什么这样调整。"})
    check_soon(soon)
    if any(step.kind not in WARNINGS for step in parse_steps(steps)):
        raise Invalid("预警模型只管提醒、上报和亮灯；权利关闭、步骤禁止、自动步骤由业务包按法律声明。")
    id = new_id()
    values = {"id": id, "clock": clock, "valid_from": valid_from, "model": {"soon": soon, "steps": steps}, "source": source.strip(), "by_id": by_id, "by_name": by_name, "at": at}
    connection.execute(insert(warning_model).values(values))
    _models.forget(connection)
    return id


def models_of(connection: Connection, *, clock: str) -> list[Mapping[Any, Any]]:
    """Every version of a clock's warning model, newest first."""
    m = warning_model.c
    return [*connection.execute(select(warning_model).where(m.clock == clock).order_by(m.valid_from.desc(), m.at.desc())).mappings()]
