"""What a person sees about themselves."""
from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from engine.runtime.queries.named import statements

SQL = statements(__file__)


def posts(connection: Connection, *, person_id: UUID, on: date) -> list[dict[str, Any]]:
    """Posts held on a day: id, title, unit, main; the main one first."""
    return [dict(row) for row in connection.execute(SQL["posts"], {"person": person_id, "on": on}).mappings()]


def profile(connection: Connection, *, account_id: UUID) -> dict[str, Any]:
    """login, name, certificate_number, certificate_until."""
    return dict(connection.execute(SQL["profile"], {"account": account_id}).mappings().one())
