"""Open a case and start its process; or start a matter on a case; or let a message start one. One transaction each."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from engine.access.actors import Actor
from engine.access.assignment import candidates
from engine.access.scope import require_case
from engine.deadlines.rights import require_not_over
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, Forbidden, Invalid
from engine.kernel.ids import new_id
from engine.packs.library import Bundle
from engine.packs.manifest import Matter, Start
from engine.runtime.advance import advance
from engine.runtime.application import Application
from engine.runtime.begin import replay, request_hash
from engine.runtime.bpmn.machine import Machine
from engine.runtime.bpmn.waits import Waits
from engine.runtime.bundles import bundle_for, process_for
from engine.runtime.complete_task import finish
from engine.runtime.decide import decider
from engine.runtime.locate import find_act, lock_case
from engine.runtime.once import once
from engine.runtime.open_tasks import Takers, attributes_of, task_row
from engine.runtime.save_draft import drop_start_draft
from engine.runtime.settle import settle
from engine.runtime.undo import BEGUN
from engine.runtime.work import ActResult, Row, Work
from engine.storage.database import for_reading
from engine.storage.tables.cases import case_file
from engine.storage.tables.organisation import unit
from engine.storage.tables.runtime import instance, task


def may_start(app: Application, connection: Connection, *, actor: Actor, role: str, at: datetime, unit_id: UUID | None = None) -> bool:
    """True when one of the actor's posts holds ``role`` for a case of ``unit_id`` (default: the actor's own unit)."""
    pairs = candidates(connection, role=role, case_unit_id=unit_id or actor.unit_id, on=legal_date(at))
    return bool(set(pairs) & set(actor.posts))


def startable(app: Application, *, actor: Actor, at: datetime) -> list[Start]:
    """What the actor may start from 发起, in the order of the manifests."""
    with for_reading(app.db).connect() as connection:
        return [start for start in app.catalogue.starts() if may_start(app, connection, actor=actor, role=start.role, at=at)]


def startable_matters(app: Application, *, actor: Actor, case: Mapping[str, Any], at: datetime) -> list[Matter]:
    """Matters that the actor may start on ``case`` in the state it is in."""
    fitting = [m for m in app.catalogue.matters() if case["kind"] in m.kinds and (not m.states or case["state"] in m.states)]
    with for_reading(app.db).connect() as connection:
        return [m for m in fitting if may_start(app, connection, actor=actor, role=m.role, at=at, unit_id=case["unit_id"])]


@dataclass(frozen=True, kw_only=True)
class FirstStep:
    """The first user task of a process that has not begun: what its form page needs."""

    instance: Row
    task: Row
    facts: Mapping[str, Any]


def first_step(app: Application, *, actor: Actor, process: str, at: datetime) -> FirstStep:
    """Where ``process`` would stand right after its start; nothing is stored but its bundle.

    Raises Forbidden when the actor may not start it, Invalid when it does not begin with a user task.
    """
    start = app.catalogue.start(process)
    with app.db.begin() as connection:
        if not may_start(app, connection, actor=actor, role=start.role, at=at):
            raise Forbidden(f"您的岗位不能发起“{start.title}”。")
        pinned = bundle_for(app, connection, process=process, at=at)
    machine = _machine(app, pinned, process, actor_id=actor.person_id, unit_id=actor.unit_id, case_id=None, at=at)
    machine.advance(now=at)
    waits = machine.waits().user_tasks
    if not waits:
        raise Invalid(f"“{start.title}”不是从填表开始的，不能在这里发起。")
    wait = waits[0]
    asked = machine.wait_attributes(wait)
    row: Row = {"instance_id": None, "id": None, "engine_id": wait.engine_id, "node": wait.node, "process": wait.process, "scope": wait.scope,
           "title": asked.get("title") or wait.title, "form": asked.get("form"), "role": asked.get("role"), "candidates": []}
    return FirstStep(instance={"id": None, "bundle_id": pinned.id, "process": process}, task=row, facts=wait.facts)


@once
def start_case(
    app: Application, *, actor: Actor, process: str, data: Mapping[str, Any] | None = None, outcome: str | None = None, opinion: str = "",
    key: str, at: datetime, unit_id: UUID | None = None,
) -> ActResult:
    """Open a case of the kind that ``process`` starts, in the actor's unit, and complete its first step with ``data``.

    Without ``outcome`` the first step stays open with the actor. Raises Forbidden, Invalid, Conflict; nothing is kept then.
    """
    asked = request_hash(kind="start", process=process, data=data or {}, outcome=outcome, opinion=opinion)
    start = app.catalogue.start(process)
    with app.db.begin() as connection:
        earlier = find_act(connection, key)
        if earlier is not None:
            return replay(earlier, asked=asked, actor=actor)
        if not may_start(app, connection, actor=actor, role=start.role, at=at):
            raise Forbidden(f"您的岗位不能发起“{start.title}”。")
        case = new_case(app, connection, kind=start.kind, title=start.title, unit_id=unit_id or actor.unit_id, actor=actor, at=at)
        work = new_instance(app, connection, case=case, process=process, title=start.title, actor=actor, key=key, asked=asked, at=at)
        drop_start_draft(connection, actor=actor, process=process)
        return _begin(work, data=data, outcome=outcome, opinion=opinion)


@once
def start_matter(
    app: Application, *, actor: Actor, case_id: UUID, process: str, data: Mapping[str, Any] | None = None, outcome: str | None = None,
    opinion: str = "", key: str, at: datetime,
) -> ActResult:
    """Start a matter (有关事项) on ``case_id`` as a further instance. Raises Conflict when one of its kind is running."""
    asked = request_hash(kind="matter", case=case_id, process=process, data=data or {}, outcome=outcome, opinion=opinion)
    matter = app.catalogue.matter(process)
    with app.db.begin() as connection:
        require_case(connection, actor, case_id)
        case = lock_case(connection, case_id)
        earlier = find_act(connection, key)
        if earlier is not None:
            return replay(earlier, asked=asked, actor=actor)
        _require_matter(app, connection, matter=matter, case=case, actor=actor, at=at)
        work = new_instance(app, connection, case=case, process=process, title=matter.title, actor=actor, key=key, asked=asked, at=at)
        return _begin(work, data=data, outcome=outcome, opinion=opinion)


def _require_matter(app: Application, connection: Connection, *, matter: Matter, case: Row, actor: Actor, at: datetime) -> None:
    if case["kind"] not in matter.kinds or (matter.states and case["state"] not in matter.states):
        raise Conflict(f"案件现在是“{case['state_title']}”，不能发起“{matter.title}”。")
    if not may_start(app, connection, actor=actor, role=matter.role, at=at, unit_id=case["unit_id"]):
        raise Forbidden(f"您的岗位不能在本案发起“{matter.title}”。")
    require_not_over(connection, case_id=case["id"], acts=(matter.process,), at=at)
    running = select(func.count()).select_from(instance).where(
        instance.c.case_id == case["id"], instance.c.process == matter.process, instance.c.status.in_(["running", "suspended", "incident"])
    )
    if matter.once and connection.scalar(running):
        raise Conflict(f"本案已有一件“{matter.title}”在办，办结后才能再发起。")


def new_case(
    app: Application, connection: Connection, *, kind: str, title: str, unit_id: UUID, actor: Actor | None, at: datetime, parent_id: UUID | None = None,
    handler_id: UUID | None = None, subject: str = "", address: str = "", state: str | None = None,
) -> Row:
    """Insert a case in the first state of its kind (or ``state``); its row, locked by being new."""
    known = app.catalogue.kind(kind)
    place = connection.execute(select(unit.c.district_id, unit.c.path).where(unit.c.id == unit_id)).one()
    code = state or next(iter(known.states))
    row: Row = {
        "id": new_id(), "kind": kind, "number": None, "title": title, "subject": subject, "address": address, "state": code,
        "state_title": known.states[code], "unit_id": unit_id, "district_id": place.district_id, "handler_id": handler_id, "parent_id": parent_id,
        "tags": [], "search": "", "created_by": actor.person_id if actor else None, "created_at": at, "updated_at": at,
    }
    connection.execute(case_file.insert().values(row))
    return {**row, "state_before": None, "closed_at": None, "voided_at": None, "unit_path": place.path}


def new_instance(
    app: Application, connection: Connection, *, case: Row, process: str, title: str, actor: Actor | None, key: str, asked: str, at: datetime,
    start_event: str | None = None, payload: Mapping[str, Any] | None = None,
) -> Work:
    """Insert an instance of ``process`` on a locked case, pinned to what is in force now; the Work that starts it."""
    pinned = bundle_for(app, connection, process=process, at=at)
    actor_id = actor.person_id if actor else None
    machine = _machine(app, pinned, process, actor_id=actor_id, unit_id=case["unit_id"], case_id=case["id"], at=at, start_event=start_event, payload=payload)
    row: Row = {
        "id": new_id(), "case_id": case["id"], "bundle_id": pinned.id, "definition_id": pinned.member("process", process), "process": process,
        "title": title, "status": "running", "rev": 0, "state": b"", "started_by": actor_id, "started_at": at, "updated_at": at,
        "unit_id": case["unit_id"], "district_id": case["district_id"], "people": {"nodes": {}, "roles": {}},
    }
    connection.execute(instance.insert().values(row))
    return Work(
        app=app, connection=connection, kind="start", key=key, at=at, actor=actor, case=case, instance=row, machine=machine, waits_before=Waits(),
        request_hash=asked,
    )


def _machine(
    app: Application, pinned: Bundle, process: str, *, actor_id: UUID | None, unit_id: UUID, case_id: UUID | None, at: datetime,
    start_event: str | None = None, payload: Mapping[str, Any] | None = None,
) -> Machine:
    facts = {"case_id": str(case_id) if case_id else None, "initiator_id": str(actor_id) if actor_id else None, "unit_id": str(unit_id)}
    return Machine.start(process_for(app, pinned, process), {**facts, **(payload or {})}, now=at, decide=decider(app, pinned, at), start_event=start_event)


def _begin(work: Work, *, data: Mapping[str, Any] | None, outcome: str | None, opinion: str) -> ActResult:
    advance(work)
    waits = work.machine.waits().user_tasks
    if outcome is None or not waits:
        if waits and work.actor is not None:
            work.done_by[f"{waits[0].scope}/{waits[0].node}"] = work.actor.person_id
        return settle(work)
    wait = waits[0]
    if work.undo:
        work.undo.append({"op": BEGUN})
    asked = attributes_of(work, wait)
    work.task = _first_task(work, wait, asked)
    return finish(work, data=data or {}, outcome=outcome, opinion=opinion)


def _first_task(work: Work, wait: Any, asked: Row) -> Row:
    """The row of the first step: opened and finished in one act, so that it can be returned to."""
    assert work.actor is not None
    row = task_row(work, wait, asked, Takers(assignee=work.actor.person_id, people=[]))
    work.connection.execute(task.insert().values(row))
    work.waits_before.user_tasks.append(wait)
    return {**row, "candidates": []}
