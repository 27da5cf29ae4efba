"""Bring the rows in line with the machine: tasks, timers, subscriptions, the instance, history, audit. One commit."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert

from engine.access import audit
from engine.deadlines.clocks import end_instant
from engine.deadlines.steps import start_of
from engine.kernel.ids import new_id
from engine.runtime import redo
from engine.runtime.answers import write_case_record
from engine.runtime.bpmn.waits import TimerWait, Wait, Waits
from engine.runtime.commitments import act_digest
from engine.runtime.due_day import clock_named
from engine.runtime.fanouts import settle_fanouts
from engine.runtime.job_names import MATCH_INBOX
from engine.runtime.open_tasks import cancel_tasks, open_tasks
from engine.runtime.work import ActResult, Work
from engine.storage.tables.cases import case_file
from engine.storage.tables.organisation import notice
from engine.storage.tables.runtime import act, effect, event_feed, instance, subscription, timer


def settle(work: Work, *, done: set[str] | None = None, new_instance: bool = False) -> ActResult:
    """Write everything that this act changed and its history entry.

    ``done`` names the engine ids whose task rows the verb itself has closed. The audit head is locked last.
    """
    arrange(work, done=done)
    _write_instance(work)
    _write_case(work)
    work.batch.insert(notice, work.notices)
    return _write_history(work)


def arrange(work: Work, *, done: set[str] | None = None) -> None:
    """Bring tasks, timers, subscriptions, effects and fan-outs in line with the machine."""
    work.machine.check_invariants()
    waits = work.machine.waits()
    redo.tidy(work, waits)
    _settle_tasks(work, waits, done or set())
    _settle_timers(work, waits)
    _settle_subscriptions(work, waits)
    _cancel_effects(work, waits)
    settle_fanouts(work, waits)


def _ids(waits: Sequence[Wait]) -> dict[str, Wait]:
    return {wait.engine_id: wait for wait in waits}


def _settle_tasks(work: Work, waits: Waits, done: set[str]) -> None:
    before, after = _ids(work.waits_before.user_tasks), _ids(waits.user_tasks)
    open_tasks(work, [wait for id, wait in after.items() if id not in before])
    cancel_tasks(work, set(before) - set(after) - done)


def _settle_timers(work: Work, waits: Waits) -> None:
    before = {t.engine_id: t.due_at for t in work.waits_before.timers}
    after = {t.engine_id: t for t in waits.timers}
    gone = sorted(set(before) - set(after))
    if gone:
        work.batch.add(delete(timer).where(timer.c.instance_id == work.instance["id"], timer.c.engine_id.in_(gone)))
    fresh = [_timer_row(work, t) for id, t in after.items() if before.get(id) != t.due_at]
    for row in fresh:
        write = insert(timer).values(row)
        work.batch.add(write.on_conflict_do_update(index_elements=["instance_id", "engine_id"], set_={"due_at": write.excluded.due_at, "suspended": write.excluded.suspended, "on_last_day": write.excluded.on_last_day, "claimed_at": None}))


def _timer_row(work: Work, wait: TimerWait) -> dict[str, Any]:
    """A timer bound to a legal clock is due when the clock's last day is over, and stands still with it."""
    row = {"instance_id": work.instance["id"], "engine_id": wait.engine_id, "case_id": work.case["id"], "node": wait.node, "due_at": wait.due_at,
           "suspended": work.instance["status"] == "suspended", "clock": None, "on_last_day": False}
    if wait.clock:
        row["clock"] = clock_named(wait.clock, wait.process)
        due = end_instant(work.connection, case_id=work.case["id"], clock=row["clock"])
        row |= {"on_last_day": wait.on_last_day} | ({"suspended": True} if due is None else {"due_at": start_of(due[0]) if wait.on_last_day else due[1]})
    return row


def _settle_subscriptions(work: Work, waits: Waits) -> None:
    before = {(s.engine_id, s.name): s for s in work.waits_before.subscriptions}
    after = {(s.engine_id, s.name): s for s in waits.subscriptions}
    gone = sorted({id for id, _ in set(before) - set(after)})
    if gone:
        work.batch.add(delete(subscription).where(subscription.c.instance_id == work.instance["id"], subscription.c.engine_id.in_(gone)))
    fresh = [s for key, s in after.items() if key not in before]
    work.batch.insert(subscription, [
        {"instance_id": work.instance["id"], "engine_id": s.engine_id, "kind": s.kind, "name": s.name, "correlation": s.correlation or "", "node": s.node}
        for s in fresh
    ])
    if fresh:
        work.app.jobs.defer(work.connection, MATCH_INBOX, instance_id=str(work.instance["id"]))


def _cancel_effects(work: Work, waits: Waits) -> None:
    gone = sorted(set(_ids(work.waits_before.services)) - set(_ids(waits.services)))
    if gone and work.kind not in ("service", "skip"):
        work.batch.add(
            update(effect).where(effect.c.instance_id == work.instance["id"], effect.c.engine_id.in_(gone), effect.c.status.in_(["queued", "failed"]))
            .values(status="cancelled", updated_at=work.at)
        )


def _write_instance(work: Work) -> None:
    ended = work.machine.completed
    work.instance.update(rev=work.instance["rev"] + 1, state=work.machine.dump(), status=status_of(work, ended))
    work.batch.update(instance, {"id": work.instance["id"]}, {
        "state": work.instance["state"], "rev": work.instance["rev"], "status": work.instance["status"], "updated_at": work.at,
        "ended_at": work.at if ended else None, "people": None if ended else work.instance.get("people"),
    })


def status_of(work: Work, ended: bool) -> str:
    """What a suspended instance does by itself (the answer of a job) leaves it suspended."""
    if ended:
        return "cancelled" if work.instance["status"] == "cancelled" else "completed"
    return "suspended" if work.instance["status"] == "suspended" else "running"


def _write_case(work: Work) -> None:
    kind = work.app.catalogue.kind(work.case["kind"]) if "state" in work.case_changes else None
    if kind is not None and kind.register and kind.state_field:
        write_case_record(work, kind.register, {kind.state_field: work.case_changes["state"]})
    work.batch.update(case_file, {"id": work.case["id"]}, {"updated_at": work.at, **work.case_changes})


def _write_history(work: Work) -> ActResult:
    result = ActResult(
        act_id=work.act_id, case_id=work.case["id"], instance_id=work.instance["id"], next_tasks=tuple(work.opened),
        completed=work.machine.completed, title=work.task["title"] if work.task else "",
    )
    write_act(work, result)
    return result


def stand(work: Work) -> ActResult:
    """Write an act on a task that moves no token: its history entry with a revision of its own, and whatever stands in the batch."""
    work.snapshot = None
    work.instance["rev"] += 1
    work.batch.update(instance, {"id": work.instance["id"]}, {"rev": work.instance["rev"], "status": work.instance["status"], "updated_at": work.at})
    write_act(work)
    return ActResult(act_id=work.act_id, case_id=work.case["id"], instance_id=work.instance["id"], title=work.task["title"] if work.task else "")


def write_act(work: Work, result: ActResult | None = None) -> None:
    """Insert the act, its event and its audit record, then flush; the audit head is the last lock of the transaction."""
    row = act_row(work, result)
    work.batch.insert(act, row)
    work.batch.insert(event_feed, work.events or [event_of(work)])
    chain = work.chain
    head = audit.head_in(work.batch.flush(work.connection, then=audit.lock_of(chain)))
    audit.append(
        work.connection, chain=chain, head=head, at=work.at, actor_id=row["actor_id"], actor_name=row["actor_name"], action=f"act.{work.kind}",
        object=str(work.act_id), case_id=work.case["id"], detail=trail_of(work, row),
    )


def act_row(work: Work, result: ActResult | None) -> dict[str, Any]:
    """The history entry."""
    node = work.task["node"] if work.task else None
    moves = {"bundle": str(work.instance["bundle_id"]), **work.machine.journal.entry(work.instance["state"])} if work.snapshot is not None or work.kind == "start" else None
    by, principal = work.signer or work.actor, work.principal
    return {
        "id": work.act_id, "key": work.key, "kind": work.kind, "case_id": work.case["id"], "instance_id": work.instance["id"],
        "task_id": work.task["id"] if work.task else None, "node": node, "process": work.task["process"] if work.task else work.instance["process"],
        "title": work.task["title"] if work.task else work.instance["title"], "actor_id": by.person_id if by else None,
        "actor_name": by.name if by else work.actor_name, "actor_post": by.post_title if by else "",
        "on_behalf_of_id": principal[0] if principal else None, "on_behalf_of": principal[1] if principal else "", "at": work.at, "outcome": work.outcome, "outcome_title": _title(work),
        "opinion": work.signer_words if work.signer else work.opinion, "flows": work.flows, "nodes": work.nodes,
        "result": told({"undo": work.undo, "irreversible": work.irreversible, "next": [brief_json(b) for b in (result.next_tasks if result else ())],
                        "completed": bool(result and result.completed)}),
        "request_hash": work.request_hash, "rev_before": work.instance["rev"] - 1, "snapshot": work.snapshot, "moves": moves, "automatic": work.actor is None,
        "task_opened_at": work.task["opened_at"] if work.task else None,
    }


def trail_of(work: Work, row: dict[str, Any]) -> dict[str, Any]:
    """What the audit record says about the history entry ``row``; its digest holds the state that the act led to as well."""
    return told({"task": str(row["task_id"] or ""), "node": row["node"] or "", "outcome": work.outcome or "", "opinion": row["opinion"], "rev": work.instance["rev"],
                 "act": act_digest(row), "forms": work.digests, "for": work.principal[1] if work.principal else ""})


def told(values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` without what is empty: rows that are written with every act hold only what they say."""
    return {name: value for name, value in values.items() if value or value == 0 and value is not False}


def _title(work: Work) -> str | None:
    """The outcome as the history tells it."""
    said = redo.said_of(work)
    title = f"{work.outcome_title or ''}{said}" if said else work.outcome_title
    return f"同意，“{title}”生效" if work.signer else title


def brief_json(brief: Any) -> dict[str, Any]:
    return {"id": str(brief.id), "title": brief.title, "role_title": brief.role_title, "people": list(brief.people), "mine": brief.mine}


def event_of(work: Work) -> dict[str, Any]:
    payload = {"act": str(work.act_id), "node": work.task["node"] if work.task else None, "outcome": work.outcome,
               "opened": [str(b.id) for b in work.opened], "completed": work.machine.completed}
    return {"id": new_id(), "kind": f"act.{work.kind}", "case_id": work.case["id"], "task_id": work.task["id"] if work.task else None,
            "unit_id": work.case["unit_id"], "district_id": work.case["district_id"], "payload": payload, "at": work.at}
