"""Migrations of running cases as their page shows them; a case that the reader may not see keeps its name to itself."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Text, case, cast, func, literal, select, true

from engine.access.actors import Actor
from engine.access.scope import visible_cases
from engine.kernel.errors import NotFound
from engine.packs.library import Bundle
from engine.storage.tables.cases import case_file
from engine.storage.tables.content import bundle, definition
from engine.storage.tables.runtime import instance
from engine.storage.tables.versions import migration, migration_item

Row = dict[str, Any]
SIZE = 50
HIDDEN = "（您无权查看的案件）"


def one(connection: Connection, *, migration_id: UUID) -> Row:
    """The migration, with the version it starts from (``version``, None: all). Raises NotFound."""
    statement = select(migration, definition.c.version).outerjoin(definition, definition.c.id == migration.c.definition_id).where(migration.c.id == migration_id)
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这次迁移。")
    return dict(row)


def listed(connection: Connection, *, processes: Sequence[str]) -> list[Row]:
    """The newest twenty of these processes."""
    statement = select(migration).where(migration.c.process.in_(processes)).order_by(migration.c.created_at.desc()).limit(20)
    return [dict(row) for row in connection.execute(statement).mappings()]


def behind(connection: Connection, *, process: str, target: Bundle | None) -> list[Row]:
    """Running instances of ``process`` on older versions: definition_id, version, count; newest version first."""
    c = instance.c
    statement = (
        select(c.definition_id, definition.c.version, func.count().label("count")).join(definition, definition.c.id == c.definition_id)
        .where(c.process == process, c.ended_at.is_(None)).group_by(c.definition_id, definition.c.version).order_by(definition.c.version.desc())
    )
    if target is not None:
        statement = statement.where(c.bundle_id.not_in(same_members(target)))
    return [dict(row) for row in connection.execute(statement).mappings()]


def same_members(target: Bundle) -> Any:
    """Ids of the bundles that hold exactly what ``target`` holds."""
    return select(bundle.c.id).where(bundle.c.members == {name: str(member) for name, member in target.members.items()})


def counts(connection: Connection, *, migration_id: UUID) -> list[Row]:
    """How many instances by state, verdict and reason."""
    i = migration_item.c
    statement = select(i.state, i.verdict, i.reason, func.count().label("count")).where(i.migration_id == migration_id).group_by(i.state, i.verdict, i.reason)
    return [dict(row) for row in connection.execute(statement.order_by(func.count().desc()).limit(200)).mappings()]


def needs(connection: Connection, *, migration_id: UUID) -> list[Row]:
    """Every live step that needs a place: key, title, node, choices, suggested, and how many instances stand on it."""
    need = func.jsonb_array_elements(migration_item.c.detail["needs"]).table_valued("value").render_derived("need")
    statement = (
        select(func.min(cast(need.c.value, Text)).label("need"), func.count().label("count")).select_from(migration_item.join(need, true()))
        .where(migration_item.c.migration_id == migration_id, migration_item.c.verdict == "mapping").group_by(need.c.value.op("->>")(literal("key", Text)))
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def items(connection: Connection, *, actor: Actor, migration_id: UUID, verdict: str = "", state: str = "", after: UUID | None = None) -> list[Row]:
    """The next fifty instances by id."""
    i, seen = migration_item.c, _seen(actor)
    statement = (
        select(
            i.instance_id, i.state, i.verdict, i.reason, i.detail, i.at, i.act_id, instance.c.title.label("instance_title"), seen.label("visible"),
            case((seen, case_file.c.title), else_=literal(HIDDEN)).label("title"), case((seen, case_file.c.number)).label("number"), i.case_id,
        )
        .select_from(migration_item.join(instance, instance.c.id == i.instance_id).join(case_file, case_file.c.id == i.case_id))
        .where(i.migration_id == migration_id).order_by(i.instance_id).limit(SIZE + 1)
    )
    for column, wanted in ((i.verdict, verdict), (i.state, state)):
        statement = statement.where(column == wanted) if wanted else statement
    if after is not None:
        statement = statement.where(i.instance_id > after)
    return [dict(row) for row in connection.execute(statement).mappings()]


def _seen(actor: Actor) -> Any:
    return literal(True) if actor.sees_everything else migration_item.c.case_id.in_(visible_cases(actor))
