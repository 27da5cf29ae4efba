"""Legal clocks from a diagram: start, extend, suspend, resume, end."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, or_, select

from engine.deadlines import clocks
from engine.deadlines.clocks import By, ClockState, clock_name
from engine.kernel.errors import BusinessError, Invalid
from engine.kernel.names import pack_of, qualify
from engine.runtime.handlers import service_task
from engine.runtime.task_context import TaskContext
from engine.storage.tables.cases import case_clock, case_file, case_link


def _name(context: TaskContext, clock: str, label: str = "") -> str:
    if not clock:
        raise BusinessError("unknown_clock", "没有写明是哪一项期限。")
    return clock_name(qualify(clock, pack_of(context.process)), label)


def _case(context: TaskContext, case: str) -> Mapping[str, Any]:
    """The case of this act, or with ``case`` (an id) one that is linked with it."""
    if not case or UUID(case) == context.case_id:
        return context.case
    link, other = case_link.c, UUID(case)
    linked = exists().where(or_(
        and_(link.from_id == context.case_id, link.to_id == other), and_(link.to_id == context.case_id, link.from_id == other),
    ))
    wanted = select(case_file).where(case_file.c.id == other, linked).with_for_update()
    found = context.connection.execute(wanted).mappings().one_or_none()
    if found is None:
        raise BusinessError("unknown_case", "要计时的案件不存在，或者与本案没有关联。")
    return dict(found)


def _by(context: TaskContext, ground: str = "") -> By:
    return By(at=context.at, act_id=context.work.act_id, by_id=context.actor_id, ground=ground)


def _changed(context: TaskContext, state: ClockState) -> dict[str, Any]:
    context.work.undo.append({"op": "clock", "act_id": str(context.work.act_id)})
    return {"due_on": state.due_on.isoformat() if state.due_on else None}


def _day(context: TaskContext, text: str) -> date:
    return date.fromisoformat(text) if text else context.today


@service_task(title="开始计时", mode="inline")
def start_clock(context: TaskContext, *, clock: str = "", start: str = "", case: str = "", label: str = "", amount: int | None = None, measure: str = "") -> dict[str, Any]:
    """Start the clock that the dated parameter ``clock`` describes on the day ``start`` (today). Result: ``due_on``.

    ``measure`` names another dated parameter whose length, title, law and steps count in this case (批量案件办理期限); acts go on naming ``clock``.
    ``amount`` is its length in the parameter's unit where it was decided in this case; the parameter's own by default.
    ``case`` is the id of a case linked with this one whose clock it is, such as the one just opened; this case by default.
    ``label`` tells several clocks of one name on a case apart; the acts that change such a clock give the same label.
    Without ``clock`` nothing starts: a diagram names one by FEEL only for the cases that have it.
    """
    if not clock:
        return {"due_on": None}
    here = _case(context, case)
    state = clocks.start_clock(
        context.connection, case_id=here["id"], clock=_name(context, clock), start_on=_day(context, start), by=_by(context), label=label,
        unit_id=here["unit_id"], district_id=here["district_id"], instance_id=context.instance_id, amount=None if amount is None else int(amount),
        measure=qualify(measure, pack_of(context.process)) if measure else "",
    )
    return _changed(context, state)


@service_task(title="期限没有届满", mode="inline", help="期限已经届满的，这一步不能办。")
def require_in_time(context: TaskContext, *, clock: str, act: str, label: str = "") -> None:
    """Refuse ``act`` (in words, such as 作出处罚决定) once the last day of the clock is over. A clock that doesn't run refuses nothing."""
    c = case_clock.c
    row = context.connection.execute(
        select(c.title, c.law, c.due_on).where(c.case_id == context.case_id, c.clock == _name(context, clock, label), c.state.in_(clocks.LIVE))
    ).one_or_none()
    if row is not None and row.due_on is not None and row.due_on < context.today:
        law = f"（{row.law}）" if row.law else ""
        raise Invalid(f"“{row.title}”已于 {row.due_on} 届满{law}，不能再{act}。有检测、鉴定、公告等不计入的时间没有登记的，请先登记；延长应当在届满以前批准。")


@service_task(title="除外期间", mode="inline")
def exclude_span(context: TaskContext, *, clock: str, first: str, last: str, ground: str = "", label: str = "") -> dict[str, Any]:
    """Don't count the days ``first`` to ``last``, both included (检测、检验、检疫、鉴定、辨认、公告). Result: ``due_on``."""
    state = clocks.exclude_span(
        context.connection, case_id=context.case_id, clock=_name(context, clock, label), first=_day(context, first), last=_day(context, last), by=_by(context, ground),
    )
    return _changed(context, state)


@service_task(title="延长期限", mode="inline")
def extend_clock(context: TaskContext, *, clock: str, amount: int, unit: str = "", ground: str = "", label: str = "") -> dict[str, Any]:
    """Add ``amount`` of ``unit`` (the clock's own by default). Result: ``due_on``."""
    state = clocks.extend_clock(
        context.connection, case_id=context.case_id, clock=_name(context, clock, label), amount=int(amount), on=context.today, by=_by(context, ground), unit=unit or None,
    )
    return _changed(context, state)


@service_task(title="暂停计时", mode="inline")
def suspend_clock(context: TaskContext, *, clock: str, ground: str = "", on: str = "", label: str = "") -> dict[str, Any]:
    """Stop counting from the day ``on`` (today)."""
    state = clocks.suspend_clock(context.connection, case_id=context.case_id, clock=_name(context, clock, label), on=_day(context, on), by=_by(context, ground))
    return _changed(context, state)


@service_task(title="恢复计时", mode="inline")
def resume_clock(context: TaskContext, *, clock: str, ground: str = "", on: str = "", label: str = "") -> dict[str, Any]:
    """Count again from the day ``on`` (today). Result: ``due_on``."""
    state = clocks.resume_clock(context.connection, case_id=context.case_id, clock=_name(context, clock, label), on=_day(context, on), by=_by(context, ground))
    return _changed(context, state)


@service_task(title="结束计时", mode="inline")
def end_clock(context: TaskContext, *, clock: str, label: str = "", if_running: bool = False) -> None:
    """End the clock: met in time, or expired when its last day is over. With ``if_running`` nothing happens where none runs."""
    if if_running and not context.clock(clock_name(clock, label)):
        return
    state = clocks.end_clock(context.connection, case_id=context.case_id, clock=_name(context, clock, label), on=context.today, by=_by(context))
    _changed(context, state)
