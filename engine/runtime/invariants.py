"""What must hold between the engine's states and the rows beside them, at any moment, whatever was killed in between.

Read in one snapshot and without locks, so that it may run while officers work.
"""
from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, RowMapping, and_, case, func, or_, select, text

from engine.access.audit import chains, find_break
from engine.runtime.application import Application
from engine.runtime.begin import load_machine
from engine.runtime.bpmn.waits import Waits
from engine.storage.tables.documents import number_book, number_counter
from engine.storage.tables.runtime import act, effect, incident, instance, subscription, task, task_candidate, task_signer, timer
from engine.storage.tables.waiting import fanout

CLOSING = ("start", "complete", "return")
"""Kinds of acts that end a task; a colleague's last agreement (``sign``) does when it moved the token."""
BATCH = 500
FINISHERS = """
WITH kept AS (SELECT i.id, i.title, l.part, l.name, l.person
              FROM instance i, LATERAL (SELECT p.part, e.key AS name, e.value AS person FROM (VALUES ('nodes'), ('roles')) p(part), jsonb_each_text(i.people -> p.part) e) l
              WHERE i.people IS NOT NULL),
     done AS (SELECT t.instance_id, p.part, p.name, coalesce(t.ended_for, t.ended_by)::text AS person,
                     t.ended_at = max(t.ended_at) OVER (PARTITION BY t.instance_id, p.part, p.name) AS last
              FROM task t, LATERAL (VALUES ('nodes', t.scope || '/' || t.node), ('roles', t.role)) p(part, name)
              WHERE t.status = 'done' AND t.ended_by IS NOT NULL)
SELECT DISTINCT i.id, i.title FROM instance i WHERE i.people IS NOT NULL AND (
  EXISTS (SELECT 1 FROM kept k WHERE k.id = i.id AND NOT EXISTS (
    SELECT 1 FROM done d WHERE d.instance_id = k.id AND d.part = k.part AND d.name = k.name AND d.person = k.person AND d.last))
  OR EXISTS (SELECT 1 FROM done d WHERE d.instance_id = i.id AND NOT (i.people -> d.part ? d.name)))
"""


def find_violations(app: Application) -> list[str]:
    """Every violation as one Chinese sentence that names the row; empty when all is well. Changes nothing."""
    with app.db.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True) as connection:
        return [
            *_instances(app, connection, app.clock.now()), *_revisions(connection), *_finished_tasks(connection), *_finishers(connection), *_pools(connection), *_signers(connection),
            *_effects(connection), *_numbers(connection), *_audit(connection),
        ]


def _instances(app: Application, connection: Connection, at: datetime) -> Iterator[str]:
    """The engine's state against open tasks, timers, subscriptions, effects and incidents, instance by instance."""
    after = None
    while True:
        query = select(instance).order_by(instance.c.id).limit(BATCH)
        rows = connection.execute(query if after is None else query.where(instance.c.id > after)).mappings().all()
        if not rows:
            return
        beside = _beside(connection, rows[0]["id"], rows[-1]["id"])
        for row in rows:
            for fault in _faults(app, row, beside, at):
                yield f"实例 {row['id']}（{row['title']}）：{fault}"
        after = rows[-1]["id"]


Pairs = dict[str, dict[object, set[object]]]


def _beside(connection: Connection, first: object, last: object) -> Pairs:
    """{what: {instance id: engine ids}} of the rows of the instances from ``first`` to ``last``."""
    wanted = {
        "tasks": select(task.c.instance_id, task.c.engine_id).where(task.c.status == "open"),
        "timers": select(timer.c.instance_id, timer.c.engine_id),
        "subscriptions": select(subscription.c.instance_id, subscription.c.engine_id + "/" + subscription.c.name),
        "effects": select(effect.c.instance_id, effect.c.engine_id).where(effect.c.status.in_(["queued", "running", "failed"])),
        "fanouts": select(fanout.c.instance_id, fanout.c.engine_id).where(fanout.c.status != "cancelled"),
        "incidents": select(incident.c.instance_id, incident.c.engine_id).where(incident.c.status == "open"),
    }
    found: Pairs = {}
    for name, query in wanted.items():
        found[name] = {}
        column = query.selected_columns[0]
        for id, engine_id in connection.execute(query.where(column >= first, column <= last)):
            found[name].setdefault(id, set()).add(engine_id)
    return found


def _faults(app: Application, row: RowMapping, beside: Pairs, at: datetime) -> Iterator[str]:
    try:
        machine = load_machine(app, dict(row), at)
        machine.check_invariants()
    except Exception as error:  # bytes that are no state fail anywhere in the codec; the doctor names the row and goes on
        yield f"状态读不出来：{error}"
        return
    mine = {name: pairs.get(row["id"], set()) for name, pairs in beside.items()}
    yield from _waits_against_rows(machine.waits(), mine)
    if machine.completed != (row["status"] in ("completed", "cancelled")) or machine.completed != (row["ended_at"] is not None):
        yield f"引擎说{'已办完' if machine.completed else '未办完'}，实例行写的是 {row['status']}"


def _waits_against_rows(waits: Waits, mine: dict[str, set[object]]) -> Iterator[str]:
    pairs = {
        "开着的任务": ({w.engine_id for w in waits.user_tasks}, mine["tasks"]), "定时": ({w.engine_id for w in waits.timers}, mine["timers"]),
        "订阅": ({f"{w.engine_id}/{w.name}" for w in waits.subscriptions}, mine["subscriptions"]),
    }
    for what, (engine, rows) in pairs.items():
        if engine != rows:
            yield f"{what}与引擎状态不符：引擎多 {sorted(map(str, engine - rows))}，行多 {sorted(map(str, rows - engine))}"
    if not {w.engine_id for w in waits.fanouts} <= mine["fanouts"]:
        yield "在等分办的事项，却没有分办记录"
    unserved = {w.engine_id for w in waits.services} - mine["effects"] - mine["incidents"]
    if unserved:
        yield f"自动步骤没有人办：{sorted(unserved)}"
    silent = {w.engine_id for w in waits.parked} - mine["incidents"]
    if silent:
        yield f"停住的环节没有异常记录：{sorted(silent)}"


def _revisions(connection: Connection) -> Iterator[str]:
    """Every revision was made by exactly one act."""
    counted = (
        select(act.c.instance_id, func.count().label("acts"), func.count(act.c.rev_before.distinct()).label("revs"), func.max(act.c.rev_before).label("last"))
        .where(act.c.instance_id.is_not(None)).group_by(act.c.instance_id).subquery()
    )
    query = (
        select(instance.c.id, instance.c.rev, func.coalesce(counted.c.acts, 0).label("acts"))
        .outerjoin(counted, counted.c.instance_id == instance.c.id)
        .where(or_(
            instance.c.rev != func.coalesce(counted.c.acts, 0), counted.c.revs != counted.c.acts, counted.c.last != instance.c.rev - 1,
        ))
    )
    for row in connection.execute(query):
        yield f"实例 {row.id}：修订号 {row.rev}，办理记录 {row.acts} 条，对不上"


def _finished_tasks(connection: Connection) -> Iterator[str]:
    """A finished task was finished by exactly one act that still counts; an open one by none."""
    closing = (
        select(act.c.task_id, func.count().label("acts"))
        .where(or_(act.c.kind.in_(CLOSING), and_(act.c.kind == "sign", act.c.snapshot.is_not(None))), act.c.undone_by.is_(None), act.c.task_id.is_not(None)).group_by(act.c.task_id).subquery()
    )
    acts = func.coalesce(closing.c.acts, 0)
    query = (
        select(task.c.id, task.c.title, task.c.status, acts.label("acts")).outerjoin(closing, closing.c.task_id == task.c.id)
        .where(acts != case((task.c.status == "done", 1), else_=0))
    )
    for row in connection.execute(query):
        yield f"任务 {row.id}（{row.title}，{row.status}）有 {row.acts} 条办结记录"


def _finishers(connection: Connection) -> Iterator[str]:
    """What an instance holds about who finished its steps last is what the steps say."""
    for row in connection.execute(text(FINISHERS)):
        yield f"实例 {row.id}（{row.title}）记着的各步经办人与任务不符"


def _pools(connection: Connection) -> Iterator[str]:
    """Only open tasks stand in a pool, and an open task has a holder, a pool, or an incident that says that nobody was found."""
    orphans = select(func.count()).select_from(task_candidate).join(task, task.c.id == task_candidate.c.task_id)
    left = connection.scalar(orphans.where(task_candidate.c.open, task.c.status != "open"))
    if left:
        yield f"有 {left} 条候选还指着已经不在办理的任务"
    pooled = select(task_candidate.c.task_id).where(task_candidate.c.open)
    told = select(incident.c.engine_id).where(incident.c.instance_id == task.c.instance_id, incident.c.status == "open", incident.c.kind == "assignment")
    lost = select(task.c.id, task.c.title).where(
        task.c.status == "open", task.c.assignee_id.is_(None), task.c.id.not_in(pooled), task.c.engine_id.not_in(told)
    )
    for row in connection.execute(lost):
        yield f"任务 {row.id}（{row.title}）没有人能办，也没有异常记录"


def _signers(connection: Connection) -> Iterator[str]:
    """Colleagues are asked on open tasks only, and a submission is held only while somebody's agreement is waited for."""
    live = task_signer.c.status.in_(["planned", "open"])
    left = connection.scalar(select(func.count()).select_from(task_signer.join(task)).where(live, task.c.status != "open"))
    if left:
        yield f"有 {left} 条征求意见还指着已经不在办理的任务"
    awaited = select(task_signer.c.task_id).where(task_signer.c.kind == "after", task_signer.c.status == "open")
    held = task.c.held.is_not(None)
    for row in connection.execute(select(task.c.id, task.c.title).where(held, or_(task.c.status != "open", task.c.id.not_in(awaited)))):
        yield f"任务 {row.id}（{row.title}）留着提交，却没有人要同意"
    for row in connection.execute(select(task.c.id, task.c.title).where(~held, task.c.id.in_(awaited))):
        yield f"任务 {row.id}（{row.title}）在等同意，却没有留着提交"


def _effects(connection: Connection) -> Iterator[str]:
    """Nothing is still queued for an instance that is over."""
    query = (
        select(effect.c.id, effect.c.handler).join(instance, instance.c.id == effect.c.instance_id)
        .where(effect.c.status == "queued", instance.c.status == "completed")
    )
    for row in connection.execute(query):
        yield f"对外动作 {row.id}（{row.handler}）还在排队，流程却已办完"


def _numbers(connection: Connection) -> Iterator[str]:
    """Numbers run from one to the counter without gaps or doubles; voided ones stay in the book."""
    b, c = number_book.c, number_counter.c
    book = (
        select(b.unit_id, b.year, b.kind, func.count().label("count"), func.min(b.seq).label("first"), func.max(b.seq).label("last"))
        .group_by(b.unit_id, b.year, b.kind).subquery()
    )
    same = (book.c.unit_id == c.unit_id) & (book.c.year == c.year) & (book.c.kind == c.kind)
    query = (
        select(func.coalesce(book.c.kind, c.kind).label("kind"), func.coalesce(book.c.year, c.year).label("year"), book.c.count, c.last)
        .select_from(number_counter).join(book, same, full=True)
        .where(or_(
            book.c.count.is_distinct_from(c.last), book.c.first.is_distinct_from(1), book.c.last.is_distinct_from(c.last),
        ))
    )
    for row in connection.execute(query):
        yield f"编号 {row.kind} {row.year} 年：簿上 {row.count} 个，计数到 {row.last}，有断号或重号"


def _audit(connection: Connection) -> Iterator[str]:
    for chain in chains(connection):
        broken = find_break(connection, chain)
        if broken is not None:
            yield f"审计链 {chain} 从第 {broken.seq} 条起不可信：{broken.why}"
