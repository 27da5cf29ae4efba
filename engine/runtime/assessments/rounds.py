"""A round of an assessment as its records hold it: who may look at it, its scores, what each unit has in total."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, Table, or_, select

from engine.access.actors import Actor
from engine.access.assignment import candidates
from engine.access.scope import scope_root
from engine.kernel.clock import legal_date
from engine.kernel.errors import NotFound
from engine.packs.library import Library
from engine.registers.catalogue import get_register
from engine.registers.scope import visible
from engine.reporting.assessments.catalogue import assessments_of, get_assessment
from engine.reporting.assessments.declaration import Assessment
from engine.reporting.assessments.sheet import Item, rank, total_of
from engine.runtime.assessments.sheets import items_of
from engine.storage.tables.organisation import unit

SCORING, PUBLISHED, CLOSED = "scoring", "published", "closed"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One assessed unit. ``scores``: {item: row of the score}; ``total`` None while something is missing, ``place`` too."""

    unit_id: UUID
    name: str
    scores: Mapping[str, RowMapping]
    total: Decimal | None
    place: int | None
    grade: str


@dataclass(frozen=True, kw_only=True)
class Board:
    """A round with its lines by place, else by the tree. ``whole``: the reader sees every unit, else only their own."""

    assessment: Assessment
    row: RowMapping
    items: Sequence[Item]
    lines: Sequence[Line]
    whole: bool

    @property
    def state(self) -> str:
        return str(self.row["state"])

    @property
    def missing(self) -> list[tuple[str, str]]:
        """(unit, item) titles without a score."""
        return [(line.name, item.title) for line in self.lines for item in self.items if line.scores[item.key]["score"] is None]


def tables_of(library: Library, assessment: Assessment) -> tuple[Table, Table, Table]:
    """The tables of rounds, scores and results."""
    names = (assessment.round, assessment.score, assessment.result)
    rounds, scores, results = (get_register(library, name)[1] for name in names)
    return rounds, scores, results


def rounds_seen(connection: Connection, *, library: Library, actor: Actor, limit: int = 50) -> list[tuple[Assessment, RowMapping]]:
    """The newest rounds that ``actor`` may look at: those that their bureau holds, and those in which their units are assessed once these are out."""
    found = []
    for assessment in assessments_of(library).values():
        rounds, _, _ = tables_of(library, assessment)
        query = select(rounds).where(_seen(library, assessment, actor), rounds.c.deleted_at.is_(None), rounds.c.assessment == assessment.name)
        found += [(assessment, row) for row in connection.execute(query.order_by(rounds.c.created_at.desc()).limit(limit)).mappings()]
    return sorted(found, key=lambda one: one[1]["created_at"], reverse=True)[:limit]


def find_board(connection: Connection, *, library: Library, actor: Actor, round_id: UUID) -> Board:
    """The round as far as ``actor`` may see it; raises NotFound."""
    for assessment in assessments_of(library).values():
        rounds, _, _ = tables_of(library, assessment)
        query = select(rounds).where(rounds.c.id == round_id, rounds.c.assessment == assessment.name, rounds.c.deleted_at.is_(None), _seen(library, assessment, actor))
        row = connection.execute(query).mappings().one_or_none()
        if row is not None:
            return _board(connection, library, assessment, row, actor)
    raise NotFound("没有这一轮考核，或者您不能查看。")


def board_of(connection: Connection, *, library: Library, row: RowMapping) -> Board:
    """The whole of a round, for procedures that run it."""
    return _board(connection, library, get_assessment(library, row["assessment"]), row, None)


def may_score(connection: Connection, *, board: Board, actor: Actor, at: Any) -> bool:
    """Whether ``actor`` gives some manual score in this round now."""
    roles = dict.fromkeys([board.assessment.scores, *(role for one in board.items if one.several for role in one.several.weights)])
    return board.state == SCORING and any(not set(actor.posts).isdisjoint(candidates(connection, role=role, case_unit_id=board.row["unit_id"], on=legal_date(at))) for role in roles)


def _seen(library: Library, assessment: Assessment, actor: Actor) -> Any:
    rounds, scores, _ = tables_of(library, assessment)
    held = rounds.c.id.in_(_holder(library, assessment, actor))
    mine = select(scores.c.round).where(scores.c.assessed.in_(own_units(actor)), scores.c.deleted_at.is_(None))
    return or_(held, rounds.c.state.in_((PUBLISHED, CLOSED)) & rounds.c.id.in_(mine))


def _holder(library: Library, assessment: Assessment, actor: Actor) -> Select[Any]:
    register, table = get_register(library, assessment.round)
    return visible(register, table, actor, table.c.id)


def own_units(actor: Actor) -> Select[Any]:
    """Units that are assessed with ``actor`` in them: the own unit, its bureau for people of its offices, what is below their view."""
    ways = [unit.c.id == actor.unit_id]
    root = scope_root(actor)
    if root is not None:
        ways.append(unit.c.path.startswith(root, autoescape=True))
        if actor.district_id is not None:
            ways.append(unit.c.id == actor.district_id)
    return select(unit.c.id).where(or_(*ways))


def _board(connection: Connection, library: Library, assessment: Assessment, row: RowMapping, actor: Actor | None) -> Board:
    items = items_of(library, assessment, row["items"])
    _, scores, _ = tables_of(library, assessment)
    query = select(scores, unit.c.short_name, unit.c.path).join_from(scores, unit, unit.c.id == scores.c.assessed).where(scores.c.round == row["id"], scores.c.deleted_at.is_(None))
    whole = actor is None or connection.scalar(_holder(library, assessment, actor).where(tables_of(library, assessment)[0].c.id == row["id"])) is not None
    if not whole and actor is not None:
        query = query.where(scores.c.assessed.in_(own_units(actor)))
    given: dict[UUID, dict[str, RowMapping]] = {}
    for score in connection.execute(query.order_by(unit.c.path, scores.c.place)).mappings():
        given.setdefault(score["assessed"], {})[score["item"]] = score
    totals = {id: total_of(items, {key: score["score"] for key, score in held.items()}) for id, held in given.items()}
    places = rank(totals) if whole else {}
    lines = [_line(assessment, id, held, totals[id], places.get(id)) for id, held in given.items()]
    return Board(assessment=assessment, row=row, items=items, lines=sorted(lines, key=lambda one: one.place or 0) if row["state"] != SCORING else lines, whole=whole)


def _line(assessment: Assessment, id: UUID, held: Mapping[str, RowMapping], total: Decimal | None, place: int | None) -> Line:
    name = next(iter(held.values()))["short_name"]
    return Line(unit_id=id, name=name, scores=held, total=total, place=place, grade="" if total is None else assessment.grade_of(total))
