"""Find and lock what an act is about, always in the order case, instance (data-model: "An act locks …").

The instance row is read after the case lock was won, so the statement's snapshot is fresh; state and lock are
the same row.
"""
from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Date, Table, Text, Uuid, bindparam, exists, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from engine.access.actors import Actor, holds_on
from engine.access.scope import may_see_case
from engine.kernel.errors import AlreadyDone, Forbidden, NotFound
from engine.runtime import finishers
from engine.runtime.work import Row
from engine.storage.prepared import Asked, Prepared, together
from engine.storage.tables.cases import case_file
from engine.storage.tables.organisation import person, post, unit
from engine.storage.tables.runtime import act, deputy, instance, task, task_candidate, task_signer

TASK, INSTANCE = [column.name for column in task.c], [column.name for column in instance.c]
ID, KEY = bindparam("id", type_=Uuid), bindparam("key", type_=Text)
NO_TASK = "没有这项任务，或者您无权查看。请回到工作台刷新列表。"


def _locking(where: Any) -> Prepared:
    return Prepared(
        select(case_file, unit.c.path.label("unit_path")).join(unit, unit.c.id == case_file.c.unit_id).where(case_file.c.id == where)
        .with_for_update(of=case_file, key_share=True)
    )


BY_ID = _locking(ID)
BY_TASK = _locking(select(task.c.case_id).where(task.c.id == ID).scalar_subquery())
BY_INSTANCE = _locking(select(instance.c.case_id).where(instance.c.id == ID).scalar_subquery())


def lock_case_of_task(connection: Connection, task_id: UUID) -> Row:
    """Lock the case that ``task_id`` belongs to."""
    return _lock_case(connection, BY_TASK, task_id)


def lock_case_of_instance(connection: Connection, instance_id: UUID) -> Row:
    """Lock the case that ``instance_id`` belongs to."""
    return _lock_case(connection, BY_INSTANCE, instance_id)


def lock_case(connection: Connection, case_id: UUID) -> Row:
    return _lock_case(connection, BY_ID, case_id)


def peek_case(connection: Connection, case_id: UUID) -> Row:
    """The case as it stands, without a lock; raises NotFound."""
    statement = select(case_file, unit.c.path.label("unit_path")).join(unit, unit.c.id == case_file.c.unit_id).where(case_file.c.id == case_id)
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        raise NotFound(NO_TASK)
    return dict(row)


def _lock_case(connection: Connection, statement: Prepared, id: UUID) -> Row:
    row = statement.mapping(connection, {"id": id})
    if row is None:
        raise NotFound(NO_TASK)
    return row


def lock_case_and_task(connection: Connection, *, task_id: UUID, key: str, actor: Actor | None) -> tuple[Row, Row, Row, Row | None]:
    """(case, task, instance, earlier act): ``lock_case_of_task`` and then ``lock_task``, sent in one trip."""
    first, then = together(connection, (BY_TASK, {"id": task_id}), _asked(task_id, key, actor))
    case = first.mapping()
    if case is None:
        raise NotFound(NO_TASK)
    return case, *_locked_task(connection, then.one_or_none(), actor)


def lock_task(connection: Connection, *, task_id: UUID, key: str, actor: Actor | None) -> tuple[Row, Row, Row | None]:
    """(task, instance, earlier act with ``key``); locks the instance. Raises NotFound for a case that ``actor`` may not see.

    ``task`` gains ``candidates``, ``signers`` (rows planned or open) and ``principal`` with ``principal_id``: the assignee, or somebody who might
    claim it from the pool, when ``actor`` is their deputy today and couldn't act on their own.
    """
    return _locked_task(connection, together(connection, _asked(task_id, key, actor))[0].one_or_none(), actor)


def _asked(task_id: UUID, key: str, actor: Actor | None) -> Asked:
    return _task_statement(), {"id": task_id, "key": key, "me": actor and actor.person_id, "on": actor and actor.on}


def _locked_task(connection: Connection, row: tuple[Any, ...] | None, actor: Actor | None) -> tuple[Row, Row, Row | None]:
    if row is None:
        raise NotFound(NO_TASK)
    task_row, rest = dict(zip(TASK, row, strict=False)), row[len(TASK):]
    instance_row, (candidates, signers, principal, earlier, done_by, done_roles) = dict(zip(INSTANCE, rest, strict=False)), rest[len(INSTANCE):]
    task_row["candidates"] = [(UUID(unit), post) for unit, post in candidates or []]
    task_row["signers"] = signers or []
    own = actor is not None and task_row["assignee_id"] is None and bool(set(task_row["candidates"]) & set(actor.posts))
    task_row["principal_id"], task_row["principal"] = (UUID(principal[0]), principal[1]) if principal and not own else (None, None)
    _require_sight(connection, task_row, actor)
    finishers.take_in(instance_row, done_by, done_roles)
    return task_row, instance_row, earlier


@cache
def _task_statement() -> Prepared:
    """Built once: what changes are ``id`` of the task, ``key`` of the act, ``me`` and ``on``."""
    candidates = (
        select(func.jsonb_agg(func.jsonb_build_array(task_candidate.c.unit_id, task_candidate.c.post)))
        .where(task_candidate.c.task_id == task.c.id)
        .scalar_subquery()
        .label("x_candidates")
    )
    columns = [*_labelled(task, "t_"), *_labelled(instance, "i_"), candidates, _signers(), _principal(), _earlier(KEY), *finishers.columns(task.c.instance_id)]
    return Prepared(
        select(*columns).join_from(task, instance, instance.c.id == task.c.instance_id)
        .where(task.c.id == ID).with_for_update(of=instance, key_share=True)
    )


def _signers() -> Any:
    live = task_signer.c.status.in_(["planned", "open"])
    names = ("id", "person_id", "person_name", "kind", "status", "asked_by")
    row = func.jsonb_build_object(*(part for name in names for part in (name, task_signer.c[name])))
    rows = func.jsonb_agg(aggregate_order_by(row, task_signer.c.id))
    return select(rows).where(task_signer.c.task_id == task.c.id, live).scalar_subquery().label("x_signers")


def _principal() -> Any:
    me, on = bindparam("me", type_=Uuid), bindparam("on", type_=Date)
    holds = (post.c.unit_id == task_candidate.c.unit_id) & (post.c.code == task_candidate.c.post)
    could_claim = exists(
        select(task_candidate.c.task_id).join(post, holds)
        .where(task_candidate.c.task_id == task.c.id, task_candidate.c.open, post.c.person_id == deputy.c.person_id, holds_on(on))
    )
    found = (
        select(func.jsonb_build_array(person.c.id, person.c.name)).join(deputy, deputy.c.person_id == person.c.id)
        .where(task.c.deputies, deputy.c.deputy_id == me, or_(deputy.c.person_id == task.c.assignee_id, task.c.assignee_id.is_(None) & could_claim),
               deputy.c.from_on <= on, deputy.c.until_on >= on, deputy.c.ended_at.is_(None),
               or_(deputy.c.processes == [], deputy.c.processes.has_key(instance.c.process))).order_by(deputy.c.created_at).limit(1)
    )
    return found.scalar_subquery().label("x_principal")


def lock_instance(connection: Connection, *, instance_id: UUID, key: str) -> tuple[Row, Row | None]:
    """(instance, earlier act with ``key``); locks the instance."""
    row = _instance_statement().one_or_none(connection, {"id": instance_id, "key": key})
    if row is None:
        raise NotFound("没有这个流程实例。")
    instance_row, (earlier, done_by, done_roles) = dict(zip(INSTANCE, row, strict=False)), row[len(INSTANCE):]
    finishers.take_in(instance_row, done_by, done_roles)
    return instance_row, earlier


@cache
def _instance_statement() -> Prepared:
    return Prepared(
        select(*_labelled(instance, "i_"), _earlier(KEY), *finishers.columns(instance.c.id)).where(instance.c.id == ID)
        .with_for_update(of=instance, key_share=True)
    )


def find_act(connection: Connection, key: str) -> Row | None:
    """The act that used ``key``, as ``{"id", "result", "request_hash", …}``."""
    found: Row | None = connection.scalar(select(_earlier(KEY)), {"key": key})
    return found


def _earlier(key: Any) -> Any:
    fields = ("id", act.c.id, "kind", act.c.kind, "case_id", act.c.case_id, "instance_id", act.c.instance_id, "title", act.c.title, "actor_id", act.c.actor_id,
              "request_hash", act.c.request_hash, "result", act.c.result)
    return select(func.jsonb_build_object(*fields)).where(act.c.key == key).scalar_subquery().label("x_act")


def require_open(connection: Connection, task_row: Row) -> None:
    """Refuse an act on a task that is no longer open, saying who was faster."""
    if task_row["status"] == "open":
        return
    who = connection.scalar(select(person.c.name).where(person.c.id == task_row["ended_by"])) if task_row["ended_by"] else None
    if task_row["status"] == "done" and who:
        raise AlreadyDone(f"这一步已由{who}办理，您的内容没有提交；已填写的内容仍保存为草稿。")
    raise AlreadyDone("这一步已经不在办理中（可能被退回、撤回或转办），您的内容没有提交；请刷新案件页查看现状。")


def require_holder(task_row: Row, actor: Actor) -> None:
    """Only the assignee or their deputy of today, or for a task in the pool any holder of a candidate post, may act."""
    if not _holds(task_row, actor):
        raise Forbidden("这项任务不在您手里，不能办理。")


def _holds(task_row: Row, actor: Actor) -> bool:
    if actor.party_id is not None or task_row["party_id"] is not None:
        return actor.party_id is not None and task_row["party_id"] == actor.party_id
    if task_row["assignee_id"] == actor.person_id or task_row.get("principal"):
        return True
    return task_row["assignee_id"] is None and bool(set(task_row["candidates"]) & set(actor.posts))


def _require_sight(connection: Connection, task_row: Row, actor: Actor | None) -> None:
    """A task of a case that ``actor`` may not see looks like one that isn't there; whoever holds it is not asked about."""
    if actor is None or _holds(task_row, actor):
        return
    if actor.party_id is not None or not may_see_case(connection, actor, task_row["case_id"]):
        raise NotFound(NO_TASK)


def _labelled(table: Table, prefix: str) -> list[Any]:
    return [column.label(prefix + column.name) for column in table.c]


def open_tasks_of(connection: Connection, instance_id: UUID) -> list[Row]:
    """Open task rows of an instance."""
    rows = connection.execute(select(task).where(task.c.instance_id == instance_id, task.c.status == "open")).mappings()
    return [dict(row) for row in rows]
