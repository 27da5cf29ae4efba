"""The files of a register's record: in which field each stands, and those that were taken out of it and are still kept."""
from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from engine.access.actors import Actor
from engine.form_filling.context import AttachmentMeta, HeldFile
from engine.registers.catalogue import get_register
from engine.registers.declaration import Field
from engine.registers.granted import for_reader
from engine.registers.scope import visible_one
from engine.runtime.application import Application
from engine.runtime.queries.related import files_of


def held_files(app: Application, connection: Connection, *, actor: Actor, register: str, record_id: UUID) -> list[HeldFile]:
    """Field by field, those that are gone last; nothing for a record that ``actor`` may not see."""
    declared, table = get_register(app.library, register)
    fields = [one for one in for_reader(declared, actor).fields.values() if one.type == "files"]
    row = connection.execute(visible_one(declared, table, actor, record_id, *(table.c[one.name] for one in fields))).mappings().one_or_none() if fields else None
    if row is None:
        return []
    metas = dict(files_of(connection, record_id=record_id))
    held = [HeldFile(meta=meta, field=one.name, title=one.title) for one in fields for entry in row[one.name] or () if (meta := metas.pop(entry["id"], None))]
    return [*held, *(HeldFile(meta=meta, field=place.name, title=place.title, gone=True) for meta in metas.values() if (place := _place_of(meta, fields)))]


def _place_of(meta: AttachmentMeta, fields: list[Field]) -> Field | None:
    """The field that a file which is gone came from: as it was uploaded, else the first."""
    return next((one for one in fields if one.name == meta.field.rsplit(".", 1)[-1]), fields[0] if fields else None)
