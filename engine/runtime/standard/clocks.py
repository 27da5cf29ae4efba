"""Legal clocks from a diagram: start, extend, suspend, resume, end."""
from __future__ import annotations

from datetime import date
from typing import Any

from engine.deadlines import clocks
from engine.deadlines.clocks import By, ClockState
from engine.kernel.names import pack_of, qualify
from engine.runtime.handlers import service_task
from engine.runtime.task_context import TaskContext


def _name(context: TaskContext, clock: str) -> str:
    return qualify(clock, pack_of(context.process))


def _by(context: TaskContext, ground: str = "") -> By:
    return By(at=context.at, act_id=context.work.act_id, by_id=context.actor_id, ground=ground)


def _changed(context: TaskContext, state: ClockState) -> dict[str, Any]:
    context.work.undo.append({"op": "clock", "act_id": str(context.work.act_id)})
    return {"due_on": state.due_on.isoformat() if state.due_on else None}


def _day(context: TaskContext, text: str) -> date:
    return date.fromisoformat(text) if text else context.today


@service_task(title="开始计时", mode="inline")
def start_clock(context: TaskContext, *, clock: str, start: str = "") -> dict[str, Any]:
    """Start the clock that the dated parameter ``clock`` describes on the day ``start`` (today). Result: ``due_on``."""
    state = clocks.start_clock(
        context.connection, case_id=context.case_id, clock=_name(context, clock), start_on=_day(context, start), by=_by(context),
        unit_id=context.case["unit_id"], district_id=context.case["district_id"], instance_id=context.instance_id,
    )
    return _changed(context, state)


@service_task(title="延长期限", mode="inline")
def extend_clock(context: TaskContext, *, clock: str, amount: int, unit: str = "", ground: str = "") -> dict[str, Any]:
    """Add ``amount`` of ``unit`` (the clock's own by default). Result: ``due_on``."""
    state = clocks.extend_clock(
        context.connection, case_id=context.case_id, clock=_name(context, clock), amount=int(amount), on=context.today, by=_by(context, ground), unit=unit or None,
    )
    return _changed(context, state)


@service_task(title="暂停计时", mode="inline")
def suspend_clock(context: TaskContext, *, clock: str, ground: str = "", on: str = "") -> dict[str, Any]:
    """Stop counting from the day ``on`` (today)."""
    state = clocks.suspend_clock(context.connection, case_id=context.case_id, clock=_name(context, clock), on=_day(context, on), by=_by(context, ground))
    return _changed(context, state)


@service_task(title="恢复计时", mode="inline")
def resume_clock(context: TaskContext, *, clock: str, ground: str = "", on: str = "") -> dict[str, Any]:
    """Count again from the day ``on`` (today). Result: ``due_on``."""
    state = clocks.resume_clock(context.connection, case_id=context.case_id, clock=_name(context, clock), on=_day(context, on), by=_by(context, ground))
    return _changed(context, state)


@service_task(title="结束计时", mode="inline")
def end_clock(context: TaskContext, *, clock: str) -> None:
    """End the clock: met in time, or expired when its last day is over."""
    state = clocks.end_clock(context.connection, case_id=context.case_id, clock=_name(context, clock), on=context.today, by=_by(context))
    _changed(context, state)
