"""Marks: each scorer's own sheet for an item that several people score, and the score that they make together."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from engine.access.actors import Actor
from engine.access.assignment import candidates
from engine.kernel.clock import legal_date
from engine.reporting.assessments.declaration import Assessment
from engine.reporting.assessments.sheet import Item
from engine.storage.tables.assessments import assessment_mark


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What one person gave one unit for one item."""

    score_id: UUID
    person_id: UUID
    name: str
    role: str
    score: Decimal
    words: str
    at: datetime


def marks_of(connection: Connection, *, score_ids: Iterable[UUID]) -> dict[UUID, list[Mark]]:
    """{score: its marks, in the order they were given}. One statement."""
    m = assessment_mark.c
    found: dict[UUID, list[Mark]] = {}
    for row in connection.execute(select(assessment_mark).where(m.score_id.in_(list(score_ids))).order_by(m.score_id, m.first_at)):
        found.setdefault(row.score_id, []).append(Mark(score_id=row.score_id, person_id=row.person_id, name=row.person_name, role=row.role, score=row.score, words=row.words, at=row.at))
    return found


def role_of(connection: Connection, *, assessment: Assessment, item: Item, unit_id: UUID, actor: Actor, at: datetime) -> str | None:
    """The role in which ``actor`` scores ``item`` in a round that ``unit_id`` holds; None for who doesn't."""
    roles: Sequence[str] = list(item.several.weights) if item.several and item.several.weights else [assessment.scores]
    return next((role for role in roles if not set(actor.posts).isdisjoint(candidates(connection, role=role, case_unit_id=unit_id, on=legal_date(at)))), None)


def keep_mark(connection: Connection, *, score_id: UUID, actor: Actor, role: str, score: Decimal | None, words: str, at: datetime) -> bool:
    """Write, change or (``score`` None) take back the actor's own mark; whether anything changed."""
    m = assessment_mark.c
    own = (m.score_id == score_id, m.person_id == actor.person_id)
    before = connection.execute(select(m.score, m.words).where(*own)).one_or_none()
    if score is None:
        return bool(connection.execute(delete(assessment_mark).where(*own)).rowcount)
    if before is not None and (before.score, before.words) == (score, words):
        return False
    values: dict[str, Any] = {"person_name": actor.name, "role": role, "score": score, "words": words, "at": at}
    connection.execute(insert(assessment_mark).values(score_id=score_id, person_id=actor.person_id, first_at=at, **values).on_conflict_do_update(index_elements=["score_id", "person_id"], set_=values))
    return True


def told_marks(item: Item, marks: Sequence[Mark]) -> str:
    """The marks in words, as the score keeps them: how the score came about, and every ground that was written."""
    assert item.several is not None
    grounds = "；".join(one.words for one in marks if one.words)
    return f"{len(marks)} 人打分，{item.several.told}。{grounds}"[:500]


def shown_marks(marks: Mapping[UUID, Sequence[Mark]], *, score_id: UUID, item: Item, actor: Actor, scores: bool) -> Sequence[Mark]:
    """The marks that a reader sees: all of them, but for a scorer who hasn't marked yet none, so that nobody copies."""
    held = marks.get(score_id, ())
    return [] if scores and item.several and all(one.person_id != actor.person_id for one in held) else held
