"""恢复快照: put an instance back to where it stood before an act, whoever came after; refused past what can't be undone."""
from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, null, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access.actors import Actor
from engine.documents.void import undo_document
from engine.kernel.errors import Conflict
from engine.runtime import finishers
from engine.runtime.application import Application
from engine.runtime.begin import load_machine
from engine.runtime.bpmn.waits import Waits
from engine.runtime.job_names import RUN_EFFECT
from engine.runtime.migrating.move_instance import BACK, renew_rows
from engine.runtime.once import once
from engine.runtime.operating.begin_operating import begin_operating
from engine.runtime.operating.snapshots import Preview, find_snapshot, preview_restore
from engine.runtime.save_draft import OPINION
from engine.runtime.secrets import open_secrets
from engine.runtime.settle import settle
from engine.runtime.undo import INVERSES
from engine.runtime.work import ActResult, Work
from engine.storage.tables.organisation import notice
from engine.storage.tables.runtime import act, draft, effect, incident, submission, task, task_candidate


@once
def restore_snapshot(app: Application, *, actor: Actor, instance_id: UUID, act_id: UUID, reason: str, key: str, at: datetime) -> ActResult:
    """Undo the act ``act_id`` and everything after it: tokens, tasks, documents, clocks, records, facts; what was typed comes back as drafts.

    Raises Forbidden without the right ``operator``, Invalid without a reason, Conflict naming what can't be undone. Nothing changes then.
    """
    with app.db.begin() as connection:
        work = begin_operating(
            app, connection, kind="restore", actor=actor, instance_id=instance_id, reason=reason, key=key, at=at, what="恢复快照", live=False, act=act_id,
        )
        if isinstance(work, ActResult):
            return work
        chosen = find_snapshot(connection, instance_id=instance_id, act_id=act_id)
        found = preview_restore(app, connection, row=work.instance, chosen=chosen, at=at)
        if found.obstacles:
            raise Conflict(f"没有恢复：{found.obstacles[0]}", obstacles=found.obstacles)
        work.outcome_title = f"恢复到“{chosen['outcome_title'] or chosen['title']}”之前"
        _undo(work, found)
        return settle(work)


def _undo(work: Work, found: Preview) -> None:
    for one in reversed(found.undone):
        for entry in reversed(one["result"].get("undo", [])):
            {**INVERSES, **BACK}[entry["op"]](work, entry)
    undone = [one["id"] for one in found.undone]
    for one in found.documents:
        undo_document(work.connection, document_id=one["id"], reason=f"恢复快照：{work.opinion}", at=work.at)
    work.connection.execute(update(act).where(act.c.id.in_(undone)).values(undone_by=work.act_id))
    work.connection.execute(delete(notice).where(notice.c.case_id == work.case["id"], notice.c.at >= found.act["at"], notice.c.read_at.is_(None), notice.c.kind == "task"))
    if work.instance["status"] != "suspended":
        work.instance["status"] = "running"
    work.machine = load_machine(work.app, {**work.instance, "state": found.act["snapshot"]}, work.at)
    waits = work.machine.waits()
    _answers(work, undone)
    _tasks(work, found, waits)
    _incidents(work, waits)
    for one in found.again:
        work.connection.execute(update(effect).where(effect.c.id == one["id"]).values(status="queued", updated_at=work.at))
        work.app.jobs.defer(work.connection, RUN_EFFECT, effect_id=str(one["id"]))
    renew_rows(work, waits)


def _tasks(work: Work, found: Preview, waits: Waits) -> None:
    """Open the rows again that stood open then; whoever did a step has it back, a pool is a pool again."""
    finishers.forget(work)
    ids = [one["id"] for one in found.reopened]
    undone = task.c.act_id.in_([one["id"] for one in found.undone])
    work.connection.execute(update(task).where(undone, task.c.id.not_in(ids), task.c.status == "done").values(status="cancelled", act_id=None))
    work.connection.execute(update(task).where(task.c.id.in_(ids)).values(
        status="open", ended_at=None, ended_by=None, outcome=None, act_id=None, ended_for=None, held=null(),
        assignee_id=func.coalesce(task.c.ended_for, task.c.ended_by, task.c.assignee_id),
    ))
    pooled = select(task.c.id).where(task.c.id.in_(ids), task.c.assignee_id.is_(None))
    work.connection.execute(update(task_candidate).where(task_candidate.c.task_id.in_(pooled)).values(open=True))
    back = {one["engine_id"] for one in found.reopened}
    work.waits_before.user_tasks.extend(wait for wait in waits.user_tasks if wait.engine_id in back)


def _answers(work: Work, undone: list[UUID]) -> None:
    """Submissions of the undone acts no longer count; each comes back as a draft of whoever gave it."""
    kept: list[Any] = list(work.connection.execute(
        update(submission).where(submission.c.act_id.in_(undone), submission.c.superseded.is_(False)).values(superseded=True)
        .returning(submission.c.task_id, submission.c.by_id, submission.c.data, submission.c.form_hash, submission.c.act_id)
    ))
    opinions = {row.id: row.opinion for row in work.connection.execute(select(act.c.id, act.c.opinion).where(act.c.id.in_(undone)))}
    for row in kept:
        if row.task_id is not None and row.by_id is not None:
            typed = {**open_secrets(work.app.keys, row.data), OPINION: opinions.get(row.act_id) or ""}
            values = {"task_id": row.task_id, "person_id": row.by_id, "data": typed, "form_hash": row.form_hash, "rev": 1, "updated_at": work.at}
            work.connection.execute(insert(draft).values(values).on_conflict_do_update(index_elements=["task_id", "person_id"], set_=values))


def _incidents(work: Work, waits: Waits) -> None:
    """Incidents of tokens that are gone are over; those of tokens that are parked again are open again."""
    live = {wait.engine_id for group in (waits.user_tasks, waits.services, waits.parked) for wait in group}
    parked = {wait.engine_id for wait in waits.parked}
    mine = incident.c.instance_id == work.instance["id"]
    for row in work.connection.execute(select(incident.c.id, incident.c.engine_id, incident.c.status, incident.c.kind).where(mine, incident.c.kind != "document")).all():
        if row.status == "open" and row.engine_id not in live:
            values = {"status": "resolved", "closed_at": work.at, "closed_by": work.actor_id, "reason": work.opinion}
        elif row.status != "open" and row.engine_id in parked or row.status == "resolved" and row.kind == "assignment" and row.engine_id in live:
            values, parked = {"status": "open", "closed_at": None, "closed_by": None, "reason": ""}, parked - {row.engine_id}
        else:
            continue
        work.connection.execute(update(incident).where(incident.c.id == row.id).values(**values))
