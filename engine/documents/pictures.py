"""The pictures that a document may show: stored ones by their SM3, uploaded ones of the same case (a drawn signature) by the attachment's id."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from engine.documents.services import Services
from engine.storage.tables.cases import attachment


def pictures_of(app: Services, row: Row[Any]) -> Callable[[str], bytes]:
    """Finds the bytes of a picture for the document in ``row``; nothing for an attachment of another case or one that was removed."""

    def find(name: str) -> bytes:
        wanted = _id(name)
        if wanted is None:
            return app.blobs.get(name)
        c = attachment.c
        with app.db.connect() as connection:
            sm3 = connection.scalar(select(c.sm3).where(c.id == wanted, c.case_id == row.case_id, c.removed_at.is_(None), c.content_type.startswith("image/")))
        return app.blobs.get(sm3) if sm3 else b""

    return find


def _id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
