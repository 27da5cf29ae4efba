"""Voiding a document that no seal is on yet, and undoing whatever state one is in."""
from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from engine.documents.end import end_document
from engine.documents.numbers import void_number
from engine.documents.queries import lock_document
from engine.documents.withdraw import withdraw_document
from engine.kernel.errors import Conflict


def void_document(connection: Connection, *, document_id: UUID, reason: str, at: datetime) -> None:
    """Void a draft, or an issued document before its seal is on: its number stays in the book as 作废. Raises Conflict else."""
    row = lock_document(connection, document_id)
    if row.state not in ("draft", "issued") or row.sealed_sm3:
        raise Conflict(f"文书《{row.title}》已经盖章，只能撤回，不能作废。")
    if row.number_id:
        void_number(connection, number_id=row.number_id, reason=reason)
    end_document(connection, row, state="void", reason=reason, at=at)


def undo_document(connection: Connection, *, document_id: UUID, reason: str, at: datetime) -> str:
    """What a return does to a document: unsealed becomes void, sealed withdrawn. The new state comes back.

    Raises Conflict for a served one. Nothing happens to one that is void or withdrawn already.
    """
    row = lock_document(connection, document_id)
    if row.state in ("void", "withdrawn"):
        return str(row.state)
    if row.state == "draft" or (row.state == "issued" and not row.sealed_sm3):
        void_document(connection, document_id=document_id, reason=reason, at=at)
        return "void"
    withdraw_document(connection, document_id=document_id, reason=reason, at=at)
    return "withdrawn"
