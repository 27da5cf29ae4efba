"""Serving (送达): from here on a document can't be undone."""
from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, update

from engine.documents.queries import lock_document
from engine.kernel.errors import Conflict
from engine.storage.tables.documents import document


def mark_served(connection: Connection, *, document_id: UUID, at: datetime) -> None:
    """Mark a sealed document as served; raises Conflict while its seal is not on."""
    row = lock_document(connection, document_id)
    if row.state == "served":
        return
    if row.state != "issued" or not (row.sealed_sm3 or (row.pdf_sm3 and row.rendered_rev == row.rev)):
        raise Conflict(f"文书《{row.title}》还没有盖章，不能送达。")
    connection.execute(update(document).where(document.c.id == row.id).values(state="served", updated_at=at))
