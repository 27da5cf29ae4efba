"""批量办理 and 批量退回: many tasks, one result each; every item is a transaction and an act of its own."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from engine.access.actors import Actor
from engine.kernel.errors import GuichengError, Invalid
from engine.runtime.application import Application
from engine.runtime.begin import replay
from engine.runtime.complete_task import complete_task
from engine.runtime.locate import find_act
from engine.runtime.return_task import return_targets, return_task
from engine.runtime.work import ActResult
from engine.storage.database import for_reading
from engine.storage.tables.cases import case_file
from engine.storage.tables.runtime import act, task

MOST = 200


@dataclass(frozen=True, kw_only=True)
class Item:
    """One task to act on with its own idempotency ``key``. ``to_node`` None: the step before; ``data``: answers, where the form asks any;
    ``then``: as of ``return_task``."""

    task_id: UUID
    key: str
    outcome: str = ""
    opinion: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    to_node: str | None = None
    then: str | None = None


@dataclass(frozen=True, kw_only=True)
class ItemResult:
    """``ok``, or refused with ``message``; nothing of a refused item was changed."""

    task_id: UUID
    title: str
    case_title: str
    ok: bool
    message: str = ""
    code: str = ""
    result: ActResult | None = None


def batch_complete(app: Application, *, actor: Actor, items: Sequence[Item], at: datetime) -> list[ItemResult]:
    """Complete every item with its outcome; results in the same order. Raises Invalid for none or more than 200 items."""
    def one(item: Item) -> ActResult:
        return complete_task(app, actor=actor, task_id=item.task_id, data=item.data, outcome=item.outcome, opinion=item.opinion, key=item.key, at=at)
    return _each(app, items, one)


def batch_return(app: Application, *, actor: Actor, items: Sequence[Item], at: datetime) -> list[ItemResult]:
    """Return every item to its ``to_node``, or to the nearest legal step; results in the same order. Raises Invalid as above."""
    def one(item: Item) -> ActResult:
        return _again(app, actor, item) or return_task(
            app, actor=actor, task_id=item.task_id, to_node=item.to_node or _nearest(app, actor, item), opinion=item.opinion, key=item.key, at=at,
            then=item.then,
        )
    return _each(app, items, one)


def _again(app: Application, actor: Actor, item: Item) -> ActResult | None:
    """The result of the return that this key has made already: by then the nearest step can't be asked any more."""
    if item.to_node is not None:
        return None
    with for_reading(app.db).connect() as connection:
        same = connection.scalar(select(act.c.id).where(act.c.key == item.key, act.c.kind == "return", act.c.task_id == item.task_id))
        earlier = find_act(connection, item.key) if same else None
    return replay(earlier, asked=earlier["request_hash"], actor=actor) if earlier else None


def _nearest(app: Application, actor: Actor, item: Item) -> str:
    targets = return_targets(app, actor=actor, task_id=item.task_id)
    if not targets:
        raise Invalid("这一步没有可以退回的地方。")
    return targets[0].node


def _each(app: Application, items: Sequence[Item], how: Callable[[Item], ActResult]) -> list[ItemResult]:
    if not items or len(items) > MOST:
        raise Invalid(f"一次可以办 1 到 {MOST} 件。", fields={"items": f"请勾选 1 到 {MOST} 件。"})
    with for_reading(app.db).connect() as connection:
        named = {row.id: (row.title, row.case_title) for row in connection.execute(
            select(task.c.id, task.c.title, case_file.c.title.label("case_title")).join(case_file, case_file.c.id == task.c.case_id)
            .where(task.c.id.in_([item.task_id for item in items]))
        )}
    results = []
    for item in items:
        title, case_title = named.get(item.task_id, ("", ""))
        try:
            result = how(item)
        except GuichengError as error:
            fields = getattr(error, "fields", {})
            message = "；".join([error.message, *(text for text in fields.values() if text not in error.message)][:3])
            results.append(ItemResult(task_id=item.task_id, title=title, case_title=case_title, ok=False, message=message, code=error.code))
        else:
            results.append(ItemResult(task_id=item.task_id, title=title, case_title=case_title, ok=True, result=result))
    return results
