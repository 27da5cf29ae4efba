"""The rows of a fan-out: an item each, counted down as the items' own cases come back. What has to be done about them leaves as jobs.

Above the limit of instances in one case (or told so by ``gc:fanout="always"``) each item of a multi-instance activity is a case of its own.
The parent waits for one message; nothing of the items stands in its state. Whoever brings the last item, or the one that fulfils the
completion condition, finds it out under the lock of the fan-out's row, so the parent is told once.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import RowMapping, insert, select, text, update

from engine.expressions import FeelError, compile_expression
from engine.expressions.builtin_temporal import AT
from engine.kernel.errors import Conflict
from engine.kernel.ids import new_id
from engine.runtime.bpmn.model import Loop
from engine.runtime.bpmn.values import CASE_FACTS, plain
from engine.runtime.bpmn.waits import FanoutWait, Waits
from engine.runtime.bundles import process_for
from engine.runtime.item_source import items_of
from engine.runtime.job_names import DELIVER_ITEMS, END_ITEMS, MAKE_ITEMS
from engine.runtime.work import Work
from engine.storage.tables.waiting import fanout, fanout_item

CHUNK = 200
BACK = ("done", "skipped")
LABEL = 80
OVER, CALLED_OFF = ("item_over", "已办结"), ("item_called_off", "不再办理")
"""State of an item's case once it is over."""

_ITEMS = text("""
    INSERT INTO fanout_item (fanout_id, index, item, title, status)
    SELECT :id, row.place - 1, row.pair -> 0, row.pair ->> 1, 'planned' FROM jsonb_array_elements(CAST(:pairs AS jsonb)) WITH ORDINALITY AS row (pair, place)""")


def settle_fanouts(work: Work, waits: Waits) -> None:
    """Fan-outs that the act began get their rows, those it left are called off; an item that is over counts for its parent."""
    before, after = {w.engine_id for w in work.waits_before.fanouts}, {w.engine_id: w for w in waits.fanouts}
    for engine_id, wait in after.items():
        if engine_id not in before:
            _open(work, wait)
    gone = sorted(before - set(after))
    if gone and work.kind != "fanout":
        _call_off(work, gone)
    if work.instance.get("parent_instance_id") and work.machine.completed and work.kind != "end_item":
        ended = work.instance["status"] == "cancelled"  # an operator terminated it: as good as passed over
        count_item(work, status="skipped" if ended else "done", reason=work.opinion[:500] if ended else "")
        close_case(work, OVER)


def close_case(work: Work, state: tuple[str, str]) -> None:
    """The item's case is over with it."""
    if work.case["closed_at"] is None:
        work.change_case(state=state[0], state_title=state[1], closed_at=work.at)


def _open(work: Work, wait: FanoutWait) -> None:
    items = work.machine.items(wait.engine_id)
    if items is None:
        raise Conflict(f"那时正在分办“{wait.title}”，分办出去的案件后来已经结束，不能恢复到那里。请选分办之前或之后的快照。")
    loop = loop_of(work, wait.process, wait.node)
    if loop.items:
        items = items_of(work, wait, loop.items)
    id, status = new_id(), {"status": "open"} if items else {"status": "ended", "ended_at": work.at}
    facts = {name: value for name, value in wait.facts.items() if name not in CASE_FACTS or name != "case_id"}
    work.connection.execute(insert(fanout).values(
        id=id, instance_id=work.instance["id"], case_id=work.case["id"], engine_id=wait.engine_id, node=wait.node, process=wait.process, scope=wait.scope,
        body=wait.body, title=wait.title, facts=facts, total=len(items), remaining=len(items), **status, started_by=work.actor_id, created_at=work.at,
    ))
    pairs = [[item, _label(loop, wait.facts, item, place)] for place, item in enumerate(items)]
    work.connection.execute(_ITEMS, {"id": id, "pairs": orjson.dumps(pairs).decode()})
    for first in range(0, len(items), CHUNK):
        work.app.jobs.defer(work.connection, MAKE_ITEMS, fanout_id=str(id), first=first, last=first + CHUNK)
    if not items:
        work.app.jobs.defer(work.connection, DELIVER_ITEMS, fanout_id=str(id))
    work.irreversible = True


def loop_of(work: Work, process: str, node: str) -> Loop:
    """The repetition of an activity, as the bundle of the case at hand has it."""
    found = process_for(work.app, work.app.library.bundle(work.instance["bundle_id"]), process).nodes[node].loop
    assert found is not None
    return found


def _label(loop: Loop, facts: Mapping[str, Any], item: Any, place: int) -> str:
    """What the item is called: ``gc:label`` over it, else its own text, else its number."""
    if loop.label:
        seen = {**facts, **({loop.item: item} if loop.item else {}), "loopCounter": place + 1}
        try:
            return str(compile_expression(loop.label, names=seen).evaluate(seen) or "")[:LABEL]
        except FeelError:
            return ""
    return str(item)[:LABEL] if isinstance(item, str) else ""


def _call_off(work: Work, engine_ids: list[str]) -> None:
    """The act left the activity: a boundary event, a return, the end of the case."""
    ended = update(fanout).where(fanout.c.instance_id == work.instance["id"], fanout.c.engine_id.in_(engine_ids), fanout.c.status == "open")
    rows = work.connection.scalars(ended.values(status="cancelled", ended_at=work.at, ended_name=work.actor_name, reason=work.outcome_title or "").returning(fanout.c.id)).all()
    for id in rows:
        work.app.jobs.defer(work.connection, END_ITEMS, fanout_id=str(id))
    work.irreversible = True


def count_item(work: Work, *, status: str, reason: str = "") -> None:
    """The item behind ``work`` came back (or is skipped): count it, and tell the parent when that was enough. It can't be withdrawn."""
    work.irreversible = True
    facts = work.machine.item_facts() if status == "done" else {}
    own = fanout_item.c.instance_id == work.instance["id"]
    item = work.connection.execute(select(fanout_item.c.fanout_id, fanout_item.c.index).where(own)).one_or_none()
    if item is None:
        return
    # First the fan-out, then its item: whoever calls off the rest takes them in the same order.
    count = update(fanout).where(fanout.c.id == item.fanout_id).values(remaining=fanout.c.remaining - 1).returning(*fanout.c)
    row = work.connection.execute(count).mappings().one()
    result, problem = _result(work, row, facts)
    taken = update(fanout_item).where(own, fanout_item.c.status == "running").values(status=status, result=result, ended_at=work.at, reason=reason)
    if work.connection.execute(taken).rowcount != 1:
        work.connection.execute(update(fanout).where(fanout.c.id == row["id"]).values(remaining=fanout.c.remaining + 1))
        return
    after_count(work, row, {**facts, "outcome": facts.get("outcome")}, problem)


def after_count(work: Work, row: RowMapping, own: dict[str, Any], problem: str = "") -> None:
    """``row`` is the fan-out with its new count, locked: when that is enough, the parent is told and the rest called off."""
    if row["status"] != "open":
        return
    enough, trouble = _enough(work, row, own)
    values: dict[str, Any] = {"outcome": own["outcome"]} if own.get("outcome") is not None else {}
    if problem or trouble:
        values["problem"] = (problem or trouble)[:500]
    if enough:
        values |= {"status": "ended", "ended_at": work.at}
        work.app.jobs.defer(work.connection, DELIVER_ITEMS, fanout_id=str(row["id"]))
        if row["remaining"] > 0:
            work.app.jobs.defer(work.connection, END_ITEMS, fanout_id=str(row["id"]))
    if values:
        work.connection.execute(update(fanout).where(fanout.c.id == row["id"]).values(values))


def _result(work: Work, row: RowMapping, facts: dict[str, Any]) -> tuple[Any, str]:
    """What the item hands back: ``gc:result`` over its own facts, else its outcome."""
    loop = loop_of(work, row["process"], row["node"])
    if not facts or not loop.result:
        return facts.get("outcome"), ""
    try:
        return plain(compile_expression(loop.result, names=facts).evaluate({**facts, AT: work.at}), name=loop.results or "result"), ""
    except Exception as error:
        return None, f"结果“{loop.result}”不能求值：{getattr(error, 'message', error)}"


def _enough(work: Work, row: RowMapping, own: dict[str, Any]) -> tuple[bool, str]:
    """True when every item is back, or the completion condition holds with this one."""
    if row["remaining"] <= 0:
        return True, ""
    loop = loop_of(work, row["process"], row["node"])
    if not loop.condition:
        return False, ""
    done = row["total"] - row["remaining"]
    seen = {**row["facts"], **own, **counters(row["total"], done), AT: work.at}
    compiled = compile_expression(loop.condition, names={**seen, "results": None})
    if "results" in compiled.names:
        seen["results"] = results_of(work.connection, row["id"])
    try:
        return compiled.evaluate(seen) is True, ""
    except FeelError as error:
        return False, f"完成条件“{loop.condition}”不能求值：{error}。全部办完后会继续。"


def counters(total: int, done: int) -> dict[str, Any]:
    """The numbers that a completion condition may read; the names as in one case."""
    active = total - done
    return {
        "instances": total, "completed": done, "active": active, "numberOfInstances": total, "numberOfCompletedInstances": done,
        "numberOfActiveInstances": active, "numberOfTerminatedInstances": 0, "nrOfInstances": total, "nrOfCompletedInstances": done, "nrOfActiveInstances": active,
    }


def results_of(connection: Any, fanout_id: UUID) -> list[Any]:
    """What came back so far, in the order of the items."""
    query = select(fanout_item.c.result).where(fanout_item.c.fanout_id == fanout_id, fanout_item.c.status.in_(BACK)).order_by(fanout_item.c.index)
    return list(connection.scalars(query))


