"""退回: put the case back at an earlier step that its holder chooses among the legal ones.

Legal = visited ∩ structurally safe (computed at deploy) ∩ what the node names in ``gc:returns`` ∩ the return policy
in force (data-model; requirements digest of the penalty rows, trap 1).
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from engine.access.actors import Actor
from engine.kernel.errors import Invalid
from engine.runtime.advance import advance
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_task, load_machine, request_hash
from engine.runtime.close_task import close_task
from engine.runtime.locate import lock_task, require_holder, require_open
from engine.runtime.nodes import node_of, process_of
from engine.runtime.once import once
from engine.runtime.settle import settle
from engine.runtime.signers import require_free
from engine.runtime.undo import undo_documents
from engine.runtime.work import ActResult, Row, Work
from engine.storage.tables.organisation import person
from engine.storage.tables.runtime import submission, task

POLICIES = ("direct", "applicant", "stepwise", "none")


@dataclass(frozen=True, kw_only=True)
class ReturnTarget:
    """One place to return to: who will get it and which steps must then be done again."""

    node: str
    title: str
    person: str
    role_title: str
    undoes: tuple[str, ...]


def return_targets(app: Application, *, actor: Actor, task_id: UUID) -> list[ReturnTarget]:
    """Where the holder of ``task_id`` may return it to, nearest step first."""
    with app.db.connect() as connection:
        task_row, instance_row, _ = lock_task(connection, task_id=task_id, key="", actor=actor)
        require_holder(task_row, actor)
        visited = visited_steps(connection, instance_row["id"], task_row["scope"])
        machine = load_machine(app, instance_row, app.clock.now())
        legal = legal_targets(app, instance_row, task_row, machine.facts(task_row["engine_id"]), visited)
        return [_target(step, visited) for step in legal]


def visited_steps(connection: Any, instance_id: UUID, scope: str) -> list[Row]:
    """The last finished task of each node in ``scope``, newest first (act ids are in the order of time)."""
    rows = connection.execute(
        select(task.c.node, task.c.title, task.c.role_title, task.c.ended_by, task.c.ended_at, task.c.act_id, person.c.name)
        .join(person, person.c.id == task.c.ended_by)
        .where(task.c.instance_id == instance_id, task.c.scope == scope, task.c.status == "done")
        .distinct(task.c.node).order_by(task.c.node, task.c.act_id.desc())
    ).mappings()
    return sorted((dict(row) for row in rows), key=lambda row: row["act_id"], reverse=True)


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
    return [min(allowed, key=lambda row: row["act_id"])] if policy == "applicant" else [allowed[0]]


def _target(step: Row, visited: list[Row]) -> ReturnTarget:
    undone = tuple(row["title"] for row in visited if row["act_id"] >= step["act_id"])
    return ReturnTarget(node=step["node"], title=step["title"], person=step["name"], role_title=step["role_title"], undoes=undone)


@once
def return_task(app: Application, *, actor: Actor, task_id: UUID, to_node: str, opinion: str, key: str, at: datetime) -> ActResult:
    """Return ``task_id`` to ``to_node``; whoever did that step gets it back with their answers as a draft.

    Raises Invalid without an opinion or for an illegal target, AlreadyDone, Forbidden. Unsealed documents made since
    become void, sealed ones withdrawn with the opinion as reason.
    """
    asked = request_hash(kind="return", task=task_id, to=to_node, opinion=opinion)
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
        work.outcome, work.outcome_title = "return", f"退回{target['title']}"
        _undo_since(work, target)
        work.done_by[f"{work.task['scope']}/{target['node']}"] = target["ended_by"]
        work.machine.jump([work.task["engine_id"]], to_node, scope=work.task["scope"], now=work.at)
        advance(work)
        close_task(work)
        return settle(work, done={work.task["engine_id"]})


def _choose(work: Work, to_node: str) -> Row:
    assert work.task is not None
    visited = visited_steps(work.connection, work.instance["id"], work.task["scope"])
    legal = legal_targets(work.app, work.instance, work.task, work.machine.facts(work.task["engine_id"]), visited)
    for step in legal:
        if step["node"] == to_node:
            return step
    titles = "、".join(step["title"] for step in legal)
    raise Invalid(f"不能退回到这一步，可以退回：{titles}。" if titles else "这一步没有可以退回的地方。", fields={"to_node": "请从列出的步骤里选。"})


def _undo_since(work: Work, target: Row) -> None:
    """Answers given since the target step no longer count; documents made from them are void or withdrawn."""
    assert work.task is not None
    redone = (
        select(task.c.id).where(task.c.instance_id == work.instance["id"], task.c.scope == work.task["scope"], task.c.status == "done",
                                task.c.act_id >= target["act_id"])
    )
    ids = work.connection.execute(
        update(submission).where(submission.c.task_id.in_(redone), submission.c.superseded.is_(False)).values(superseded=True).returning(submission.c.id)
    ).scalars().all()
    work.undo.append({"op": "superseded", "ids": [str(id) for id in ids]})
    work.irreversible = undo_documents(work, since=target["ended_at"], reason=work.opinion)
