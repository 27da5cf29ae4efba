"""Writing versions: one row per changed file, one pointer to the version in force."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.kernel.gm import sm3_hex
from engine.kernel.ids import new_id
from engine.packs.library import Definition, as_definition
from engine.storage.tables.content import content_change, content_pointer, definition, definition_current


@dataclass(frozen=True, kw_only=True)
class NewVersion:
    """A checked file that is ready to become a version."""

    kind: str
    name: str
    title: str
    content: bytes
    compiled: bytes | None = None
    meta: Mapping[str, Any] | None = None

    @property
    def hash(self) -> str:
        return sm3_hex(b"\0".join((self.kind.encode(), self.name.encode(), self.content)))


def lock_content(connection: Connection) -> int:
    """Serialise deploys by locking the pointer row; the generation before this one."""
    connection.execute(insert(content_pointer).values(id=1, generation=0).on_conflict_do_nothing())
    return connection.execute(select(content_pointer.c.generation).where(content_pointer.c.id == 1).with_for_update()).scalar_one()


def raise_generation(connection: Connection) -> None:
    """Tell every process to read its pointers again."""
    connection.execute(update(content_pointer).values(generation=content_pointer.c.generation + 1))


def store_version(connection: Connection, new: NewVersion, *, source: str, by: UUID | None, at: datetime, note: str = "") -> Definition:
    """The row for ``new``; a file that was stored before keeps its version."""
    same = connection.execute(
        select(definition).where(definition.c.kind == new.kind, definition.c.name == new.name, definition.c.hash == new.hash)
    ).mappings().one_or_none()
    if same is not None:
        return as_definition(same)
    last = connection.scalar(select(func.max(definition.c.version)).where(definition.c.kind == new.kind, definition.c.name == new.name))
    row = connection.execute(
        insert(definition)
        .values(
            id=new_id(), kind=new.kind, name=new.name, version=(last or 0) + 1, title=new.title, content=new.content, compiled=new.compiled,
            hash=new.hash, meta=dict(new.meta or {}), source=source, created_by=by, created_at=at, note=note,
        )
        .returning(definition)
    ).mappings().one()
    return as_definition(row)


def put_in_force(connection: Connection, version: Definition, *, folder_hash: str | None = None) -> None:
    """Point at ``version``; ``folder_hash`` is given when the version came from the folder."""
    values: dict[str, Any] = {"definition_id": version.id, "pending_definition_id": None}
    if folder_hash is not None:
        values["folder_hash"] = folder_hash
    statement = insert(definition_current).values(kind=version.kind, name=version.name, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["kind", "name"], set_=values))


def leave_pending(connection: Connection, version: Definition, *, folder_hash: str) -> None:
    """A changed folder beside an edit from the page waits as 待合并."""
    connection.execute(
        update(definition_current)
        .where(definition_current.c.kind == version.kind, definition_current.c.name == version.name)
        .values(pending_definition_id=version.id, folder_hash=folder_hash)
    )


def withdraw_from_force(connection: Connection, kind: str, name: str) -> None:
    """The folder no longer holds this file; running cases keep their version."""
    connection.execute(
        definition_current.delete().where(definition_current.c.kind == kind, definition_current.c.name == name)
    )


def note_change(
    connection: Connection, now: Definition, *, before: Definition | None, what: str, reason: str, by_id: UUID, by_name: str, at: datetime
) -> None:
    """修改记录: ``what`` is deploy, return or merge; nothing is noted when the version was in force already."""
    if before is None or before.id != now.id:
        connection.execute(insert(content_change).values(
            id=new_id(), kind=now.kind, name=now.name, definition_id=now.id, from_version=before.version if before else None, what=what, reason=reason,
            by_id=by_id, by_name=by_name, at=at,
        ))
