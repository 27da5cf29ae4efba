"""Clocks of a case as the page draws them: the open step's own, then the legal ones."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from engine.deadlines.queries import ClockView, clocks_of
from engine.kernel.clock import legal_date
from engine.reference import calendars
from engine.reference.calendars import Calendar
from engine.runtime.queries.lights import light_of
from engine.web import words
from engine.web.context import now, today


def clocks(connection: Connection, *, case_id: UUID, tasks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """At most four: the reader's step first."""
    days = calendars.load(connection)
    own = [_step(task, days) for task in sorted(tasks, key=lambda task: not task["mine"]) if task["due_on"]]
    return [*own[:1], *(_legal(clock) for clock in clocks_of(connection, case_id, today(), now()))][:4]


def _step(task: Mapping[str, Any], days: Calendar) -> dict[str, Any]:
    light = light_of(task["due_on"], today=today(), calendar=days, paused=task["instance_status"] == "suspended")
    start = legal_date(task["opened_at"])
    total = days.count_between(start, task["due_on"])
    under = f"{light.due}　共 {total} 个工作日" if total else light.due
    return {"title": f"本环节：{task['title']}", "light": light.light, "words": light.words, "bar": [_part(start, task["due_on"])], "under": under,
            "steps": [], "due": task["due_on"], "law": "", "plan": ()}


def _part(start: date, due: date) -> dict[str, Any]:
    whole = max((due - start).days, 1)
    return {"off": False, "width": max(2, min(100, round(100 * (today() - start).days / whole)))}


def _legal(clock: ClockView) -> dict[str, Any]:
    return {"title": clock.title, "light": clock.light, "words": clock.words, "bar": [_part(clock.start_on, clock.due)] if clock.due else [],
            "under": f"至 {words.day(clock.due, today=today())}" if clock.due else f"{words.day(clock.start_on, today=today())} 起", "steps": clock.steps, "due": clock.due, "law": clock.law, "plan": clock.plan}
