"""Before submitting: who will get the case next. The machine runs ahead in memory; nothing is written."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from engine.access.actors import Actor
from engine.kernel.errors import GuichengError
from engine.runtime import redo
from engine.runtime.advance import arguments_of, call, context_of
from engine.runtime.application import Application
from engine.runtime.begin import load_machine
from engine.runtime.bpmn.machine import Machine
from engine.runtime.bpmn.waits import ServiceWait, UserWait
from engine.runtime.locate import lock_task, peek_case
from engine.runtime.nodes import outcome_of, process_of
from engine.runtime.open_tasks import attributes_of, takers_of
from engine.runtime.work import TaskBrief, Work

MOST_STEPS = 50


def preview_next(
    app: Application, *, actor: Actor, task_id: UUID, outcome: str, at: datetime, facts: Mapping[str, Any] | None = None
) -> list[TaskBrief]:
    """The tasks that would open if ``task_id`` were completed with ``outcome`` now; empty when the case would rest or end.

    Automatic steps count as passed without a result, so a branch that hangs on one is not foretold. Empty as
    well where whom it goes to is still to be filled in. Never raises for what the process itself can't foresee.
    """
    with app.db.connect() as connection:
        task, instance, _ = lock_task(connection, task_id=task_id, key="", actor=actor)
        case = peek_case(connection, task["case_id"])
        machine = load_machine(app, instance, at)
        work = Work(
            app=app, connection=connection, kind="preview", key="", at=at, actor=actor, case=case, instance=instance, machine=machine,
            waits_before=machine.waits(), task=task, done_by=instance["done_by"], done_roles=instance["done_roles"],
        )
        try:
            redo.completed(work, outcome_of(work, outcome).kind)
            return _run_ahead(work, machine, {**(facts or {}), "outcome": outcome})
        except (GuichengError, TypeError, ValueError, KeyError):
            # A handler on the way wants what nobody has filled in yet.
            return []
        finally:
            connection.rollback()


def _run_ahead(work: Work, machine: Machine, facts: Mapping[str, Any]) -> list[TaskBrief]:
    assert work.task is not None and work.actor is not None
    before = {wait.engine_id for wait in work.waits_before.user_tasks}
    standing = {wait.engine_id for wait in work.waits_before.services}
    work.done_by[f"{work.task['scope']}/{work.task['node']}"] = work.actor.person_id
    work.done_roles[work.task["role"]] = work.actor.person_id
    machine.complete(work.task["engine_id"], facts, now=work.at)
    for _ in range(MOST_STEPS):
        machine.advance(now=work.at)
        waits = machine.waits()
        services = [wait for wait in waits.services if wait.engine_id not in standing]
        if not services and not redo.pass_over(work, waits):
            break
        for wait in services:
            machine.complete(wait.engine_id, _foresee(work, wait), now=work.at)
    found = [wait for wait in machine.waits().user_tasks if wait.engine_id not in before]
    return [] if any(_open_choice(work, wait) for wait in found) else [_brief(work, wait) for wait in found]


def _open_choice(work: Work, wait: UserWait) -> bool:
    """Whether the diagram names the unit or the person of the step by something that is still to be filled in."""
    drawn = process_of(work.app, work.instance, wait.process).nodes[wait.node].attributes
    asked = work.machine.wait_attributes(wait)
    return any(drawn.get(name) and not asked.get(name) for name in ("unit", "assignee"))


def _foresee(work: Work, wait: ServiceWait) -> dict[str, Any]:
    """What a pure handler would answer; nothing for one that does more than compute."""
    handler = work.app.service_tasks.find(wait.handler)
    if handler is None or not handler.pure:
        return {}
    return call(handler, context_of(work, wait), arguments_of(wait, handler))


def _brief(work: Work, wait: Any) -> TaskBrief:
    asked = attributes_of(work, wait)
    people = takers_of(work, wait, asked).people
    mine = any(id == work.actor_id for id, _ in people)
    return TaskBrief(id=UUID(wait.engine_id), title=asked["title"], role_title=asked["role_title"], people=tuple(name for _, name in people), mine=mine)

