"""Which of some cases the reader may see."""
from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, select

from engine.access.actors import Actor
from engine.access.scope import restrict
from engine.storage.tables.cases import case_file


def visible_among(connection: Connection, *, actor: Actor, case_ids: Collection[UUID]) -> set[UUID]:
    """The ids of ``case_ids`` that ``actor`` may see. One statement, none for no ids."""
    if not case_ids:
        return set()
    return set(connection.scalars(restrict(select(case_file.c.id).where(case_file.c.id.in_(list(case_ids))), actor)))
