"""Close the row of the task that an act finished; its holder keeps seeing the case."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import null, update

from engine.access.integrity import grant_mac
from engine.runtime import finishers
from engine.runtime.work import Work
from engine.storage.tables.cases import case_grant
from engine.storage.tables.runtime import draft, task, task_candidate, task_signer


def close_task(work: Work) -> None:
    """Mark the task done by the actor with the act's outcome; drop its drafts and its place in the pool."""
    assert work.task is not None and work.actor is not None
    this, me = work.task["id"], work.actor.person_id
    principal = work.principal
    done = {"status": "done", "ended_at": work.at, "ended_by": me, "outcome": work.outcome, "act_id": work.act_id, "assignee_id": principal[0] if principal else me}
    if principal:
        done["ended_for"] = principal[0]
    if work.task.get("held"):
        done["held"] = null()
    work.batch.update(task, {"id": this}, done)
    finishers.keep(work, principal[0] if principal else me)
    if work.task.get("signers"):
        work.batch.add(drop_signers(task_signer.c.task_id == this))
        work.undo.append({"op": "signers", "ids": [row["id"] for row in work.task["signers"]]})
    close_pool(work, this)
    work.batch.delete(draft, {"task_id": this})
    if work.actor.party_id is None:
        remember_handled(work, me)


def drop_signers(where: Any) -> Any:
    """The write that ends what colleagues are asked on tasks that are over."""
    return update(task_signer).where(where, task_signer.c.status.in_(["planned", "open"])).values(status="cancelled")


def close_pool(work: Work, task_id: UUID) -> None:
    """Take the task out of the pool it came from."""
    if work.task is not None and work.task["candidates"]:
        work.batch.update(task_candidate, {"task_id": task_id}, {"open": False})


def remember_handled(work: Work, person_id: UUID) -> None:
    """Let ``person_id`` see the case from now on, as one who handled it."""
    mac = grant_mac(work.app.keys.mac, work.case["id"], person_id, "handled", None)
    work.batch.insert_new(case_grant, {"case_id": work.case["id"], "person_id": person_id, "reason": "handled", "at": work.at, "mac": mac})
