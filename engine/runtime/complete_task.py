"""Complete a user task: check the answers, keep them, move the case on. One transaction."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from engine.access.actors import Actor
from engine.deadlines.rights import require_not_over
from engine.form_filling.model import Form
from engine.kernel.errors import Invalid
from engine.runtime import redo
from engine.runtime.advance import advance
from engine.runtime.answers import Answers, check_answers, form_of_task, keep_answers
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_task, request_hash
from engine.runtime.certified import require_certified
from engine.runtime.close_task import close_task
from engine.runtime.locate import require_holder, require_open
from engine.runtime.nodes import Outcome, outcome_of
from engine.runtime.once import once
from engine.runtime.open_tasks import job_of
from engine.runtime.settle import settle, stand
from engine.runtime.signers import keep_held, open_after, planned_after, require_free
from engine.runtime.work import ActResult, Row, Work

Reader = Callable[[Form | None], Mapping[str, Any]]


@once
def complete_task(
    app: Application, *, actor: Actor, task_id: UUID, data: Mapping[str, Any] | Reader, outcome: str, opinion: str = "", key: str, at: datetime,
    form_hash: str | None = None,
) -> ActResult:
    """Finish ``task_id`` with ``outcome`` and the answers in ``data``, or what ``data`` reads by the form that the task is pinned to.

    Raises NotFound, Forbidden, AlreadyDone, Conflict (key used for another request), StaleRevision (the form shown
    was another version), Invalid (with one message per field). Nothing is changed when it raises.
    """
    answers: Mapping[str, Any] = {}

    def asked(instance: Row, task: Row) -> str:
        nonlocal answers
        answers = data(form_of_task(app, instance, task)) if callable(data) else data
        return request_hash(kind="complete", task=task_id, data=answers, outcome=outcome, opinion=opinion)

    with app.db.begin() as connection:
        work = begin_on_task(app, connection, kind="complete", actor=actor, task_id=task_id, key=key, asked=asked, at=at)
        if isinstance(work, ActResult):
            return work
        assert work.task is not None
        require_open(connection, work.task)
        require_holder(work.task, actor)
        require_free(work.task)
        if planned_after(work.task) and outcome_of(work, outcome).kind != "return":
            return hold_completion(work, data=answers, outcome=outcome, opinion=opinion, form_hash=form_hash)
        return finish(work, data=answers, outcome=outcome, opinion=opinion, form_hash=form_hash)


def finish(work: Work, *, data: Mapping[str, Any], outcome: str, opinion: str, form_hash: str | None = None) -> ActResult:
    """The part of completing that starting a case shares: the task row is known and locked."""
    assert work.task is not None
    chosen, answers = check_completion(work, data=data, outcome=outcome, opinion=opinion, form_hash=form_hash)
    work.returned = chosen.kind == "return"
    work.irreversible = chosen.irreversible
    keep_answers(work, answers)
    _move(work, answers, chosen.kind)
    close_task(work)
    return settle(work, done={work.task["engine_id"]})


def check_completion(work: Work, *, data: Mapping[str, Any], outcome: str, opinion: str, form_hash: str | None) -> tuple[Outcome, Answers]:
    """The chosen button and the checked answers; what the history entry says is set on ``work``. Raises Invalid, StaleRevision, Forbidden (no certificate)."""
    chosen = outcome_of(work, outcome)
    if chosen.kind != "return":
        require_certified(work)
    require_not_over(work.connection, case_id=work.case["id"], acts=_acts(work, chosen), at=work.at)
    answers = check_answers(work, data=data, outcome=chosen, form_hash=form_hash)
    work.opinion = opinion or answers.opinion
    _require_opinion(chosen, work.opinion)
    work.outcome, work.outcome_title = chosen.value, chosen.title
    return chosen, answers


def _acts(work: Work, chosen: Outcome) -> tuple[str, ...]:
    """What a clock may forbid here: the button, and the step unless it is handed back; in the process drawn and in the one that runs."""
    assert work.task is not None
    steps = [f"{process}/{work.task['node']}" for process in (work.task["process"], work.instance["process"])]
    return (*(f"{step}/{chosen.value}" for step in steps), *(steps if chosen.kind != "return" else ()))


def hold_completion(work: Work, *, data: Mapping[str, Any], outcome: str, opinion: str, form_hash: str | None) -> ActResult:
    """加签 after: what was submitted is checked and kept; it takes effect once every colleague asked agrees."""
    assert work.task is not None
    chosen, _ = check_completion(work, data=data, outcome=outcome, opinion=opinion, form_hash=form_hash)
    names = open_after(work)
    work.kind, work.outcome_title = "hold", f"{chosen.title}，待{'、'.join(names)}同意后生效"
    keep_held(work, data=data, outcome=outcome, opinion=opinion, form_hash=form_hash)
    return stand(work)


def _require_opinion(chosen: Outcome, opinion: str) -> None:
    if chosen.opinion == "required" and not opinion.strip():
        raise Invalid(f"“{chosen.title}”要写明意见。", fields={"opinion": f"请写明{chosen.title}的理由，对方会第一眼看到。"})


def _move(work: Work, answers: Answers, kind: str) -> None:
    assert work.task is not None and work.actor is not None
    done_for = work.principal[0] if work.principal else work.actor.person_id
    work.done_by[f"{work.task['scope']}/{work.task['node']}"] = done_for
    work.done_roles[work.task["role"]] = done_for
    _become_handler(work)
    facts = {**answers.facts, "outcome": work.outcome}
    redo.completed(work, kind)
    work.machine.complete(work.task["engine_id"], facts, now=work.at)
    advance(work)


def _become_handler(work: Work) -> None:
    """Whoever does the job that the kind of case names becomes its 承办人; in another unit than the case's it is another's job."""
    assert work.task is not None and work.actor is not None
    wanted = work.app.catalogue.kind(work.case["kind"]).handler
    job = job_of(work, wanted) if wanted else None
    elsewhere = job is not None and job[2] == "own" and not work.principal and work.case["unit_id"] not in {unit for unit, _ in work.actor.posts}
    if job is not None and not elsewhere and job == job_of(work, work.task["role"]):
        work.change_case(handler_id=work.principal[0] if work.principal else work.actor.person_id)
