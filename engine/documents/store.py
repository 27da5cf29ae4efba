"""Puts the bytes of documents and seals into the blob store and their row beside it."""
from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from engine.documents.services import Services
from engine.storage.tables.reference import blob

PDF = "application/pdf"


def store(app: Services, connection: Connection, data: bytes, *, content_type: str, at: datetime) -> str:
    """The SM3 (hex) under which ``data`` is kept."""
    sm3 = app.blobs.put(data)
    connection.execute(insert(blob).values(sm3=sm3, size=len(data), content_type=content_type, created_at=at).on_conflict_do_nothing())
    return sm3
