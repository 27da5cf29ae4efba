"""What pages say about clocks: how long is left, in words and as a light, and the sum that leads to the date."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from engine.access.actors import Actor
from engine.access.scope import restrict
from engine.deadlines.clocks import LIVE
from engine.deadlines.due import Result
from engine.deadlines.models import Behaviour, Models, behaviour, load_models, model_of
from engine.deadlines.rows import events_column, read_events, reckon, stored_rule
from engine.deadlines.rules import ClockRule, Event
from engine.deadlines.steps import instant_of, soon_of
from engine.kernel.clock import SHANGHAI
from engine.reference import calendars
from engine.reference.calendars import Calendar
from engine.storage.tables.cases import case_clock, case_file

SOON = 1
ENDED_WORDS = {"met": "已办结", "expired": "已届满", "cancelled": "已取消"}


@dataclass(frozen=True, kw_only=True)
class Countdown:
    """``remaining`` days of ``unit`` (working_day or day), below zero when late, None when it does not run.

    ``light`` is late, soon (today or one day left), ok, hold or done; ``words`` says it with number and unit.
    """

    remaining: int | None
    unit: str
    light: str
    words: str


@dataclass(frozen=True, kw_only=True)
class ClockView:
    """One clock of a case. ``steps`` are rows ``{"title", "value", "note", "total"}`` of the sum, ``explanation`` sentences,
    ``plan`` what happens before, at and after the end, in the order of time."""

    id: UUID
    clock: str
    title: str
    start_on: date
    due: date | None
    state: str
    remaining: int | None
    unit: str
    light: str
    words: str
    law: str
    provisional: bool
    steps: tuple[Mapping[str, Any], ...]
    explanation: tuple[str, ...]
    plan: tuple[str, ...] = ()
    due_at: datetime | None = None


def countdown(due: date | None, *, on: date, unit: str, state: str, calendar: Calendar, soon: str = "") -> Countdown:
    """How a due date reads on ``on``; clocks in days, months and years count natural days. ``soon`` is when yellow begins (``3 working_day``)."""
    counted = "working_day" if unit in ("working_day", "working_hour") else "day"
    if state in ENDED_WORDS:
        return Countdown(remaining=None, unit=counted, light="done", words=ENDED_WORDS[state])
    if state == "suspended" or due is None:
        return Countdown(remaining=None, unit=counted, light="hold", words="已暂停")
    left = calendar.count_between(on, due) if counted == "working_day" else (due - on).days
    word = "个工作日" if counted == "working_day" else "天"
    if due == on:
        return Countdown(remaining=0, unit=counted, light="soon", words="今天到期")
    if due < on:
        late = calendar.count_between(due, on) if counted == "working_day" else (on - due).days
        words = f"逾期 {late} {word}" if late else f"逾期 {(on - due).days} 天"
        return Countdown(remaining=-late, unit=counted, light="late", words=words)
    light = "soon" if _is_soon(due, on, soon_of(soon), left, calendar) else "ok"
    if not left:
        return Countdown(remaining=0, unit=counted, light="soon", words=f"还剩 {(due - on).days} 天")
    return Countdown(remaining=left, unit=counted, light=light, words=f"还剩 {left} {word}")


def _is_soon(due: date, on: date, soon: tuple[int, str] | None, left: int, calendar: Calendar) -> bool:
    if soon is None:
        return left <= SOON
    amount, unit = soon
    return calendar.count_between(on, due) <= amount if unit == "working_day" else (due - on).days <= (amount if unit == "day" else amount // 24)


def soon_until(soon: str, *, unit: str, on: date, calendar: Calendar) -> date:
    """The last due date whose light is yellow on ``on``."""
    amount, counted = soon_of(soon) or (SOON, "working_day" if unit in ("working_day", "working_hour") else "day")
    if counted == "working_day":
        return calendar.working_day(calendar.count_upto(on) + amount + 1) - timedelta(days=1)
    return on + timedelta(days=amount if counted == "day" else amount // 24)


def hours_left(due_at: datetime, *, at: datetime, state: str, soon: str = "") -> Countdown | None:
    """How a running clock in hours reads within two days of its end; None when days say it better."""
    minutes = int((due_at - at).total_seconds() // 60)
    if state != "running" or abs(minutes) > 48 * 60:
        return None
    words = f"{abs(minutes) // 60} 小时 {abs(minutes) % 60} 分"
    if minutes < 0:
        return Countdown(remaining=minutes // 60, unit="hour", light="late", words=f"逾期 {words}")
    limit = soon_of(soon)
    yellow = minutes <= (limit[0] * 60 if limit and limit[1] == "hour" else 24 * 60)
    return Countdown(remaining=minutes // 60, unit="hour", light="soon" if yellow else "ok", words=f"还剩 {words}")


def clocks_of(connection: Connection, case_id: UUID, on: date, at: datetime | None = None) -> list[ClockView]:
    """All clocks of a case as seen on ``on`` (those in hours: at ``at``): running and suspended ones first, by due date. One statement."""
    rows = connection.execute(
        select(case_clock, events_column()).where(case_clock.c.case_id == case_id).order_by(case_clock.c.start_on, case_clock.c.id)
    ).mappings()
    views = [_view(connection, row, on, at) for row in rows]
    return sorted(views, key=lambda view: (view.state not in LIVE, view.due or date.max))


def _view(connection: Connection, row: Mapping[Any, Any], on: date, at: datetime | None) -> ClockView:
    events, rule, calendar = read_events(row["events"]), stored_rule(row), calendars.load(connection, district_id=row["district_id"])
    result = reckon(rule, row, events, calendar=calendar)
    live = row["state"] in LIVE
    due, due_at = (result.due, result.due_at) if live else (row["due_on"], row["due_at"])
    does = behaviour(rule, clock=row["clock"], models=load_models(connection), on=on)
    told = countdown(due, on=on, unit=row["day_kind"], state=row["state"], calendar=calendar, soon=does.soon)
    if due_at is not None and at is not None:
        told = hours_left(due_at, at=at, state=row["state"], soon=does.soon) or told
    light = _lit(told.light, does, due, due_at, at, calendar) if live else told.light
    return ClockView(
        id=row["id"],
        clock=row["clock"],
        title=row["title"],
        start_on=row["start_on"],
        due=due,
        state=row["state"],
        remaining=told.remaining,
        unit=told.unit,
        light=light,
        words=_held_words(row, rule, events, calendar) if told.light == "hold" else told.words,
        law=row["law"],
        provisional=result.provisional,
        steps=_table(result, _shifts(row["events"])),
        explanation=tuple(step.text for step in result.steps),
        plan=_plan(does, due, due_at, calendar) if live else (),
        due_at=due_at,
    )


def _lit(light: str, does: Behaviour, due: date | None, due_at: datetime | None, at: datetime | None, calendar: Calendar) -> str:
    """The light as the model's ``light`` steps change it."""
    for step in does.steps:
        if step.kind == "light" and due is not None and at is not None and light in ("ok", "soon") and at >= instant_of(step, due, due_at, calendar):
            light = "late" if step.names[0] == "late" else "soon"
    return light


def _plan(does: Behaviour, due: date | None, due_at: datetime | None, calendar: Calendar) -> tuple[str, ...]:
    if due is None:
        return ()
    timed = sorted((instant_of(step, due, due_at, calendar), step.does_words, step.when_words) for step in does.steps if step.kind != "light")
    return tuple(f"{when}（{at.astimezone(SHANGHAI):%m-%d %H:%M}）{what}" for at, what, when in timed)


def _held_words(row: Mapping[Any, Any], rule: ClockRule, events: list[Event], calendar: Calendar) -> str:
    """What would be left if it ran again at once."""
    stop = next(event for event in reversed(events) if event.kind == "suspend")
    again = reckon(rule, row, [*events, Event(kind="resume", on=stop.on, on_at=stop.on_at)], calendar=calendar)
    since, due = stop.on, again.due
    assert since is not None and due is not None
    if again.due_at is not None:
        left = again.due_at - (stop.on_at or datetime.combine(since, datetime.min.time(), SHANGHAI))
        return f"已暂停，恢复后还有 {max(int(left.total_seconds() // 3600), 0)} 小时"
    own = since > row["start_on"] or rule.count_first_day  # the day of suspension itself is still to be counted; a start day isn't
    if row["day_kind"] == "working_day":
        return f"已暂停，恢复后还有 {max(calendar.count_between(since, due) + (own and calendar.is_working(since)), 0)} 个工作日"
    return f"已暂停，恢复后还有 {max((due - since).days + own, 0)} 天"


def _shifts(events: Collection[Any]) -> list[Mapping[str, Any]]:
    """What changes of the calendar did to the date."""
    return [
        {"title": f"日历调整：{ground}", "value": f"{before} → {after}", "note": "", "total": False}
        for kind, before, after, _, _, ground, *_ in events
        if kind == "calendar"
    ]


def _table(result: Result, shifts: list[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    rows: list[Mapping[str, Any]] = [
        {"title": s.title, "value": s.value, "note": "", "total": False} for s in result.steps if s.kind != "law"
    ]
    rows += shifts
    law = next((step.value for step in result.steps if step.kind == "law"), "")
    if result.due is not None:
        value = f"{result.due_at:%Y-%m-%d %H:%M}" if result.due_at else f"{result.due}"
        rows.append({"title": "届满时刻" if result.due_at else "届满日", "value": value, "note": law, "total": True})
    return tuple(rows)


def nearest_clocks(connection: Connection, *, case_ids: Collection[UUID], on: date) -> dict[UUID, Countdown]:
    """The live clock of each case that runs out first, for lists; cases without one are left out. One statement."""
    if not case_ids:
        return {}
    c = case_clock.c
    rows = connection.execute(
        select(c.case_id, c.due_on, c.day_kind, c.state, c.clock, c.rule["soon"].astext.label("soon"), c.district_id)
        .where(c.case_id.in_(list(case_ids)), c.state.in_(LIVE))
        .order_by(c.case_id, c.due_on.desc().nulls_first(), c.id)
    )
    models = load_models(connection)
    return {
        row.case_id: countdown(
            row.due_on, on=on, unit=row.day_kind, state=row.state, calendar=calendars.load(connection, district_id=row.district_id),
            soon=soon_in_force(row.soon, clock=row.clock, models=models, on=on),
        )
        for row in rows
    }


def soon_in_force(own: str | None, *, clock: str, models: Models, on: date) -> str:
    """When the yellow light of a clock begins: as the warning model in force says, else as its own rule does."""
    model = model_of(models, clock, on)
    return (own if model is None else model.get("soon")) or ""


def overdue(connection: Connection, *, actor: Actor, on: date, limit: int = 50) -> list[Mapping[Any, Any]]:
    """Running clocks past their due date on cases that ``actor`` may see, the oldest first: clock and case columns."""
    c = case_clock.c
    statement = (
        select(c.id, c.case_id, c.title, c.due_on, c.day_kind, case_file.c.number, case_file.c.title.label("case_title"), c.unit_id)
        .join(case_file, case_file.c.id == c.case_id)
        .where(c.state == "running", c.due_on < on)
        .order_by(c.due_on, c.id)
        .limit(limit)
    )
    return [*connection.execute(restrict(statement, actor)).mappings()]
