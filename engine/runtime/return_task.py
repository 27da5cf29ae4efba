"""退回: put the case back at an earlier step that its holder chooses among the legal ones.

Legal = visited ∩ structurally safe (computed at deploy) ∩ what the node names in ``gc:returns`` ∩ the return policy
in force (data-model; requirements digest of the penalty rows, trap 1).
"""
from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from engine.access.actors import Actor
from engine.kernel.errors import Invalid
from engine.runtime.advance import advance
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_task, load_machine, request_hash
from engine.runtime.bpmn.machine import Machine
from engine.runtime.close_task import close_task
from engine.runtime.locate import lock_task, require_holder, require_open
from engine.runtime.nodes import node_of, process_of
from engine.runtime.once import once
from engine.runtime.redo import STRAIGHT, Passed, below, chosen_way, keep_plan, passed_over, plan_return, ways
from engine.runtime.settle import settle
from engine.runtime.signers import require_free
from engine.runtime.undo import documents_of, fate_of, undo_documents
from engine.runtime.work import ActResult, Row, Work
from engine.storage.tables.organisation import person
from engine.storage.tables.runtime import submission, task

POLICIES = ("direct", "applicant", "stepwise", "none")


@dataclass(frozen=True, kw_only=True)
class ReturnTarget:
    """One place to return to: who will get it, which steps that undoes, and what becomes of the documents made since.

    ``ways``: what may follow the redo (``redo.WORDS``), the default first. ``voids``: drafts that become void; ``withdraws``: issued or sealed
    documents that are withdrawn; ``stands``: served ones that nothing undoes.
    """

    node: str
    title: str
    person: str
    role_title: str
    undoes: tuple[str, ...]
    ways: tuple[str, ...]
    voids: tuple[str, ...] = ()
    withdraws: tuple[str, ...] = ()
    stands: tuple[str, ...] = ()


def return_targets(app: Application, *, actor: Actor, task_id: UUID) -> list[ReturnTarget]:
    """Where the holder of ``task_id`` may return it to, nearest step first."""
    with app.db.connect() as connection:
        task_row, instance_row, _ = lock_task(connection, task_id=task_id, key="", actor=actor)
        require_holder(task_row, actor)
        machine = load_machine(app, instance_row, app.clock.now())
        visited = visited_steps(connection, instance_row["id"], task_row["scope"], machine)
        facts = machine.facts(task_row["engine_id"])
        allowed = ways(process_of(app, instance_row, task_row["process"]), node_of(app, instance_row, task_row), facts)
        made = documents_of(connection, instance_row["id"])
        return [_target(step, visited, allowed, made) for step in legal_targets(app, instance_row, task_row, facts, visited)]


def visited_steps(connection: Any, instance_id: UUID, scope: str, machine: Machine) -> list[Row]:
    """The last finished task of each node in ``scope``, newest first (act ids are in the order of time).

    A step that a later redo passed over counts as done in that redo: ``order`` says what came after what, ``since`` from when on.
    """
    rows = connection.execute(
        select(task.c.node, task.c.title, task.c.role_title, task.c.ended_by, task.c.ended_at, task.c.act_id, person.c.name)
        .join(person, person.c.id == task.c.ended_by)
        .where(task.c.instance_id == instance_id, task.c.scope == scope, task.c.status == "done")
        .distinct(task.c.node).order_by(task.c.node, task.c.act_id.desc())
    ).mappings()
    passed = passed_over(machine)
    return sorted((_placed(dict(row), passed.get(f"{scope}/{row['node']}")) for row in rows), key=lambda row: row["order"], reverse=True)


def _placed(row: Row, passed: Passed | None) -> Row:
    if passed is None:
        return row | {"order": (row["act_id"], False, row["act_id"]), "since": row["ended_at"]}
    return row | {"order": (passed.act_id, True, row["act_id"]), "since": passed.at + timedelta(microseconds=1)}


def legal_targets(app: Application, instance_row: Row, task_row: Row, facts: dict[str, Any], visited: list[Row]) -> list[Row]:
    """The visited steps that policy and structure allow."""
    process = process_of(app, instance_row, task_row["process"])
    node = node_of(app, instance_row, task_row)
    safe = set(process.targets.get(task_row["node"], ()))
    allowed = [row for row in visited if row["node"] in safe and row["node"] != task_row["node"]]
    if node.returns is not None:
        allowed = [row for row in allowed if row["node"] in node.returns]
    return narrow(allowed, policy_of(process, node, facts))


def policy_of(process: Any, node: Any, facts: dict[str, Any]) -> str:
    """The return policy at a node: its own, else the process's; ``=name`` reads a parameter, one not given counts as not said."""
    declared = (node.attributes.get("policy"), process.model.attributes.get("policy"))
    said = (facts.get(text[1:]) if text.startswith("=") else text for text in declared if text)
    value = next((str(word) for word in said if word), "direct")
    return value if value in POLICIES else "direct"


def narrow(allowed: list[Row], policy: str) -> list[Row]:
    """``applicant``: only where the chain began; ``stepwise``: only the step before; ``direct``: all; ``none``: nowhere."""
    if policy == "none":
        return []
    if not allowed or policy == "direct":
        return allowed
    return [min(allowed, key=lambda row: row["order"])] if policy == "applicant" else [allowed[0]]


def _target(step: Row, visited: list[Row], allowed: tuple[str, ...], made: list[Mapping[str, Any]]) -> ReturnTarget:
    undone = tuple(row["title"] for row in visited if row["order"] >= step["order"])
    since = [row for row in made if row["created_at"] >= step["since"]]

    def named(fate: str) -> tuple[str, ...]:
        return tuple(row["title"] + (f"（{row['number']}）" if row["number"] else "") for row in since if fate_of(row) == fate)

    return ReturnTarget(node=step["node"], title=step["title"], person=step["name"], role_title=step["role_title"], undoes=undone, ways=allowed,
                        voids=named("void"), withdraws=named("withdrawn"), stands=named("served"))


@once
def return_task(app: Application, *, actor: Actor, task_id: UUID, to_node: str, opinion: str, key: str, at: datetime, then: str | None = None) -> ActResult:
    """Return ``task_id`` to ``to_node``; whoever did that step gets it back with their answers as a draft.

    ``then``: ``again`` (every step once more) or ``straight`` (back to the actor at once, see ``redo``); None takes the process's default.
    Raises Invalid without an opinion or for an illegal target, AlreadyDone, Forbidden. Unsealed documents made since
    become void, sealed ones withdrawn with the opinion as reason.
    """
    asked = request_hash(kind="return", task=task_id, to=to_node, opinion=opinion, **({"then": then} if then else {}))
    with app.db.begin() as connection:
        work = begin_on_task(app, connection, kind="return", actor=actor, task_id=task_id, key=key, asked=asked, at=at)
        if isinstance(work, ActResult):
            return work
        assert work.task is not None
        require_open(connection, work.task)
        require_holder(work.task, actor)
        require_free(work.task)
        if not opinion.strip():
            raise Invalid("退回要写明理由。", fields={"opinion": "请写明要补正什么，对方会第一眼看到。"})
        target = _choose(work, to_node)
        work.opinion, work.returned = opinion.strip(), True
        way = chosen_way(_ways(work), then)
        work.outcome, work.outcome_title = "return", f"退回{target['title']}{'，办好后直接送回' if way == STRAIGHT else ''}"
        passed = list(passed_over(work.machine).values())
        plan = plan_return(work, target, way)
        _undo_since(work, target, [step[0] for step in plan["steps"].values()] if plan else [], passed)
        work.done_by[f"{work.task['scope']}/{target['node']}"] = target["ended_by"]
        token = work.machine.jump([work.task["engine_id"]], to_node, scope=work.task["scope"], now=work.at)
        if plan is not None:
            keep_plan(work, plan, token)
        advance(work)
        close_task(work)
        return settle(work, done={work.task["engine_id"]})


def _ways(work: Work) -> tuple[str, ...]:
    assert work.task is not None
    facts = work.machine.facts(work.task["engine_id"])
    return ways(process_of(work.app, work.instance, work.task["process"]), node_of(work.app, work.instance, work.task), facts)


def _choose(work: Work, to_node: str) -> Row:
    assert work.task is not None
    visited = visited_steps(work.connection, work.instance["id"], work.task["scope"], work.machine)
    legal = legal_targets(work.app, work.instance, work.task, work.machine.facts(work.task["engine_id"]), visited)
    for step in legal:
        if step["node"] == to_node:
            return step
    titles = "、".join(step["title"] for step in legal)
    raise Invalid(f"不能退回到这一步，可以退回：{titles}。" if titles else "这一步没有可以退回的地方。", fields={"to_node": "请从列出的步骤里选。"})


def _undo_since(work: Work, target: Row, kept: Collection[str], passed: Collection[Passed]) -> None:
    """Answers given since the target step no longer count, but for those of the tasks ``kept``; documents made from them are void or withdrawn."""
    assert work.task is not None
    again = [one.task_id for one in passed if (one.act_id, True) >= target["order"][:2]]
    late = task.c.act_id > target["order"][0] if target["order"][1] else task.c.act_id >= target["act_id"]
    redone = select(task.c.id).where(
        task.c.instance_id == work.instance["id"], below(work.task["scope"]), task.c.status == "done", late | task.c.id.in_(again),
        task.c.id.not_in([UUID(id) for id in kept]),
    )
    ids = work.connection.execute(
        update(submission).where(submission.c.task_id.in_(redone), submission.c.superseded.is_(False)).values(superseded=True).returning(submission.c.id)
    ).scalars().all()
    work.undo.append({"op": "superseded", "ids": [str(id) for id in ids]})
    work.irreversible = undo_documents(work, since=target["since"], reason=work.opinion)
