"""How every verb begins: a known key is answered from history, else rows are locked and the machine is loaded."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, select

from engine.access.actors import Actor
from engine.kernel.errors import Conflict
from engine.kernel.gm import sm3_hex
from engine.runtime.allowed import allowed_acts
from engine.runtime.application import Application
from engine.runtime.bpmn.machine import Machine
from engine.runtime.bundles import process_for
from engine.runtime.decide import decider
from engine.runtime.locate import lock_case_and_task, lock_case_of_instance, lock_instance
from engine.runtime.work import ActResult, Row, TaskBrief, Work
from engine.storage.tables.runtime import act

PASSING = frozenset({"resume", "fanout", "end_item", "service", "timer", "message", "migrate", "unmigrate", "terminate", "restore", "repair"})
"""What may begin on a suspended instance; timers and messages then find that they have to wait. What an operator does leaves it suspended."""


Asking = Callable[[Row, Row], str]
ASKED = 32
"""Hexadecimal digits of a request's digest that are kept: 128 bits tell requests under one key apart."""


def request_hash(**parts: Any) -> str:
    """SM3 over what was asked, so that one key can't stand for two different requests."""
    return sm3_hex(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS, default=str))[:ASKED]


def replay(earlier: Mapping[str, Any], *, asked: str, actor: Actor | None) -> ActResult:
    """The result that an act with this key had; raises Conflict when it was another request."""
    if earlier["request_hash"][:ASKED] != asked[:ASKED] or (actor and earlier["actor_id"] != str(actor.person_id)):
        raise Conflict("这个提交编号已经用在另一次办理上。请刷新页面后重新提交，已填写的内容仍在草稿里。", code="key_reused")
    result = earlier["result"]
    briefs = tuple(TaskBrief(id=UUID(b["id"]), title=b["title"], role_title=b["role_title"], people=tuple(b["people"]), mine=b["mine"]) for b in result.get("next", ()))
    instance_id = UUID(earlier["instance_id"]) if earlier["instance_id"] else None
    return ActResult(act_id=UUID(earlier["id"]), case_id=UUID(earlier["case_id"]), instance_id=instance_id, next_tasks=briefs,
                     completed=bool(result.get("completed")), replayed=True, title=earlier["title"])


def begin_on_task(
    app: Application, connection: Connection, *, kind: str, actor: Actor, task_id: UUID, key: str, asked: str | Asking, at: datetime
) -> Work | ActResult:
    """Lock case and instance of the task; a Work, or the earlier result when ``key`` was used before.

    ``asked`` is the digest of what is asked, or tells it from the rows of instance and task.
    """
    case, task, instance, earlier = lock_case_and_task(connection, task_id=task_id, key=key, actor=actor)
    asked = asked if isinstance(asked, str) else asked(instance, task)
    if earlier is not None:
        return replay(earlier, asked=asked, actor=actor)
    if task["principal"] and "deputy" not in allowed_acts(app, instance, task):
        task["principal"] = None
    return _work(app, connection, kind=kind, actor=actor, key=key, asked=asked, at=at, case=case, instance=instance, task=task)


def begin_on_instance(
    app: Application, connection: Connection, *, kind: str, actor: Actor | None, instance_id: UUID, key: str, asked: str, at: datetime
) -> Work | ActResult:
    """Lock case and instance; a Work, or the earlier result when ``key`` was used before."""
    case = lock_case_of_instance(connection, instance_id)
    instance, earlier = lock_instance(connection, instance_id=instance_id, key=key)
    if earlier is not None:
        return replay(earlier, asked=asked, actor=actor)
    return _work(app, connection, kind=kind, actor=actor, key=key, asked=asked, at=at, case=case, instance=instance, task=None)


def _work(
    app: Application, connection: Connection, *, kind: str, actor: Actor | None, key: str, asked: str, at: datetime, case: Row, instance: Row,
    task: Row | None,
) -> Work:
    if instance["status"] == "suspended" and kind not in PASSING:
        raise Conflict(_why_suspended(connection, instance), code="suspended")
    machine = load_machine(app, instance, at)
    return Work(
        app=app, connection=connection, kind=kind, key=key, at=at, actor=actor, case=case, instance=instance, machine=machine,
        waits_before=machine.waits(), request_hash=asked, task=task, snapshot=instance["state"], done_by=instance.pop("done_by"),
        done_roles=instance.pop("done_roles"),
    )


def load_machine(app: Application, instance: Row, at: datetime) -> Machine:
    """The running workflow of an instance row."""
    pinned = app.library.bundle(instance["bundle_id"])
    return Machine.load(process_for(app, pinned, instance["process"]), instance["state"], now=at, decide=decider(app, pinned, at))


def _why_suspended(connection: Connection, instance: Row) -> str:
    found = connection.execute(
        select(act.c.actor_name, act.c.opinion).where(act.c.instance_id == instance["id"], act.c.kind == "suspend").order_by(act.c.rev_before.desc()).limit(1)
    ).one_or_none()
    why = f"由{found.actor_name}暂停，原因：{found.opinion.rstrip('。')}" if found else "已暂停"
    return f"这件事{why}。恢复办理以后才能办，已填写的内容仍在草稿里。"
