"""Answers that were submitted, opened for the reader."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from engine.kernel.gm.keyring import KeyRing
from engine.runtime.queries.named import statements
from engine.runtime.secrets import mask_secret, open_secrets

SQL = statements(__file__)


@dataclass(frozen=True, kw_only=True)
class Answers:
    """One submitted form: ``data`` with its encrypted parts masked; the whole of them is shown for a reason (``engine.runtime.reveal``)."""

    node: str
    instance_id: UUID
    form: str
    data: Mapping[str, Any]
    by_name: str
    at: datetime
    superseded: bool
    id: UUID | None = None


def latest(connection: Connection, *, keys: KeyRing, case_id: UUID) -> dict[str, Answers]:
    """Node → the newest answers given there, those that still count first. One statement."""
    rows = connection.execute(SQL["latest"], {"case_id": case_id}).mappings()
    return {
        row["node"]: Answers(
            node=row["node"], instance_id=row["instance_id"], form=row["form"], data=open_secrets(keys, row["data"], mask=mask_secret), by_name=row["by_name"], at=row["at"], superseded=row["superseded"], id=row["id"],
        )
        for row in rows
    }


def latest_sealed(connection: Connection, *, case_id: UUID) -> dict[str, Mapping[str, Any]]:
    """As ``latest``, for readers who get secrets masked: rows with node, form, data as stored, by_name, at, superseded."""
    return {row["node"]: dict(row) for row in connection.execute(SQL["latest"], {"case_id": case_id}).mappings()}
