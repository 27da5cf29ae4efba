"""The colleagues that an act names."""
from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, select

from engine.access.actors import Actor
from engine.kernel.errors import Invalid
from engine.storage.tables.organisation import person


def name_people(connection: Connection, chosen: Sequence[UUID], *, actor: Actor, what: str, field: str = "people") -> dict[UUID, str]:
    """id → name of the chosen, in their order. Raises Invalid for nobody, for oneself, and for someone unknown or inactive."""
    if not chosen:
        raise Invalid(f"请选择{what}给谁。", fields={field: "请至少选一位同事。"})
    if actor.person_id in chosen:
        raise Invalid(f"不能{what}给自己。", fields={field: "请选别的同事。"})
    found = {row.id: row.name for row in connection.execute(select(person.c.id, person.c.name).where(person.c.id.in_(chosen), person.c.active))}
    if len(found) < len(set(chosen)):
        raise Invalid("选的同事里有人不存在或者已停用。", fields={field: "请重新选择。"})
    return {id: found[id] for id in chosen}


def name_person(connection: Connection, chosen: UUID, *, actor: Actor, what: str, field: str = "to_person_id") -> str:
    """The name of the one colleague chosen; raises as ``name_people``."""
    return name_people(connection, [chosen], actor=actor, what=what, field=field)[chosen]
