"""An assessment as steps of a procedure: open a round and count, count again, publish, correct after an appeal, close with places."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, select, update

from engine.kernel.errors import BusinessError, Invalid
from engine.kernel.ids import new_id
from engine.kernel.names import pack_of, qualify
from engine.registers.catalogue import get_register
from engine.registers.write_record import changes_of, to_column, write_record
from engine.reporting.assessments.catalogue import get_assessment
from engine.reporting.assessments.declaration import Assessment
from engine.reporting.assessments.sheet import Item, rank
from engine.reporting.statistics.periods import Period, read_period
from engine.runtime.assessments.count import Counted, count_items
from engine.runtime.assessments.give_scores import read_score
from engine.runtime.assessments.rounds import CLOSED, PUBLISHED, SCORING, Board, Line, board_of, tables_of
from engine.runtime.assessments.sheets import sheet_in_force
from engine.runtime.handlers import service_task
from engine.runtime.task_context import TaskContext
from engine.storage.tables.organisation import unit as unit_table
from engine.storage.tables.registers import record_history

MOST_UNITS = 500


@service_task(title="开一轮考核", mode="inline")
def open_assessment(context: TaskContext, *, assessment: str, period: str, title: str = "") -> dict[str, Any]:
    """Open a round of ``assessment`` (qualified) about ``period`` (2026, 2026-Q3, 2026-11) with the score sheet in force and count its automatic items.

    Results: ``round`` (id of its record), ``round_title``, ``units`` (list of {unit, name}), ``items`` (list of {id, title}, for a choice among them), ``count``. The act is refused for a period of another kind,
    one that is still to come, one that has a round already, and where nobody is to be assessed.
    """
    declared = get_assessment(context.app.library, qualify(assessment, pack_of(context.process)))
    asked = _period(declared, period, context.today)
    version, items = sheet_in_force(context.connection, context.app.library, declared)
    units = context.units_below(declared.assessed)
    _require_first(context, declared, asked, units)
    named = title.strip() or f"{asked.title}{declared.title}"
    values = {
        "title": named, "name": declared.title, "assessment": declared.name, "period": asked.code, "state": SCORING, "items": [one.plain() for one in items], "version": version,
        "units": len(units), "counted_at": context.at,
    }
    (id,) = _make_many(context, declared.round, [values])
    counted = _count(context, items, asked, units)
    _make_many(context, declared.score, [_score(id, UUID(one), place, item, counted.get((UUID(one), item.key))) for one in units for place, item in enumerate(items)])
    names = {row.id: row.short_name for row in context.connection.execute(select(unit_table.c.id, unit_table.c.short_name).where(unit_table.c.id.in_([UUID(one) for one in units])))}
    offered = [{"id": one.key, "title": one.title} for one in items]
    return {"round": str(id), "round_title": named, "items": offered, "units": [{"unit": one, "name": names[UUID(one)]} for one in units], "count": len(units)}


@service_task(title="重新取数", mode="inline")
def recount_assessment(context: TaskContext, *, round: str) -> dict[str, Any]:
    """Count the automatic items of a round again, before it is published; manual scores stay. Result: ``changed``, how many scores are others now."""
    board = _board(context, round, SCORING)
    counted = _count(context, board.items, read_period(board.row["period"]), [str(line.unit_id) for line in board.lines])
    changed = 0
    for line in board.lines:
        for key, score in line.scores.items():
            found = counted.get((line.unit_id, key))
            if found is not None:
                changed += score["score"] != found.score
                _change(context, board.assessment.score, score, {"figures": [dict(one) for one in found.figures], "computed": found.score, "score": found.score}, "重新取数")
    _change(context, board.assessment.round, board.row, {"counted_at": context.at}, "重新取数")
    return {"changed": changed}


@service_task(title="检查得分齐全", mode="inline", pure=True)
def check_assessment(context: TaskContext, *, round: str) -> None:
    """Refuse the act while a score is missing, saying which."""
    missing = _board(context, round, SCORING).missing
    if missing:
        named = "、".join(f"{unit}“{item}”" for unit, item in missing[:3])
        raise Invalid(f"还有 {len(missing)} 项没有打分：{named}{'等' if len(missing) > 3 else ''}。打齐以后再提交。", code="missing_scores")


@service_task(title="公布考核得分", mode="inline")
def publish_assessment(context: TaskContext, *, round: str) -> None:
    """From now on figures and scores stand still and each assessed unit sees its own; only a decided appeal changes them. Refused while a score is missing."""
    check_assessment(context, round=round)
    board = _board(context, round, SCORING)
    _change(context, board.assessment.round, board.row, {"state": PUBLISHED, "published_on": context.today}, "公布得分")


@service_task(title="按申诉改分", mode="inline")
def correct_scores(context: TaskContext, *, round: str, unit: str, changes: list) -> dict[str, str]:
    """After an appeal of ``unit``: ``changes``, a list of {item, score, reason}, hold from now on. Result: ``told``, what was changed, in words."""
    board = _board(context, round, PUBLISHED)
    line = next((one for one in board.lines if str(one.unit_id) == unit), None)
    if line is None:
        raise Invalid("这个单位不在这一轮考核里。", code="bad_unit")
    return {"told": "；".join(_correct(context, board, line, change) for change in changes)}


def _correct(context: TaskContext, board: Board, line: Line, change: Mapping[str, Any]) -> str:
    found = next((one for one in board.items if one.key == change.get("item")), None)
    if found is None:
        raise Invalid("没有这个考核项目，请从列出的里选。", code="bad_item")
    given = read_score(str(change.get("score")))
    if given is None or not 0 <= given <= found.points:
        raise Invalid(f"“{found.title}”写 0 到 {found.points:f} 之间的数，最多两位小数。", code="bad_score")
    row, reason = line.scores[found.key], str(change.get("reason") or "")
    told = f"申诉后由 {row['score']:f} 分改为 {given:f} 分：{reason}"
    _change(context, board.assessment.score, row, {"score": given, "words": _joined(row["words"], told)}, f"申诉：{reason}")
    return f"{found.title}{told}"


@service_task(title="定下考核结果", mode="inline")
def close_assessment(context: TaskContext, *, round: str) -> dict[str, Any]:
    """Make the result of every unit: total, place (equal totals share one), grade; nothing changes afterwards. Results: ``best``, ``mean``, ``count``."""
    board = _board(context, round, PUBLISHED)
    totals = {line.unit_id: line.total for line in board.lines if line.total is not None}
    places = rank(totals)
    rows = [{
        "round": str(board.row["id"]), "title": board.row["title"], "period": board.row["period"], "assessed": str(id), "total": total, "place": places[id], "grade": board.assessment.grade_of(total) or None,
        "closed_on": context.today,
    } for id, total in totals.items()]
    _make_many(context, board.assessment.result, rows, owners=list(totals))
    _change(context, board.assessment.round, board.row, {"state": CLOSED, "closed_on": context.today}, "定下结果")
    mean = sum(totals.values(), Decimal(0)) / len(totals)
    return {"best": next(line.name for line in board.lines if places[line.unit_id] == 1), "mean": builtin_round(mean), "count": len(totals)}


@service_task(title="作废一轮考核", mode="inline")
def drop_assessment(context: TaskContext, *, round: str, reason: str = "") -> None:
    """Take a round that isn't published out of the registers, with its scores; what was there stays stored."""
    board = _board(context, round, SCORING)
    for register, rows in ((board.assessment.round, [board.row]), (board.assessment.score, [score for line in board.lines for score in line.scores.values()])):
        declared, table = get_register(context.app.library, register)
        ids = [row["id"] for row in rows]
        context.connection.execute(update(table).where(table.c.id.in_(ids)).values(deleted_at=context.at, deleted_reason=reason or "作废", updated_at=context.at))
        context.connection.execute(insert(record_history).values([_history(context, declared.name, id, {"deleted_at": [None, context.at.isoformat()]}, reason or "作废") for id in ids]))
        context.work.undo += [{"op": "removed_record", "register": declared.name, "id": str(id)} for id in ids]


def builtin_round(value: Decimal) -> Decimal:
    """Two places: ``round`` is a parameter's name here."""
    return value.quantize(Decimal("0.01"))


def _period(declared: Assessment, code: str, today: date) -> Period:
    asked = read_period(str(code))
    if asked.grain != declared.period:
        raise Invalid(f"“{declared.title}”的期间不是这一种，请写成{ {'year': '年份，如 2026', 'quarter': ' 2026-Q3', 'month': ' 2026-11'}.get(declared.period, '它的期间') }。", code="bad_period", fields={"period": "请改正。"})
    if asked.first > today:
        raise Invalid("这段期间还没有开始，不能考核。", code="bad_period", fields={"period": "请改正。"})
    return asked


def _require_first(context: TaskContext, declared: Assessment, asked: Period, units: Sequence[str]) -> None:
    rounds, _, _ = tables_of(context.app.library, declared)
    t = rounds.c
    other = context.connection.scalar(select(t.title).where(t.assessment == declared.name, t.period == asked.code, t.unit_id == context.case["unit_id"], t.deleted_at.is_(None)).limit(1))
    if other is not None:
        raise Invalid(f"{asked.title}已经有一轮“{other}”，请在那一轮里办理，或者先作废它。", code="round_exists", fields={"period": "已经有一轮。"})
    if not units or len(units) > MOST_UNITS:
        raise Invalid("没有要考核的单位。" if not units else f"一轮最多考核 {MOST_UNITS} 个单位。", code="no_units")


def _count(context: TaskContext, items: Sequence[Item], asked: Period, units: Sequence[str]) -> dict[tuple[UUID, str], Counted]:
    if context.work.actor is None:
        raise BusinessError("nobody", "考核取数要由人办理的一步带出，不能由系统自己开始。")
    return count_items(context.connection, library=context.app.library, actor=context.work.actor, items=items, period=asked, units=[UUID(one) for one in units])


def _score(round_id: UUID, unit: UUID, place: int, item: Item, counted: Counted | None) -> dict[str, Any]:
    values: dict[str, Any] = {
        "round": str(round_id), "assessed": str(unit), "item": item.key, "title": item.title, "place": place, "kind": item.kind, "automatic": item.automatic, "points": item.points,
    }
    if counted is None and item.kind != "normal":
        values["score"] = Decimal(0)  # nothing is added or taken off until somebody says so
    if counted is not None:
        values |= {"figures": [dict(one) for one in counted.figures], "computed": counted.score, "score": counted.score}
    return values


def _board(context: TaskContext, round_id: str, state: str) -> Board:
    """The round that this case runs, locked, in ``state``."""
    id = UUID(str(round_id))
    for name in context.app.library.names("assessment"):
        rounds, _, _ = tables_of(context.app.library, get_assessment(context.app.library, name))
        query = select(rounds).where(rounds.c.id == id, rounds.c.assessment == name, rounds.c.deleted_at.is_(None)).with_for_update()
        row = context.connection.execute(query).mappings().one_or_none()
        if row is not None:
            if row["state"] != state:
                raise Invalid("这一轮考核已经不在这一步，请刷新后再看。", code="round_state")
            return board_of(context.connection, library=context.app.library, row=row)
    raise BusinessError("no_round", "没有这一轮考核。")


def _make_many(context: TaskContext, register: str, rows: Sequence[Mapping[str, Any]], *, owners: Sequence[UUID] = ()) -> list[UUID]:
    """New records of this case in two statements, each with its history; ``owners`` are whose they are, the case's unit by default."""
    declared, table = get_register(context.app.library, register)
    district_of = dict(context.connection.execute(select(unit_table.c.id, unit_table.c.district_id).where(unit_table.c.id.in_(owners))).tuples().all()) if owners else {}
    records, history, ids = [], [], []
    names = sorted({name for row in rows for name in row})
    for place, row in enumerate(rows):
        id, owner = new_id(), owners[place] if owners else context.case["unit_id"]
        columns = {name: to_column(declared.fields[name], row.get(name), context.app.keys) for name in names}
        district = district_of[owner] or owner if owners else context.case["district_id"]
        records.append({"id": id, "case_id": context.case_id, "unit_id": owner, "district_id": district, "created_at": context.at, "updated_at": context.at, **columns})
        history.append(_history(context, declared.name, id, changes_of(declared, None, columns), context.case["title"]))
        ids.append(id)
    context.connection.execute(insert(table), records)
    context.connection.execute(insert(record_history), history)
    context.work.undo += [{"op": "made_record", "register": declared.name, "id": str(id)} for id in ids]
    return ids


def _history(context: TaskContext, register: str, id: UUID, changes: Mapping[str, Any], reason: str) -> dict[str, Any]:
    return {
        "id": new_id(), "register": register, "record_id": id, "act_id": context.work.act_id, "at": context.at, "by_id": context.actor_id, "by_name": context.actor_name, "reason": reason,
        "changes": dict(changes),
    }


def _change(context: TaskContext, register: str, row: RowMapping, values: Mapping[str, Any], reason: str) -> None:
    declared, table = get_register(context.app.library, register)
    changes = write_record(
        context.connection, register=declared, table=table, record_id=row["id"], values=values, case_id=row["case_id"], unit_id=row["unit_id"], district_id=row["district_id"], keys=context.app.keys,
        at=context.at, by_id=context.actor_id, by_name=context.actor_name, act_id=context.work.act_id, reason=reason,
    )
    if changes:
        context.work.undo.append({"op": "record", "register": declared.name, "id": str(row["id"]), "before": {name: pair[0] for name, pair in changes.items()}})


def _joined(held: str | None, more: str) -> str:
    return f"{held}；{more}" if held else more
