"""流转日志: every step that a case has been at, with unit, person, time and how long it stayed there."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from engine.access.actors import Actor
from engine.access.scope import require_case
from engine.runtime.queries.named import statements

SQL = statements(__file__)
MOST = 500
ENDING = {"withdraw": "撤回", "return": "退回", "terminate": "终止", "restore": "恢复到更早"}
"""How a step that nobody finished came to an end, after the name of who did it; anything else just cancelled it."""


@dataclass(frozen=True, kw_only=True)
class Hop:
    """One step. ``left`` is None and ``stay`` counts up to now while it is open; ``sent_back``: it came here by a return, ``returned``: it was
    sent back from here, ``ended``: what took a cancelled step away, ``for_whom``: the principal, where a deputy did it.

    state   open, done, undone (taken back, or done again after a return) or cancelled
    """

    title: str
    process: str
    unit: str
    person: str
    post: str
    came_from: str
    sent_back: bool
    arrived: datetime
    left: datetime | None
    stay: timedelta
    due_on: date | None
    outcome: str
    opinion: str
    state: str
    returned: bool
    for_whom: str
    ended: str


def journey(connection: Connection, *, actor: Actor, case_id: UUID, at: datetime) -> list[Hop]:
    """The case's steps, oldest first, at most ``MOST``. Raises NotFound for a case that ``actor`` may not see."""
    require_case(connection, actor, case_id)
    return [_hop(dict(row), at) for row in connection.execute(SQL["journey"], {"case_id": case_id, "at": at, "most": MOST}).mappings()]


def _hop(row: dict[str, Any], at: datetime) -> Hop:
    outcome = row["outcome"] or ""
    state = {"open": "open", "cancelled": "cancelled"}.get(row["status"], "undone" if row["undone"] else "done")
    return Hop(
        title=row["title"], process=row["process_title"] or "", unit=row["unit"] or "", person=row["person"] or "", post=row["post_title"] or row["role_title"] or "",
        came_from=row["from_name"], sent_back=row["sent_back"], arrived=row["opened_at"], left=row["ended_at"], stay=max((row["ended_at"] or at) - row["opened_at"], timedelta()),
        due_on=row["due_on"], outcome=outcome, opinion=row["opinion"] or "", state=state,
        returned=row["act_kind"] == "return" or outcome.startswith(("退回", "退单", "不予", "不同意")), for_whom=row["for_whom"] or "",
        ended=f"{row['gone_by']}{ENDING[row['gone_kind']]}" if row["gone_kind"] in ENDING else "",
    )


def stays(hops: list[Hop]) -> list[tuple[str, timedelta, int]]:
    """How long the case stayed in each unit altogether, and how many steps that were, in the order in which it first came there."""
    found: dict[str, tuple[timedelta, int]] = {}
    for hop in hops:
        if hop.unit:
            before, count = found.get(hop.unit, (timedelta(), 0))
            found[hop.unit] = (before + hop.stay, count + 1)
    return [(unit, stay, count) for unit, (stay, count) in found.items()]
