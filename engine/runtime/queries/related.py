"""What belongs to a register's record: its files, and the records of other registers that point at it."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Table, select

from engine.access.actors import Actor
from engine.form_filling.attachments import as_meta
from engine.form_filling.context import AttachmentMeta
from engine.registers.catalogue import registers_of
from engine.registers.declaration import Field, Register
from engine.registers.scope import visible
from engine.runtime.application import Application
from engine.runtime.queries.record_titles import table_column, title_field
from engine.storage.tables.cases import attachment

SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Related:
    """Records of ``register`` whose ``field`` points here: ``rows`` are (id, title), the last changed ten; ``more`` says there are others."""

    register: Register
    field: Field
    rows: Sequence[tuple[UUID, str]]
    more: bool


def files_of(connection: Connection, *, record_id: UUID) -> Mapping[str, AttachmentMeta]:
    """{attachment id: what the server holds about it} of a record."""
    rows = connection.execute(select(attachment).where(attachment.c.record_id == record_id, attachment.c.removed_at.is_(None))).mappings()
    return {str(row["id"]): as_meta(dict(row)) for row in rows}


def pointing_at(app: Application, connection: Connection, *, actor: Actor, register: str, record_id: UUID) -> list[Related]:
    """One entry per field of another register that points at the record, without those that nobody uses here; a statement each."""
    found = []
    for other, table in registers_of(app.library).values():
        for field in other.fields.values():
            if field.type == "record" and field.register == register:
                found.append(_related(connection, actor, other, table, field, record_id))
    return [one for one in found if one.rows]


def _related(connection: Connection, actor: Actor, register: Register, table: Table, field: Field, record_id: UUID) -> Related:
    title = table_column(table, title_field(register))
    statement = visible(register, table, actor, table.c.id, title).where(table.c[field.name] == record_id)
    rows = connection.execute(statement.order_by(table.c.updated_at.desc(), table.c.id.desc()).limit(SHOWN + 1)).all()
    return Related(register=register, field=field, rows=[(id, told or "未命名") for id, told in rows[:SHOWN]], more=len(rows) > SHOWN)
