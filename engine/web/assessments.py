"""考核: rounds with their scores and places, manual scores given by item or one by one, one unit's sheet with the lists behind its figures."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.form_filling.render import render_form
from engine.form_filling.validate import validate
from engine.kernel.errors import Invalid, NotFound
from engine.kernel.names import name_of, pack_of
from engine.reporting.assessments.catalogue import assessments_of
from engine.reporting.assessments.sheet import KINDS, Item
from engine.reporting.statistics.periods import read_period
from engine.runtime.assessments import rounds
from engine.runtime.assessments.give_scores import Given, give_scores
from engine.runtime.assessments.marks import Mark, marks_of, role_of, shown_marks
from engine.runtime.assessments.rounds import Board, Line
from engine.runtime.assessments.score_form import score_form
from engine.runtime.assessments.tell_round import grades_of
from engine.runtime.change_counting import may_change_counting
from engine.runtime.form_context import form_context
from engine.runtime.queries.related import files_of
from engine.web.answers import done
from engine.web.context import actor, application, identifier, now, reading
from engine.web.task_form import addresses

blueprint = Blueprint("assessments", __name__)
STATES = {"scoring": ("now", "评分中"), "published": ("soon", "公示中"), "closed": ("ok", "已定结果")}


@blueprint.get("/assessments")
def page() -> ResponseReturnValue:
    with reading() as connection:
        found = rounds.rounds_seen(connection, library=application().library, actor=actor())
    kept = assessments_of(application().library).values()
    return render_template(
        "assessments/page.html", rounds=found, states=STATES, assessments=kept, may=may_change_counting(actor()), pack_of=pack_of, name_of=name_of, period=lambda code: read_period(code).title,
    )


@blueprint.get("/assessments/<round_id>")
def one(round_id: str) -> ResponseReturnValue:
    with reading() as connection:
        board = _board(connection, round_id)
        scores = rounds.may_score(connection, board=board, actor=actor(), at=now())
        grades = grades_of(connection, application().library, board.assessment)
    if not board.whole and len(board.lines) == 1:
        return redirect(url_for("assessments.unit", round_id=board.row["id"], unit_id=board.lines[0].unit_id))
    return render_template("assessments/one.html", **_shared(board), grades=grades, scores=scores, manual=[one for one in board.items if not one.automatic])


@blueprint.get("/assessments/<round_id>/units/<unit_id>")
def unit(round_id: str, unit_id: str) -> ResponseReturnValue:
    """One unit: every item with its figures, the lists behind them, what was written and attached."""
    with reading() as connection:
        board = _board(connection, round_id)
        line = _line(board, unit_id)
        scores = rounds.may_score(connection, board=board, actor=actor(), at=now())
        own = {one.key for one in board.items if scores and not one.automatic and role_of(connection, assessment=board.assessment, item=one, unit_id=board.row["unit_id"], actor=actor(), at=now()) is not None}
        grades = grades_of(connection, application().library, board.assessment)
        files = {row["id"]: files_of(connection, record_id=row["id"]) for row in line.scores.values() if row["evidence"]}
        held = marks_of(connection, score_ids=[row["id"] for row in line.scores.values()]) if board.whole and any(one.several for one in board.items) else {}
    marks = {one.key: shown_marks(held, score_id=line.scores[one.key]["id"], item=one, actor=actor(), scores=one.key in own) for one in board.items if one.several}
    return render_template("assessments/unit.html", **_shared(board), line=line, grades=grades, scores=scores, files=files, own=own, marks=marks, counts={key: len(held.get(line.scores[key]["id"], [])) for key in marks}, register=board.assessment.score, list_of=_list_of)


@blueprint.get("/assessments/<round_id>/items/<item>")
def item(round_id: str, item: str) -> ResponseReturnValue:
    return _item_page(round_id, item)


@blueprint.post("/assessments/<round_id>/items/<item>")
def score_item(round_id: str, item: str) -> ResponseReturnValue:
    """The scores of one manual item for every unit, as they stand in the table."""
    with reading() as connection:
        board = _board(connection, round_id)
    given = [Given(unit_id=line.unit_id, item=item, score=request.form.get(f"s.{line.unit_id}", ""), words=request.form.get(f"w.{line.unit_id}", "")) for line in board.lines]
    try:
        changed = give_scores(application(), actor=actor(), round_id=board.row["id"], given=given, at=now())
    except Invalid as problem:
        if not problem.fields:
            raise
        return _item_page(round_id, item, message=problem.message, errors=problem.fields, sent=request.form), 422
    return done(url_for("assessments.one", round_id=round_id), f"已保存，改了 {changed} 个得分。" if changed else "没有改动。")


@blueprint.get("/assessments/<round_id>/units/<unit_id>/<item>")
def score(round_id: str, unit_id: str, item: str) -> ResponseReturnValue:
    return _score_page(round_id, unit_id, item)


@blueprint.post("/assessments/<round_id>/units/<unit_id>/<item>")
def give(round_id: str, unit_id: str, item: str) -> ResponseReturnValue:
    """One score with its material."""
    with reading() as connection:
        board = _board(connection, round_id)
    line, wanted = _line(board, unit_id), _manual(board, item)
    data = score_form(application(), board.assessment, wanted).read_html(request.form)
    one = Given(unit_id=line.unit_id, item=item, score=str(data.get("score") or ""), words=str(data.get("words") or ""), files=data.get("evidence") or [])
    try:
        _require_usable(board, line, wanted, data)
        give_scores(application(), actor=actor(), round_id=board.row["id"], given=[one], at=now())
    except Invalid as problem:
        if not problem.fields:
            raise
        told = {"score" if path.endswith(f".{item}") else path: text for path, text in problem.fields.items()}
        return _score_page(round_id, unit_id, item, sent=data, errors=told), 422
    return done(url_for("assessments.unit", round_id=round_id, unit_id=unit_id), f"“{wanted.title}”已保存。")


def _require_usable(board: Board, line: Line, item: Item, data: Mapping[str, Any]) -> None:
    """The files are the actor's own or already there: raises Invalid."""
    form = score_form(application(), board.assessment, item)
    with reading() as connection:
        context = form_context(application(), connection, actor=actor(), form=form, at=now(), record_id=line.scores[item.key]["id"])
        validate(form, data=data, rights={"*": "write"}, context=context)


def _item_page(round_id: str, key: str, **more: Any) -> str:
    with reading() as connection:
        board = _board(connection, round_id)
        wanted = _manual(board, key)
        scores = rounds.may_score(connection, board=board, actor=actor(), at=now()) and role_of(connection, assessment=board.assessment, item=wanted, unit_id=board.row["unit_id"], actor=actor(), at=now()) is not None
        marks = marks_of(connection, score_ids=[line.scores[key]["id"] for line in board.lines]) if wanted.several else {}
    own = {line.unit_id: _own(marks, line, wanted) for line in board.lines}
    return render_template("assessments/item.html", **_shared(board), item=wanted, scores=scores, own=own, counts={line.unit_id: len(marks.get(line.scores[key]["id"], [])) for line in board.lines}, **{"message": "", "errors": {}, "sent": None, **more})


def _score_page(round_id: str, unit_id: str, key: str, *, sent: Mapping[str, Any] | None = None, errors: Mapping[str, str] | None = None) -> str:
    with reading() as connection:
        board = _board(connection, round_id)
        line, wanted = _line(board, unit_id), _manual(board, key)
        if not rounds.may_score(connection, board=board, actor=actor(), at=now()):
            raise Invalid("现在不能打分：这一轮已经公示，或者不由您的岗位打分。", code="frozen")
        form, row = score_form(application(), board.assessment, wanted), line.scores[key]
        own = _own(marks_of(connection, score_ids=[row["id"]]) if wanted.several else {}, line, wanted)
        kept = {"score": own.score if own.score is None else _plain(own.score), "words": own.words, "evidence": row["evidence"]}
        data = sent if sent is not None else {name: value for name, value in kept.items() if value is not None}
        register = board.assessment.score
        url = addresses("register_edit.live", pack=pack_of(register), name=name_of(register))
        context = form_context(application(), connection, actor=actor(), form=form, at=now(), url=url, data=data, record_id=row["id"])
        html = render_form(form, data=data, rights={"*": "write"}, errors=dict(errors or {}), context=context)
    return render_template("assessments/score.html", **_shared(board), line=line, item=wanted, html=html, errors=errors or {})


@dataclass(frozen=True, kw_only=True)
class Own:
    """What the reader gave one unit: their own mark where several people score, else the score itself."""

    score: Decimal | None
    words: str | None


def _own(marks: Mapping[UUID, Sequence[Mark]], line: Line, item: Item) -> Own:
    row = line.scores[item.key]
    if item.several is None:
        return Own(score=row["score"], words=row["words"])
    mine = next((one for one in marks.get(row["id"], ()) if one.person_id == actor().person_id), None)
    return Own(score=mine.score if mine else None, words=mine.words if mine else None)


def _shared(board: Board) -> dict[str, Any]:
    return {"board": board, "row": board.row, "state": STATES[board.state], "period": read_period(board.row["period"]).title, "kinds": KINDS}


def _board(connection: Any, round_id: str) -> Board:
    return rounds.find_board(connection, library=application().library, actor=actor(), round_id=identifier(round_id, "考核"))


def _line(board: Board, unit_id: str) -> Line:
    id: UUID = identifier(unit_id, "单位")
    found = next((line for line in board.lines if line.unit_id == id), None)
    if found is None:
        raise NotFound("这一轮没有考核这个单位，或者您不能查看。")
    return found


def _manual(board: Board, key: str) -> Item:
    found = next((one for one in board.items if one.key == key and not one.automatic), None)
    if found is None:
        raise NotFound("没有这个人工打分的项目。")
    return found


def _plain(score: Decimal) -> int | float:
    """As a form holds a number."""
    return int(score) if score == score.to_integral_value() else float(score)


def _list_of(register: str) -> str:
    return url_for("registers.listed", pack=pack_of(register), name=name_of(register))
