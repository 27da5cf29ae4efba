"""The end of a document that is undone."""
from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, update

from engine.storage.tables.documents import document


def end_document(connection: Connection, row: Row[Any], *, state: str, reason: str, at: datetime) -> None:
    """Set a last state and free the key, so that a redo of the node makes a new document."""
    connection.execute(update(document).where(document.c.id == row.id).values(
        state=state, reason=reason, withdrawn_at=at, updated_at=at, key=f"{row.key}#{row.id}"
    ))
