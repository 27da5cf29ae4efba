"""The one message that the parent of a fan-out waits for: enough items came back."""
from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select

from engine.runtime.advance import advance
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_instance, request_hash
from engine.runtime.bpmn.model import TALLIES
from engine.runtime.bpmn.values import MAX_FACT_BYTES
from engine.runtime.fanouts import loop_of, results_of
from engine.runtime.settle import settle
from engine.runtime.work import ActResult
from engine.storage.tables.waiting import fanout

ROOM = MAX_FACT_BYTES - 64


def deliver_items(app: Application, *, fanout_id: str) -> bool:
    """Let the parent go on with what came back; False when it did already, or is suspended (resuming it asks again)."""
    at = app.clock.now()
    with app.db.begin() as connection:
        parent = connection.scalar(select(fanout.c.instance_id).where(fanout.c.id == UUID(fanout_id)))
        if parent is None:
            return False
        key = f"fanout:{fanout_id}"
        work = begin_on_instance(app, connection, kind="fanout", actor=None, instance_id=parent, key=key, asked=request_hash(fanout=fanout_id), at=at)
        if isinstance(work, ActResult) or work.instance["status"] != "running":
            return False
        row = connection.execute(select(fanout).where(fanout.c.id == UUID(fanout_id))).mappings().one()
        if row["status"] != "ended" or all(wait.engine_id != row["engine_id"] for wait in work.machine.waits().fanouts):
            return False
        results = results_of(connection, row["id"])
        name = loop_of(work, row["process"], row["node"]).results
        work.outcome_title = f"{len(results)} 项办完"
        work.irreversible = True
        work.machine.finish_fanout(row["engine_id"], as_facts(name, results), row["outcome"], now=at)
        advance(work)
        settle(work)
        return True


def as_facts(name: str, results: list[Any]) -> dict[str, Any]:
    """``name``: the results in the order of the items, as many as a fact holds; ``_count`` how many there are; ``_tally`` how many of each."""
    if not name:
        return {}
    counted = Counter(orjson.dumps(one, option=orjson.OPT_SORT_KEYS) for one in results)
    tally = [{"result": orjson.loads(text), "count": count} for text, count in counted.most_common()]
    return {name: as_many(results), name + TALLIES[0]: len(results), name + TALLIES[1]: as_many(tally)}


def as_many(values: list[Any]) -> list[Any]:
    """The first of ``values`` that fit into a fact."""
    kept: list[Any] = []
    left = ROOM
    for value in values:
        left -= len(orjson.dumps(value)) + 1
        if left < 0:
            break
        kept.append(value)
    return kept
