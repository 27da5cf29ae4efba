"""使用率: which departments used the platform in a period: people, who signed in, sign-ins, steps done."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, text

from engine.access.organisation import UNIT_KINDS


@dataclass(frozen=True, kw_only=True)
class Department:
    """A unit in which people sit. ``people`` sit there in the period, ``signed_in`` of them signed in, ``sign_ins`` times; ``steps`` were done."""

    id: UUID
    name: str
    kind: str
    path: str
    depth: int
    people: int
    signed_in: int
    sign_ins: int
    steps: int

    @property
    def used(self) -> bool:
        return self.sign_ins > 0 or self.steps > 0


# A person counts for the unit of each main post held at any time of the period; what deputies and second posts do counts for the main post.
_QUERY = text("""
WITH seated AS (
  SELECT p.unit_id, p.person_id FROM post p
  WHERE p.main AND p.valid_from <= :last AND (p.valid_until IS NULL OR p.valid_until >= :first) GROUP BY 1, 2
), entered AS (
  SELECT actor_id, count(*) AS times FROM audit WHERE at >= :since AND at < :before AND action = '登录' AND actor_id IS NOT NULL GROUP BY 1
), done AS (
  SELECT actor_id, count(*) AS times FROM audit WHERE at >= :since AND at < :before AND action LIKE 'act.%' AND actor_id IS NOT NULL GROUP BY 1
)
SELECT u.id, u.name, u.kind, u.path, count(*) AS people, count(e.times) AS signed_in, coalesce(sum(e.times), 0) AS sign_ins, coalesce(sum(d.times), 0) AS steps
FROM seated s JOIN unit u ON u.id = s.unit_id AND u.active AND u.path LIKE :path
LEFT JOIN entered e ON e.actor_id = s.person_id LEFT JOIN done d ON d.actor_id = s.person_id
GROUP BY u.id ORDER BY u.path
""")


def departments(connection: Connection, *, path: str = "", first: date, last: date, since: datetime, before: datetime) -> list[Department]:
    """Every department at and below ``path`` in the order of the tree; ``since`` and ``before`` bound the days ``first`` to ``last``."""
    rows = connection.execute(_QUERY, {"path": path.replace("%", r"\%").replace("_", r"\_") + "%", "first": first, "last": last, "since": since, "before": before})
    return [
        Department(id=row.id, name=row.name, kind=UNIT_KINDS.get(row.kind, row.kind), path=row.path, depth=row.path.count("/") - 1, people=row.people, signed_in=row.signed_in,
                   sign_ins=int(row.sign_ins), steps=int(row.steps))
        for row in rows
    ]


def rate(found: list[Department]) -> tuple[int, int, float | None]:
    """(departments that used it, departments it is meant for, percent); nothing when there is none."""
    used = sum(one.used for one in found)
    return used, len(found), round(used * 100 / len(found), 1) if found else None
