"""终止办理: end a running instance where it stands, with everything that hangs on it."""
from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select, update

from engine.access.actors import Actor
from engine.deadlines.clocks import LIVE, By, end_clock
from engine.documents.void import undo_document
from engine.runtime.advance import advance
from engine.runtime.application import Application
from engine.runtime.once import once
from engine.runtime.operating.begin_operating import begin_operating
from engine.runtime.settle import settle
from engine.runtime.signers import tell_holders
from engine.runtime.work import ActResult, Work
from engine.storage.tables.cases import case_clock
from engine.storage.tables.documents import document
from engine.storage.tables.runtime import incident, instance

TERMINATED = "terminated"


@once
def terminate_instance(app: Application, *, actor: Actor, instance_id: UUID, reason: str, key: str, at: datetime) -> ActResult:
    """End the instance: its tasks, timers, subscriptions and queued effects are called off, drafts of documents become void, incidents are closed.

    When nothing else runs on the case its legal clocks end and it is closed as 已终止. Raises Forbidden without the right ``operator``, Invalid
    without a reason, Conflict when it is over already.
    """
    with app.db.begin() as connection:
        work = begin_operating(app, connection, kind="terminate", actor=actor, instance_id=instance_id, reason=reason, key=key, at=at, what="终止办理")
        if isinstance(work, ActResult):
            return work
        tell_holders(work, f"{actor.name}终止办理：{work.case['title']}　{work.opinion[:60]}")
        work.machine.cancel_all(now=at)
        advance(work)
        work.instance["status"] = "cancelled"
        _close_incidents(work)
        _void_drafts(work)
        if not _others_run(work):
            _close_case(work)
        return settle(work)


def _close_incidents(work: Work) -> None:
    open_ones = update(incident).where(incident.c.instance_id == work.instance["id"], incident.c.status == "open")
    work.connection.execute(open_ones.values(status="resolved", closed_at=work.at, closed_by=work.actor_id, reason=work.opinion))


def _void_drafts(work: Work) -> None:
    """Documents that nobody has been given yet; issued and served ones stay valid."""
    drafts = select(document.c.id).where(document.c.instance_id == work.instance["id"], document.c.state == "draft").order_by(document.c.id)
    for id in work.connection.scalars(drafts).all():
        undo_document(work.connection, document_id=id, reason=f"终止办理：{work.opinion}", at=work.at)


def _others_run(work: Work) -> bool:
    others = exists().where(instance.c.case_id == work.case["id"], instance.c.id != work.instance["id"], instance.c.ended_at.is_(None))
    return bool(work.connection.scalar(select(others)))


def _close_case(work: Work) -> None:
    running = select(case_clock.c.clock).where(case_clock.c.case_id == work.case["id"], case_clock.c.state.in_(LIVE)).order_by(case_clock.c.clock)
    by = By(at=work.at, act_id=work.act_id, by_id=work.actor_id, ground=work.opinion)
    clocks = work.connection.scalars(running).all()
    for clock in clocks:
        end_clock(work.connection, case_id=work.case["id"], clock=clock, on=work.today, by=by, state="cancelled")
    if clocks:
        work.undo.append({"op": "clock", "act_id": str(work.act_id)})
    if work.case["closed_at"] is None:
        work.change_case(state=TERMINATED, state_title="已终止", closed_at=work.at)
