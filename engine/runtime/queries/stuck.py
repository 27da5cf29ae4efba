"""Cases that don't get on, each with the reason. Every reason is one statement over an index of what waits; no state is loaded.

What grows with history (instances, tasks, acts, effects, cases) is never read from end to end. ``nothing`` asks what doesn't wait, so it walks
through the running instances, slice by slice along an index, and stops after a time; the next look goes on from there. A failed effect has an
open incident, so it needs no look of its own.

Rows: instance_id, case_id, number, title, subject, instance_title, since, detail (what exactly, in Chinese).
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, String, and_, cast, exists, func, literal, or_, select

from engine.access.actors import Actor
from engine.access.scope import restrict
from engine.kernel.clock import SHANGHAI
from engine.packs.library import Library
from engine.reference import calendars
from engine.storage.tables.cases import case_file
from engine.storage.tables.organisation import person
from engine.storage.tables.runtime import effect, incident, instance, subscription, task, task_candidate, timer
from engine.storage.tables.waiting import fanout, fanout_item

Row = dict[str, Any]
MOST = 100
SLICE, LOOK = 5_000, 1.5
"""Running instances looked at with one statement, and seconds after which a look stops."""
THROWERS = ("sendTask", "intermediateThrowEvent", "endEvent")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Since when something counts as stuck. ``settled``: minutes ago, so that an act under way isn't listed."""

    settled: datetime
    untouched: datetime
    suspended: datetime
    silent: datetime


@dataclass(frozen=True, kw_only=True)
class Reason:
    """``title`` says why, ``remedy`` what to do."""

    key: str
    title: str
    remedy: str
    query: Callable[[Limits], Select[Any]]


def limits_for(connection: Connection, *, days: int, today: date, now: datetime) -> Limits:
    """Stuck since ``days`` working days ago; what moves by itself since a quarter of an hour."""
    calendar, day, left = calendars.load(connection), today, days
    while left:
        day -= timedelta(days=1)
        left -= calendar.is_working(day) if calendar.is_known(day) else day.weekday() < 5
    long_ago = datetime.combine(day, time(), SHANGHAI)
    return Limits(settled=now - timedelta(minutes=15), untouched=long_ago, suspended=long_ago, silent=long_ago)


def find_stuck(connection: Connection, *, actor: Actor, limits: Limits, reason: Reason) -> list[Row]:
    """The hundred that wait longest for ``reason``, within what ``actor`` may see; of ``nothing`` those that the first look finds."""
    if reason.query is _nothing:
        return walk_running(connection, actor=actor, limits=limits).rows
    statement = restrict(reason.query(limits), actor, case_id=instance.c.case_id).limit(MOST)
    return [dict(row) for row in connection.execute(statement).mappings()]


@dataclass(frozen=True, kw_only=True)
class Walked:
    """``following`` is where the next look goes on, None when all running instances were looked at."""

    rows: list[Row]
    following: UUID | None


def walk_running(connection: Connection, *, actor: Actor, limits: Limits, after: UUID | None = None, seconds: float = LOOK) -> Walked:
    """Running instances that wait for nothing, in the order in which they began, from behind ``after``: a hundred, or as many as ``seconds`` find."""
    ends, rows, here = monotonic() + seconds, list[Row](), after or UUID(int=0)
    slices = select(instance.c.id).where(instance.c.status == "running").order_by(instance.c.id).offset(SLICE - 1).limit(1)
    while True:
        last = connection.scalar(slices.where(instance.c.id > here))
        within = instance.c.id > here if last is None else and_(instance.c.id > here, instance.c.id <= last)
        statement = restrict(_nothing(limits).where(within), actor, case_id=instance.c.case_id).order_by(None).order_by(instance.c.id).limit(MOST - len(rows))
        rows += [dict(row) for row in connection.execute(statement).mappings()]
        if len(rows) >= MOST:
            return Walked(rows=rows, following=rows[-1]["instance_id"])
        if last is None or monotonic() > ends:
            return Walked(rows=rows, following=last)
        here = last


def _found(since: Any, detail: Any, source: Any = None) -> Select[Any]:
    c, i = case_file.c, instance.c
    base = (instance if source is None else source).join(case_file, c.id == i.case_id)
    columns = (i.id.label("instance_id"), i.case_id, c.number, c.title, c.subject, i.title.label("instance_title"), since.label("since"), detail.label("detail"))
    return select(*columns).select_from(base).where(i.ended_at.is_(None)).order_by(since)


def _none(table: Any, *where: Any) -> Any:
    return ~exists().where(table.c.instance_id == instance.c.id, *where)


def _nothing(limits: Limits) -> Select[Any]:
    return _found(instance.c.updated_at, literal("没有开着的任务、定时、等待的消息、自动步骤和异常")).where(
        instance.c.status == "running", instance.c.updated_at < limits.settled, _none(task, task.c.status == "open"), _none(timer), _none(subscription),
        _none(effect, effect.c.status.in_(["queued", "running"])), _none(incident, incident.c.status == "open"), _none(fanout, fanout.c.status != "cancelled"),
    )


def _nobody(limits: Limits) -> Select[Any]:
    gone = exists().where(person.c.id == task.c.assignee_id, ~person.c.active)
    empty = task.c.assignee_id.is_(None) & task.c.party_id.is_(None) & ~exists().where(task_candidate.c.task_id == task.c.id, task_candidate.c.open)
    return _found(task.c.opened_at, task.c.title + "（" + task.c.role_title + "）", task.join(instance, instance.c.id == task.c.instance_id)).where(
        task.c.status == "open", gone | empty
    )


def _untouched(limits: Limits) -> Select[Any]:
    touched = func.greatest(task.c.opened_at, func.coalesce(task.c.viewed_at, task.c.opened_at), func.coalesce(task.c.claimed_at, task.c.opened_at))
    return _found(task.c.opened_at, task.c.title, task.join(instance, instance.c.id == task.c.instance_id)).where(
        task.c.status == "open", task.c.opened_at < limits.untouched, touched < limits.untouched, instance.c.status != "suspended"
    )


def _suspended(limits: Limits) -> Select[Any]:
    return _found(instance.c.updated_at, literal("暂停办理")).where(instance.c.status == "suspended", instance.c.updated_at < limits.suspended)


def _effects(limits: Limits) -> Select[Any]:
    detail = effect.c.handler + "，试过 " + cast(effect.c.attempts, String) + " 次"
    return _found(effect.c.updated_at, detail, effect.join(instance, instance.c.id == effect.c.instance_id)).where(
        effect.c.status.in_(["queued", "running"]), effect.c.updated_at < limits.settled
    )


def _children(limits: Limits) -> Select[Any]:
    child = incident.alias("child_incident")
    source = fanout.join(fanout_item, fanout_item.c.fanout_id == fanout.c.id).join(child, child.c.instance_id == fanout_item.c.instance_id).join(
        instance, instance.c.id == fanout.c.instance_id)
    return _found(child.c.opened_at, fanout_item.c.title + "：" + child.c.message, source).where(fanout.c.status == "open", fanout_item.c.status == "running", child.c.status == "open")


def _overdue_timers(limits: Limits) -> Select[Any]:
    return _found(timer.c.due_at, "定时 " + timer.c.node, timer.join(instance, instance.c.id == timer.c.instance_id)).where(
        or_(*(and_(~timer.c.suspended, timer.c.due_at < limits.settled, claimed) for claimed in (timer.c.claimed_at.is_(None), timer.c.claimed_at.is_not(None))))
    )


def _awaited() -> Any:
    """Every name of a message that something waits for, each found by one step on the index, however many wait."""
    of_kind = subscription.c.kind == "message"
    first = select(func.min(subscription.c.name).label("name")).where(of_kind).cte("awaited", recursive=True)
    following = select(func.min(subscription.c.name)).where(of_kind, subscription.c.name > first.c.name).scalar_subquery()
    return first.union_all(select(following).where(first.c.name.is_not(None)))


def messages(library: Library) -> Reason:
    """Waits for a message that no process in force sends, or that hasn't come for long."""
    thrown = {
        node["event"]["name"] for name in library.names("process") for node in library.current("process", name).meta.get("nodes", {}).values()
        if node["kind"] in THROWERS and (node.get("event") or {}).get("kind") == "message"
    }

    def query(limits: Limits) -> Select[Any]:
        names, i = _awaited(), instance.alias("silent")
        waits = (
            select(subscription.c.instance_id, subscription.c.name).join(i, i.c.id == subscription.c.instance_id)
            .where(subscription.c.kind == "message", subscription.c.name == names.c.name, i.c.updated_at < limits.silent).order_by(i.c.updated_at).limit(MOST)
            .lateral("waits")
        )
        source = names.join(waits, names.c.name.not_in(thrown)).join(instance, instance.c.id == waits.c.instance_id)
        return _found(instance.c.updated_at, "等消息“" + waits.c.name + "”", source)

    return Reason(key="message", title="等没有流程会发的消息", remedy="确认外部系统是否还会推送；不会的话更正或终止。", query=query)


NOTHING = Reason(key="nothing", title="什么也不在等", remedy="看它的快照，恢复到卡住之前，或者终止。", query=_nothing)
REASONS = (
    NOTHING,
    Reason(key="nobody", title="没有人担任这个角色", remedy="在组织机构里配好人员，再到异常里重试；人停用了的，移交他手里的事。", query=_nobody),
    Reason(key="untouched", title="很久没有人动", remedy="催办，或者转给别人。", query=_untouched),
    Reason(key="suspended", title="暂停很久", remedy="核实暂停的原因，恢复办理或终止。", query=_suspended),
    Reason(key="effect", title="自动步骤排了队没有运行", remedy="看后台任务是不是停了或失败了。", query=_effects),
    Reason(key="timer", title="定时到点没有触发", remedy="看时钟和后台任务是不是停了。", query=_overdue_timers),
    Reason(key="child", title="分办的一项出了异常", remedy="处理那一项的异常，或者跳过那一项。", query=_children),
)
