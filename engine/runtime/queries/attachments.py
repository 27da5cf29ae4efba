"""A file that somebody asks for: their own, one of a case, or one of a register's record that they may see."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from engine.access.actors import Actor
from engine.form_filling.attachments import NOT_THERE, get_attachment
from engine.kernel.errors import NotFound
from engine.registers.catalogue import get_register
from engine.registers.scope import visible_one
from engine.runtime.application import Application
from engine.storage.tables.cases import attachment


def file_for(app: Application, connection: Connection, *, actor: Actor, attachment_id: UUID) -> Mapping[str, Any]:
    """The attachment's row; raises NotFound for what isn't there or not for ``actor``."""
    try:
        return get_attachment(connection, actor=actor, attachment_id=attachment_id)
    except NotFound:
        row = connection.execute(select(attachment).where(attachment.c.id == attachment_id, attachment.c.removed_at.is_(None))).mappings().one_or_none()
        if row is None or row["register"] is None:
            raise
    register, table = get_register(app.library, row["register"])
    if connection.scalar(visible_one(register, table, actor, row["record_id"], table.c.id)) is None:
        raise NotFound(NOT_THERE)
    return dict(row)
