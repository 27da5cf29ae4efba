"""Scores of manual items: given and changed by people while the round is open for it, each change with its history; evidence beside them."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, select

from engine.access import audit
from engine.access.actors import Actor
from engine.kernel.clock import legal_date
from engine.kernel.errors import Forbidden, Invalid
from engine.registers.catalogue import get_register
from engine.registers.write_record import write_record
from engine.reporting.assessments.sheet import CENT, Item
from engine.runtime.application import Application
from engine.runtime.assessments.marks import keep_mark, marks_of, role_of, told_marks
from engine.runtime.assessments.rounds import SCORING, Board, find_board, may_score, tables_of

LONGEST = 500


@dataclass(frozen=True, kw_only=True)
class Given:
    """One score as it was typed: ``score`` empty takes it back. ``files`` None leaves the evidence alone."""

    unit_id: UUID
    item: str
    score: str
    words: str
    files: Sequence[Mapping[str, Any]] | None = None


def give_scores(app: Application, *, actor: Actor, round_id: UUID, given: Sequence[Given], at: datetime) -> int:
    """Write them all or none; how many changed. Raises NotFound, Forbidden, Invalid with a message per cell, under ``<unit>.<item>``."""
    with app.db.begin() as connection:
        board = _locked(app, connection, actor, round_id, at)
        items = {one.key: one for one in board.items}
        rows = {(line.unit_id, key): score for line in board.lines for key, score in line.scores.items()}
        faults: dict[str, str] = {}
        wanted = [(one, rows.get((one.unit_id, one.item)), _checked(items.get(one.item), one, faults)) for one in given]
        if faults:
            raise Invalid(f"还有 {len(faults)} 处要改：{next(iter(faults.values()))}", code="bad_score", fields=faults)
        roles = {key: role_of(connection, assessment=board.assessment, item=items[key], unit_id=board.row["unit_id"], actor=actor, at=at) for key in {one.item for one in given}}
        if None in roles.values():
            raise Forbidden("您的岗位不给这一项打分。")
        changed = sum(_write(app, connection, board, row, one, score, actor, at, items[one.item], str(roles[one.item])) for one, row, score in wanted if row is not None)
        if changed:
            audit.note(connection, actor=actor, at=at, action="assessment.score", object=str(round_id), detail={"changed": changed})
    return changed


def _locked(app: Application, connection: Connection, actor: Actor, round_id: UUID, at: datetime) -> Board:
    board = find_board(connection, library=app.library, actor=actor, round_id=round_id)
    rounds, _, _ = tables_of(app.library, board.assessment)
    state = connection.scalar(select(rounds.c.state).where(rounds.c.id == round_id).with_for_update())
    if state != SCORING:
        raise Invalid("这一轮的得分已经确定，不能再改；有异议由被考核单位在公示期内申诉。", code="frozen")
    if not may_score(connection, board=board, actor=actor, at=at):
        raise Forbidden("您的岗位不给这项考核打分。")
    return find_board(connection, library=app.library, actor=actor, round_id=round_id)  # as it stands now that nobody else writes it


def _checked(item: Item | None, one: Given, faults: dict[str, str]) -> Decimal | None:
    """The score as a number, None when it is taken back; what is wrong goes to ``faults``."""
    place = f"{one.unit_id}.{one.item}"
    if item is None or item.automatic:
        faults[place] = "这一项由系统取数，不能手工打分。"
        return None
    if len(one.words) > LONGEST:
        faults[place] = f"说明最多 {LONGEST} 字。"
    if not one.score.strip():
        return None
    score = read_score(one.score)
    if score is None or not 0 <= score <= item.points:
        faults[place] = f"“{item.title}”写 0 到 {item.points:f} 之间的数，最多两位小数。"
    elif item.kind == "normal" and score < item.points and not one.words.strip():
        faults[place] = f"“{item.title}”没有给满分，请写明依据。"
    elif item.kind != "normal" and score and not one.words.strip():
        faults[place] = f"“{item.title}”请写明依据。"
    return score


def read_score(text: str) -> Decimal | None:
    """``text`` as a score; None for what is none."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() and value == value.quantize(CENT) else None


def _write(app: Application, connection: Connection, board: Board, row: RowMapping, one: Given, score: Decimal | None, actor: Actor, at: datetime, item: Item, role: str) -> bool:
    register, table = get_register(app.library, board.assessment.score)
    words, reason, marked = one.words.strip() or None, "打分" if row["score"] is None else "改分", False
    if item.several is not None:
        marked = keep_mark(connection, score_id=row["id"], actor=actor, role=role, score=score, words=words or "", at=at)
        marks = marks_of(connection, score_ids=[row["id"]]).get(row["id"], [])
        score, reason = item.several.merge(marks), f"{actor.name}{'收回' if score is None else f'打 {score:f} 分'}，{item.several.told}"
        words = told_marks(item, marks) if marks else None
    values: dict[str, Any] = {"score": score, "words": words}
    if one.files is not None:
        values["evidence"] = list(one.files)
    if all((row[name] or None) == (value or None) if name == "evidence" else row[name] == value for name, value in values.items()):
        return marked
    values |= {"scored_by": "、".join(mark.name for mark in marks)[:200] if item.several else actor.name, "scored_on": legal_date(at)}
    write_record(
        connection, register=register, table=table, record_id=row["id"], values=values, case_id=row["case_id"], unit_id=row["unit_id"], district_id=row["district_id"], keys=app.keys, at=at,
        by_id=actor.person_id, by_name=actor.name, reason=reason,
    )
    return True
