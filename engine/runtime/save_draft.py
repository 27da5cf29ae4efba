"""Drafts: what an officer typed survives a crash, a logout and a restart; two windows on one form are told apart."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from engine.access.actors import Actor
from engine.kernel.errors import StaleRevision, TooLarge
from engine.kernel.ids import new_id
from engine.runtime.application import Application
from engine.runtime.locate import lock_task, require_holder, require_open
from engine.storage.database import for_reading
from engine.storage.tables.organisation import person
from engine.storage.tables.runtime import draft, start_draft

MOST_BYTES = 1_000_000
# Where a draft keeps the opinion, beside the answers of the form.
OPINION = "$opinion"


def save_draft(app: Application, *, actor: Actor, task_id: UUID, data: Mapping[str, Any], form_hash: str, rev: int, at: datetime) -> int:
    """Keep ``data`` as the actor's draft of ``task_id``; the new revision (the first is 1, ``rev`` 0 means none seen yet).

    Raises StaleRevision when another window of the same person saved in between, AlreadyDone, Forbidden, TooLarge.
    """
    check_size(data)
    with app.db.begin() as connection:
        task_row, _, _ = lock_task(connection, task_id=task_id, key="", actor=actor)
        require_open(connection, task_row)
        require_holder(task_row, actor)
        values = {"task_id": task_id, "person_id": actor.person_id, "data": dict(data), "form_hash": form_hash, "rev": rev + 1, "updated_at": at}
        write = insert(draft).values(values)
        written = connection.execute(
            write.on_conflict_do_update(index_elements=["task_id", "person_id"], set_=values, where=draft.c.rev == rev).returning(draft.c.rev)
        ).scalar_one_or_none()
        if written is None:
            raise StaleRevision("您在另一个窗口里也打开了这张表，那边保存得更晚。请刷新后再改；这里填的内容还在本页，没有丢。")
        return int(written)


def check_size(data: Mapping[str, Any]) -> None:
    if len(orjson.dumps(data, default=str)) > MOST_BYTES:
        raise TooLarge("填写的内容超过 1 MB，没有保存。请把长文字改成附件上传。")


def find_draft(app: Application, *, actor: Actor, task_id: UUID) -> tuple[dict[str, Any], int, datetime] | None:
    """(data, revision, when) of the actor's draft, or None."""
    with for_reading(app.db).connect() as connection:
        row = connection.execute(
            select(draft.c.data, draft.c.rev, draft.c.updated_at).where(draft.c.task_id == task_id, draft.c.person_id == actor.person_id)
        ).one_or_none()
        return (row.data, row.rev, row.updated_at) if row else None


def others_on_form(app: Application, *, actor: Actor, task_id: UUID, since: datetime) -> list[str]:
    """Names of others whose draft of the same task was saved after ``since``."""
    with for_reading(app.db).connect() as connection:
        return list(connection.scalars(
            select(person.c.name).join(draft, draft.c.person_id == person.c.id)
            .where(draft.c.task_id == task_id, draft.c.person_id != actor.person_id, draft.c.updated_at >= since).order_by(person.c.name)
        ))


def save_start_draft(app: Application, *, actor: Actor, process: str, data: Mapping[str, Any], draft_id: UUID | None, at: datetime) -> UUID:
    """Keep what was typed into a form that has no case yet; the draft's id."""
    check_size(data)
    id = draft_id or new_id()
    with app.db.begin() as connection:
        values = {"id": id, "person_id": actor.person_id, "process": process, "data": dict(data), "updated_at": at}
        write = insert(start_draft).values(values)
        connection.execute(
            write.on_conflict_do_update(index_elements=["id"], set_={"data": write.excluded.data, "updated_at": at}, where=start_draft.c.person_id == actor.person_id)
        )
        return id


def find_start_draft(app: Application, *, actor: Actor, process: str) -> tuple[UUID, dict[str, Any], datetime] | None:
    """The actor's newest unfinished start of ``process``."""
    with for_reading(app.db).connect() as connection:
        row = connection.execute(
            select(start_draft.c.id, start_draft.c.data, start_draft.c.updated_at)
            .where(start_draft.c.person_id == actor.person_id, start_draft.c.process == process).order_by(start_draft.c.updated_at.desc()).limit(1)
        ).one_or_none()
        return (row.id, row.data, row.updated_at) if row else None


def drop_start_draft(connection: Any, *, actor: Actor, process: str) -> None:
    """The start was submitted, or what was typed is not wanted any more."""
    connection.execute(delete(start_draft).where(start_draft.c.person_id == actor.person_id, start_draft.c.process == process))
