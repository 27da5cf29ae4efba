"""Letting one more person see one case: after handling it, by sharing, by a copy of a decision; with an end where wanted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from engine.access.integrity import grant_mac, mac_of
from engine.kernel.clock import SHANGHAI
from engine.storage.tables.cases import case_grant
from engine.storage.tables.organisation import person

REASONS = {"handled": "经办", "shared": "授权查看", "copied": "抄送"}


def grant_case(
    connection: Connection, *, case_id: UUID, person_ids: Collection[UUID], reason: str, at: datetime, last_day: date | None = None
) -> None:
    """Let ``person_ids`` see the case, up to and including ``last_day``; a later grant for the same reason replaces the term."""
    if reason not in REASONS:
        raise ValueError(reason)
    if not person_ids:
        return
    until = None if last_day is None else datetime.combine(last_day + timedelta(days=1), time(), SHANGHAI)
    mac = mac_of(connection)
    rows = [
        {"case_id": case_id, "person_id": id, "reason": reason, "at": at, "until": until, "mac": grant_mac(mac, case_id, id, reason, until) if mac else None}
        for id in sorted(set(person_ids))
    ]
    statement = insert(case_grant).values(rows)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["case_id", "person_id", "reason"],
            set_={"at": statement.excluded.at, "until": statement.excluded.until, "mac": statement.excluded.mac},
            where=case_grant.c.until.is_distinct_from(statement.excluded.until),
        )
    )


def revoke_grant(connection: Connection, *, case_id: UUID, person_id: UUID, reason: str = "shared") -> bool:
    """Take a grant back; False when there was none."""
    mine = (case_grant.c.case_id == case_id) & (case_grant.c.person_id == person_id) & (case_grant.c.reason == reason)
    return bool(connection.execute(delete(case_grant).where(mine)).rowcount)


def grants_of(connection: Connection, *, case_id: UUID) -> list[Row[Any]]:
    """Who was granted a look, the newest first: person_id, name, reason, at, until."""
    g = case_grant.c
    return list(
        connection.execute(
            select(g.person_id, person.c.name, g.reason, g.at, g.until)
            .join(person, person.c.id == g.person_id)
            .where(g.case_id == case_id)
            .order_by(g.at.desc(), g.person_id)
        )
    )


def count_grants(connection: Connection, *, person_id: UUID) -> int:
    """How many cases a person sees by grant."""
    return connection.execute(select(func.count(case_grant.c.case_id.distinct())).where(case_grant.c.person_id == person_id)).scalar_one()
