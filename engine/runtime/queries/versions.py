"""Versions of any file of content, and what waits to be merged."""
from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from engine.kernel.errors import NotFound
from engine.storage.tables.content import content_change, definition, definition_current
from engine.storage.tables.organisation import person

Row = dict[str, Any]


def pending(connection: Connection) -> list[Row]:
    """Every file whose folder changed beside an edit from the page: kind, name, title."""
    join = definition_current.join(definition, definition.c.id == definition_current.c.definition_id)
    query = select(definition.c.kind, definition.c.name, definition.c.title).select_from(join).where(definition_current.c.pending_definition_id.is_not(None))
    return [dict(row) for row in connection.execute(query.order_by(definition.c.kind, definition.c.name)).mappings()]


def changed(connection: Connection) -> list[Row]:
    """Every file in force that has more than one version: kind, name, title, version, count."""
    count = select(func.count()).where(definition.c.kind == definition_current.c.kind, definition.c.name == definition_current.c.name).correlate(definition_current).scalar_subquery()
    d = definition.alias("in_force")
    query = (
        select(d.c.kind, d.c.name, d.c.title, d.c.version, count.label("count"))
        .select_from(definition_current.join(d, d.c.id == definition_current.c.definition_id)).where(count > 1).order_by(d.c.kind, d.c.name)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def of_file(connection: Connection, *, kind: str, name: str) -> list[Row]:
    """Versions of one file, newest first: id, version, source, note, created_at, by, in_force, pending. Raises NotFound."""
    d, c = definition.c, definition_current.c
    query = (
        select(d.id, d.version, d.title, d.source, d.note, d.created_at, person.c.name.label("by"), (c.definition_id == d.id).label("in_force"),
               (c.pending_definition_id == d.id).label("pending"))
        .select_from(definition.outerjoin(person, person.c.id == d.created_by).outerjoin(definition_current, (c.kind == d.kind) & (c.name == d.name)))
        .where(d.kind == kind, d.name == name).order_by(d.version.desc())
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    if not rows:
        raise NotFound("没有这个文件的版本。")
    return rows


def changes_of(connection: Connection, *, kind: str, name: str) -> list[Row]:
    """修改记录 of one file, newest first: at, by_name, what, reason, from_version, version."""
    c = content_change.c
    query = (
        select(c.at, c.by_name, c.what, c.reason, c.from_version, definition.c.version).join(definition, definition.c.id == c.definition_id)
        .where(c.kind == kind, c.name == name).order_by(c.at.desc(), c.id.desc()).limit(200)
    )
    return [dict(row) for row in connection.execute(query).mappings()]
