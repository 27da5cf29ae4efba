"""Turn user-task waits into task rows: form, role, who gets it, when it is due, who is told."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access import assignment
from engine.access.actors import holds_on
from engine.kernel.errors import Conflict
from engine.kernel.ids import new_id
from engine.runtime.advance import open_incident
from engine.runtime.allowed import deputies_may
from engine.runtime.bpmn.waits import Wait
from engine.runtime.close_task import drop_signers
from engine.runtime.due_day import due_day
from engine.runtime.nodes import process_of
from engine.runtime.redo import straight_to
from engine.runtime.work import Row, TaskBrief, Work
from engine.storage.tables.cases import case_party
from engine.storage.tables.organisation import person, post
from engine.storage.tables.runtime import task, task_candidate, task_signer


@dataclass(frozen=True, kw_only=True)
class Takers:
    """``assignee`` or, without one, the ``pool`` of (unit id, post code); ``people`` are (id, name) of all who will see the step.

    A step of a role of kind ``party`` has neither: ``party`` is the one who does it from outside.
    """

    assignee: UUID | None = None
    party: UUID | None = None
    pool: list[tuple[UUID, str]] = field(default_factory=list)
    people: list[tuple[UUID, str]]


def open_tasks(work: Work, waits: Iterable[Wait]) -> None:
    """Insert a row, its candidates and notices for each wait."""
    for wait in waits:
        _open(work, wait)


def _open(work: Work, wait: Wait) -> None:
    asked = attributes_of(work, wait)
    takers = takers_of(work, wait, asked)
    if not takers.people:
        open_incident(work, wait, kind="assignment", message=f"“{asked['title']}”找不到可以办理的人：没有人担任{asked['role_title'] or asked['role']}。请在组织机构里配好人员后重试。")
    row = task_row(work, wait, asked, takers)
    work.batch.insert(task, row)
    work.batch.insert(task_candidate, [{"task_id": row["id"], "unit_id": unit, "post": code, "open": True} for unit, code in takers.pool])
    if takers.party is None:
        _tell(work, row, takers.people)
    work.opened.append(TaskBrief(id=row["id"], title=row["title"], role_title=row["role_title"], people=tuple(name for _, name in takers.people),
                                 mine=any(id == work.actor_id for id, _ in takers.people)))


def attributes_of(work: Work, wait: Wait) -> Row:
    """The node's attributes with FEEL evaluated: form, role, title, assignee, unit, due, role_title."""
    asked = dict(work.machine.wait_attributes(wait))
    asked["title"] = asked.get("title") or wait.title
    asked["role"] = asked.get("role") or ""
    pack = work.app.catalogue.packs.get(asked["role"].split(".", 1)[0])
    found = pack.roles.get(asked["role"]) if pack else None
    asked["role_title"] = found.title if found else ""
    if isinstance(asked.get("assignee"), dict):
        asked["assignee"] = work.done_by.get(f"{wait.scope}/{asked['assignee']['visited']}")
    return asked


def assignee_of(work: Work, wait: Wait, asked: Row) -> UUID | None:
    """A named person, whoever did this node before, or whoever did the same job before on this instance (``gc:remember``), or the case's 承办人."""
    if asked.get("assignee"):
        return UUID(str(asked["assignee"]))
    if str(asked.get("remember", "true")) == "false":
        return None
    before = work.done_by.get(f"{wait.scope}/{wait.node}")
    return before or (None if asked.get("unit") else work.done_roles.get(asked["role"]) or _same_job(work, asked["role"]) or _case_handler(work, asked["role"]))


def _same_job(work: Work, role: str) -> UUID | None:
    job = job_of(work, role)
    return next((by for name, by in reversed(work.done_roles.items()) if job and job_of(work, name) == job), None)


def _case_handler(work: Work, role: str) -> UUID | None:
    """The case's 承办人, for a step of that job on which nobody has worked yet: a process that began by itself is theirs."""
    handler, wanted = work.case["handler_id"], work.app.catalogue.kind(work.case["kind"]).handler
    return handler if handler and wanted and work.instance["started_by"] is None and job_of(work, role) == job_of(work, wanted) else None


def job_of(work: Work, role: str) -> tuple[str, str, str] | None:
    """What holding ``role`` takes, or None for a role no pack declares any more."""
    pack = work.app.catalogue.packs.get(role.split(".", 1)[0])
    found = pack.roles.get(role) if pack else None
    return found.job if found else None


def takers_of(work: Work, wait: Wait, asked: Row) -> Takers:
    """Who gets the step: one person by name, or the pool of its role."""
    if _kind(work, asked["role"]) == "party":
        return _party(work, asked.get("party"))
    straight, unit = _straight(work, wait), asked.get("unit")
    assignee = straight or assignee_of(work, wait, asked)
    if assignee is not None and (straight or asked.get("assignee")):
        return Takers(assignee=assignee, people=_active(work, assignee))
    if assignee is not None and not unit:
        own = _scope(work, asked["role"]) == "own"
        people = _active(work, assignee, of_unit=own)
        if people or not own:
            return Takers(assignee=assignee, people=people)
        assignee = _case_handler(work, asked["role"])  # the case went to another unit since, or they did
    found = _pool(work, asked["role"], UUID(str(unit)) if unit else None)
    still_there = [(id, name) for id, name in found.people if id == assignee]  # whoever did it before, unless the step went to another unit
    return Takers(assignee=assignee, people=still_there) if still_there else Takers(pool=found.pairs, people=found.people)


def _pool(work: Work, role: str, unit_id: UUID | None) -> assignment.Pool:
    """The holders of a role; looked up once for all the cases that one job makes."""
    place = (role, work.case["unit_id"], unit_id)
    found = work.pools.get(place) if work.pools is not None else None
    if found is None:
        found = assignment.pool(work.connection, role=role, case_unit_id=work.case["unit_id"], on=work.today, unit_id=unit_id)
        if work.pools is not None:
            work.pools[place] = found
    return found


def _kind(work: Work, role: str) -> str:
    pack = work.app.catalogue.packs.get(role.split(".", 1)[0])
    found = pack.roles.get(role) if pack else None
    return found.kind if found else "post"


def _party(work: Work, given: Any) -> Takers:
    """The party of this case with the id ``given``; nobody when it is not one."""
    wanted = select(case_party.c.party_id, case_party.c.snapshot["name"].astext).where(
        case_party.c.case_id == work.case["id"], case_party.c.party_id == UUID(str(given or UUID(int=0)))).order_by(case_party.c.at.desc()).limit(1)
    row = work.connection.execute(wanted).one_or_none()
    return Takers(people=[]) if row is None else Takers(party=row[0], people=[(row[0], row[1])])


def _straight(work: Work, wait: Wait) -> UUID | None:
    """Whoever returned the case and gets it straight back, while still on duty."""
    person_id, _ = work.straight.get(wait.engine_id, (None, ""))
    return person_id if person_id is not None and _active(work, person_id) else None


def _scope(work: Work, role: str) -> str:
    pack = work.app.catalogue.packs.get(role.split(".", 1)[0])
    found = pack.roles.get(role) if pack else None
    return found.scope if found else ""


def _active(work: Work, assignee: UUID, *, of_unit: bool = False) -> list[tuple[UUID, str]]:
    """Id and name of ``assignee`` while on duty; with ``of_unit`` only while they hold a post of the unit that has the case."""
    if work.actor is not None and assignee == work.actor.person_id and (not of_unit or work.actor.unit_id == work.case["unit_id"]):
        return [(assignee, work.actor.name)]
    query = select(person.c.id, person.c.name).where(person.c.id == assignee, person.c.active)
    if of_unit:
        here = select(post.c.id).where(post.c.person_id == assignee, post.c.unit_id == work.case["unit_id"], holds_on(work.today))
        query = query.where(here.exists())
    return [(row.id, row.name) for row in work.connection.execute(query)]


def task_row(work: Work, wait: Wait, asked: Row, takers: Takers) -> dict[str, Any]:
    due_on, clock = due_day(work, wait, asked["due"]) if asked.get("due") else (None, None)
    return {
        "id": new_id(), "instance_id": work.instance["id"], "case_id": work.case["id"], "engine_id": wait.engine_id, "node": wait.node,
        "process": wait.process, "scope": wait.scope, "title": asked["title"], "role": asked["role"], "role_title": asked["role_title"],
        "status": "open", "form": asked.get("form"), "assignee_id": takers.assignee, "party_id": takers.party, "from_id": work.actor_id, "from_name": work.actor_name,
        "from_words": work.opinion, "returned": work.returned, "straight_to": straight_to(work, wait.engine_id), "due_on": due_on, "clock": clock, "opened_at": work.at,
        "unit_id": work.case["unit_id"], "district_id": work.case["district_id"], "rev": 0,
        "deputies": deputies_may(process_of(work.app, work.instance, wait.process), wait.node),
    }


def _tell(work: Work, row: Row, people: list[tuple[UUID, str]]) -> None:
    words = f"{work.actor_name}{'退回' if work.returned else '送来'}：{row['title']}　{work.case['title']}"
    for id, _ in people:
        if id != work.actor_id:
            work.notices.append({"id": new_id(), "person_id": id, "kind": "task", "text": words, "link": f"/tasks/{row['id']}",
                                 "case_id": work.case["id"], "task_id": row["id"], "at": work.at})


def cancel_tasks(work: Work, engine_ids: Iterable[str]) -> None:
    """Close rows of waits that are gone without having been completed (boundary event, return, cancellation)."""
    gone = sorted(engine_ids)
    if gone:
        of_instance = task.c.instance_id == work.instance["id"]
        work.batch.add(update(task).where(of_instance, task.c.engine_id.in_(gone), task.c.status == "open").values(status="cancelled", ended_at=work.at))
        work.batch.add(drop_signers(task_signer.c.task_id.in_(select(task.c.id).where(of_instance, task.c.engine_id.in_(gone)))))
        work.batch.add(
            update(task_candidate).values(open=False).where(
                task_candidate.c.open, task_candidate.c.task_id.in_(select(task.c.id).where(of_instance, task.c.engine_id.in_(gone)))
            )
        )


def reassign(work: Work, wait: Wait) -> None:
    """Look again for somebody who can do an open task whose first search found nobody."""
    asked = attributes_of(work, wait)
    takers = takers_of(work, wait, asked)
    if not takers.people:
        raise Conflict(f"仍然没有人担任{asked['role_title'] or asked['role']}，请先在组织机构里配好人员。")
    found = work.connection.execute(
        update(task).where(task.c.instance_id == work.instance["id"], task.c.engine_id == wait.engine_id).values(assignee_id=takers.assignee, party_id=takers.party).returning(task)
    ).mappings().one()
    rows = [{"task_id": found["id"], "unit_id": unit, "post": code, "open": True} for unit, code in takers.pool]
    if rows:
        work.batch.add(insert(task_candidate).values(rows).on_conflict_do_nothing())
    if takers.party is None:
        _tell(work, dict(found), takers.people)
