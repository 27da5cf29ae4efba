"""The history of a document: one row per revision, with what was changed and the PDF made of it."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select, update

from engine.kernel.ids import new_id
from engine.storage.tables.documents import document_version


def add_version(
    connection: Connection, *, document_id: UUID, rev: int, title: str, by_id: UUID | None, by_name: str, at: datetime,
    change: Mapping[str, Any] | None = None,
) -> None:
    """Enter revision ``rev``; ``change`` is a correction: block, title, before, after."""
    connection.execute(document_version.insert().values(
        id=new_id(), document_id=document_id, rev=rev, title=title, change=change, by_id=by_id, by_name=by_name, at=at
    ))


def set_rendering(connection: Connection, *, document_id: UUID, rev: int, pdf_sm3: str) -> None:
    """Keep the PDF that was made of a revision."""
    where = (document_version.c.document_id == document_id, document_version.c.rev == rev)
    connection.execute(update(document_version).where(*where).values(pdf_sm3=pdf_sm3))


def versions_of(connection: Connection, *, document_id: UUID) -> list[Row[Any]]:
    """All revisions, newest first."""
    query = select(document_version).where(document_version.c.document_id == document_id)
    return list(connection.execute(query.order_by(document_version.c.rev.desc())))
