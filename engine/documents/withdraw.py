"""Withdrawing a sealed document; the public page says so, with the reason."""
from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from engine.documents.end import end_document
from engine.documents.queries import lock_document
from engine.kernel.errors import Conflict, Invalid


def withdraw_document(connection: Connection, *, document_id: UUID, reason: str, at: datetime) -> None:
    """Withdraw an issued document. Raises Conflict for a served one, which can't be undone, and for any other state."""
    row = lock_document(connection, document_id)
    if row.state == "served":
        raise Conflict(f"文书《{row.title}》已经送达当事人，不能撤回；需要另行作出撤销决定。", code="document_served")
    if row.state != "issued":
        raise Conflict(f"文书《{row.title}》没有签发，不用撤回。")
    if not reason.strip():
        raise Invalid("撤回文书要写明理由。", fields={"reason": "请写明理由"})
    end_document(connection, row, state="withdrawn", reason=reason.strip(), at=at)

