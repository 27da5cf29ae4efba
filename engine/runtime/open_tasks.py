"""Turn user-task waits into task rows: form, role, who gets it, when it is due, who is told."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access import assignment
from engine.deadlines.due import compute
from engine.deadlines.rules import ClockRule
from engine.kernel.errors import Conflict
from engine.kernel.ids import new_id
from engine.reference import calendars
from engine.runtime.advance import open_incident
from engine.runtime.bpmn.waits import Wait
from engine.runtime.close_task import drop_signers
from engine.runtime.work import Row, TaskBrief, Work
from engine.storage.tables.organisation import person
from engine.storage.tables.runtime import task, task_candidate, task_signer


@dataclass(frozen=True, kw_only=True)
class Takers:
    """``assignee`` or, without one, the ``pool`` of (unit id, post code); ``people`` are (id, name) of all who will see the step."""

    assignee: UUID | None = None
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
    row = task_row(work, wait, asked, takers.assignee)
    work.batch.insert(task, row)
    work.batch.insert(task_candidate, [{"task_id": row["id"], "unit_id": unit, "post": code, "open": True} for unit, code in takers.pool])
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
    """A named person, whoever did this node before, or whoever did the same job before on this instance (``gc:remember``)."""
    if asked.get("assignee"):
        return UUID(str(asked["assignee"]))
    if str(asked.get("remember", "true")) == "false":
        return None
    before = work.done_by.get(f"{wait.scope}/{wait.node}")
    return before or (None if asked.get("unit") else work.done_roles.get(asked["role"]) or _same_job(work, asked["role"]))


def _same_job(work: Work, role: str) -> UUID | None:
    job = job_of(work, role)
    return next((by for name, by in reversed(work.done_roles.items()) if job and job_of(work, name) == job), None)


def job_of(work: Work, role: str) -> tuple[str, str, str] | None:
    """What holding ``role`` takes, or None for a role no pack declares any more."""
    pack = work.app.catalogue.packs.get(role.split(".", 1)[0])
    found = pack.roles.get(role) if pack else None
    return found.job if found else None


def takers_of(work: Work, wait: Wait, asked: Row) -> Takers:
    """Who gets the step: one person by name, or the pool of its role."""
    assignee = assignee_of(work, wait, asked)
    if assignee is not None:
        return Takers(assignee=assignee, people=_active(work, assignee))
    unit = asked.get("unit")
    found = assignment.pool(
        work.connection, role=asked["role"], case_unit_id=work.case["unit_id"], on=work.today, unit_id=UUID(str(unit)) if unit else None,
    )
    return Takers(pool=found.pairs, people=found.people)


def _active(work: Work, assignee: UUID) -> list[tuple[UUID, str]]:
    if work.actor is not None and assignee == work.actor.person_id:
        return [(assignee, work.actor.name)]
    rows = work.connection.execute(select(person.c.id, person.c.name).where(person.c.id == assignee, person.c.active))
    return [(row.id, row.name) for row in rows]


def task_row(work: Work, wait: Wait, asked: Row, assignee: UUID | None) -> dict[str, Any]:
    due = asked.get("due")
    return {
        "id": new_id(), "instance_id": work.instance["id"], "case_id": work.case["id"], "engine_id": wait.engine_id, "node": wait.node,
        "process": wait.process, "scope": wait.scope, "title": asked["title"], "role": asked["role"], "role_title": asked["role_title"],
        "status": "open", "form": asked.get("form"), "assignee_id": assignee, "from_id": work.actor_id, "from_name": work.actor_name,
        "from_words": work.opinion, "returned": work.returned, "due_on": _due(work, due) if due else None, "opened_at": work.at,
        "unit_id": work.case["unit_id"], "district_id": work.case["district_id"], "rev": 0,
    }


def _due(work: Work, text: str) -> Any:
    """The last day of ``3 working_day`` from today."""
    amount, unit = text.split()
    return compute(ClockRule(amount=int(amount), unit=unit), work.today, [], calendar=calendars.load(work.connection)).due


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
        update(task).where(task.c.instance_id == work.instance["id"], task.c.engine_id == wait.engine_id).values(assignee_id=takers.assignee).returning(task)
    ).mappings().one()
    rows = [{"task_id": found["id"], "unit_id": unit, "post": code, "open": True} for unit, code in takers.pool]
    if rows:
        work.batch.add(insert(task_candidate).values(rows).on_conflict_do_nothing())
    _tell(work, dict(found), takers.people)
