"""Reading documents."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from engine.documents.compose import Snapshot
from engine.kernel.clock import legal_date
from engine.kernel.errors import NotFound
from engine.storage.tables.documents import document, document_signature, seal

NO_DOCUMENT = "没有这份文书，或者您无权查看。"
STATES: Mapping[str, str] = {"draft": "草稿", "issued": "已签发用印", "served": "已送达", "withdrawn": "已撤回", "void": "已作废"}


def find_document(connection: Connection, document_id: UUID) -> Row[Any] | None:
    """The document's row."""
    return connection.execute(select(document).where(document.c.id == document_id)).one_or_none()


def get_document(connection: Connection, document_id: UUID) -> Row[Any]:
    """The document's row; raises NotFound."""
    row = find_document(connection, document_id)
    if row is None:
        raise NotFound(NO_DOCUMENT)
    return row


def lock_document(connection: Connection, document_id: UUID) -> Row[Any]:
    """The document's row, locked until the transaction ends; raises NotFound."""
    row = connection.execute(select(document).where(document.c.id == document_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound(NO_DOCUMENT)
    return row


def documents_of_case(connection: Connection, *, case_id: UUID) -> list[Row[Any]]:
    """Every document of a case, oldest first."""
    return list(connection.execute(select(document).where(document.c.case_id == case_id).order_by(document.c.created_at, document.c.id)))


def signatures_of(connection: Connection, *, document_id: UUID, rev: int) -> list[Row[Any]]:
    """The signatures of a revision in signing order, personal ones first, each with its seal's title and last day."""
    query = (
        select(document_signature, seal.c.title.label("seal_title"), seal.c.valid_until.label("seal_valid_until"))
        .outerjoin(seal, seal.c.id == document_signature.c.seal_id)
        .where(document_signature.c.document_id == document_id, document_signature.c.rev == rev)
    )
    return list(connection.execute(query.order_by(document_signature.c.kind, document_signature.c.id)))


def snapshot_of(content: Mapping[str, Any], *, number: str | None, today: date | None) -> Snapshot:
    """The stored JSON as the composer takes it."""
    return Snapshot(
        data=content["data"], case=content["case"], unit=content["unit"], handling_unit=content["handling_unit"],
        opinions=tuple(content["opinions"]), blocks=content["blocks"], number=number, today=today,
    )


def snapshot_of_row(row: Row[Any]) -> Snapshot:
    """The snapshot of a document: its number and legal date once it is issued."""
    today = legal_date(row.issued_at) if row.issued_at else None
    return snapshot_of(row.data, number=row.number, today=today)
