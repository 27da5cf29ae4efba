"""催办: ask whoever holds a step to hurry; counted on the task, at most once in two hours per person."""
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, update

from engine.access.actors import Actor
from engine.access.assignment import holders, holds_role
from engine.access.scope import may_see_case
from engine.kernel.clock import SHANGHAI, legal_date
from engine.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from engine.registers.catalogue import get_register
from engine.registers.scope import visible
from engine.runtime.allowed import allowed_acts
from engine.runtime.application import Application
from engine.runtime.begin import request_hash
from engine.runtime.beside import Beside, begin_beside, tell, write_beside
from engine.runtime.locate import NO_TASK, require_open
from engine.runtime.once import once
from engine.runtime.work import ActResult, Row
from engine.storage.tables.runtime import act, instance, task, task_candidate, task_signer

PAUSE = timedelta(hours=2)


@once
def urge_task(app: Application, *, actor: Actor, task_id: UUID, words: str = "", key: str, at: datetime) -> ActResult:
    """Tell everyone who holds ``task_id`` (or was asked on it) that it is urgent.

    Raises Invalid for one's own step, Conflict within two hours after one's last time, AlreadyDone, Forbidden, NotFound.
    """
    asked = request_hash(kind="urge", task=task_id, words=words)
    with app.db.begin() as connection:
        case_id = connection.scalar(select(task.c.case_id).where(task.c.id == task_id))
        if case_id is None or not may_see_case(connection, actor, case_id):
            raise NotFound(NO_TASK)
        work = begin_beside(app, connection, kind="urge", actor=actor, case_id=case_id, key=key, asked=asked, at=at)
        if isinstance(work, ActResult):
            return work
        row = _task(connection, task_id)
        require_open(connection, row)
        if "urge" not in allowed_acts(app, row, row):
            raise Forbidden("这个流程在这一步不允许催办。", code="not_allowed_here")
        if row["instance_status"] == "suspended":
            raise Conflict("这件事已暂停办理，不用催办。", code="suspended")
        urged = _urged(connection, row, at)
        if not urged - {actor.person_id}:
            raise Invalid("这一步在您自己手里，不用催办。")
        _require_pause(connection, actor, task_id, at)
        _tell_all(work, row, urged - {actor.person_id}, words.strip())
        return write_beside(work, title=row["title"], outcome_title=f"第 {row['urged'] + 1} 次催办", words=words.strip(), task=row)


@once
def urge_record(app: Application, *, actor: Actor, register: str, record_id: UUID, words: str = "", key: str, at: datetime) -> ActResult:
    """Urge whoever holds an open step of a record's case, from the record: for holders of the register's ``urges``, who see the record and perhaps not its case.

    Raises NotFound, Forbidden, Invalid where nobody holds anything, Conflict within two hours after one's last time.
    """
    asked = request_hash(kind="urge", record=record_id, words=words)
    declared, table = get_register(app.library, register)
    with app.db.begin() as connection:
        case_id = connection.scalar(visible(declared, table, actor, table.c.case_id).where(table.c.id == record_id)) if declared.case != "none" else None
        if case_id is None:
            raise NotFound("没有这条记录，或者您无权查看。")
        if declared.urges is None or not holds_role(connection, role=declared.urges, posts=actor.posts, on=legal_date(at)):
            raise Forbidden("您的岗位不能在这里催办。")
        work = begin_beside(app, connection, kind="urge", actor=actor, case_id=case_id, key=key, asked=asked, at=at, unseen=True)
        if isinstance(work, ActResult):
            return work
        found = [(row, _urged(connection, row, at) - {actor.person_id}) for row in _open_tasks(connection, case_id) if "urge" in allowed_acts(app, row, row)]
        held = [(row, people) for row, people in found if people]
        if not held:
            raise Invalid("现在没有别人手上有这件事，不用催办。")
        for row, people in held:
            _require_pause(connection, actor, row["id"], at)
            _tell_all(work, row, people, words.strip())
        first = held[0][0]
        return write_beside(work, title="、".join(row["title"] for row, _ in held), outcome_title=f"第 {first['urged'] + 1} 次催办", words=words.strip(), task=first)


def anybody_to_urge(connection: Connection, *, actor: Actor, case_id: UUID | None) -> bool:
    """Whether somebody else has an open step of the case, as far as the rows tell at a glance."""
    open_to = select(task.c.id).where(task.c.case_id == case_id, task.c.status == "open", task.c.assignee_id.is_distinct_from(actor.person_id))
    return connection.scalar(open_to.limit(1)) is not None


def _open_tasks(connection: Connection, case_id: UUID) -> list[Row]:
    """The open steps of a case that is not suspended, the latest first."""
    running = _WITH_INSTANCE.where(task.c.case_id == case_id, task.c.status == "open", instance.c.status != "suspended")
    return [dict(row) for row in connection.execute(running.order_by(task.c.opened_at.desc(), task.c.id)).mappings()]


_WITH_INSTANCE = select(task, instance.c.bundle_id, instance.c.status.label("instance_status")).join(instance, instance.c.id == task.c.instance_id)


def _task(connection: Connection, task_id: UUID) -> Row:
    return dict(connection.execute(_WITH_INSTANCE.where(task.c.id == task_id)).mappings().one())


def _urged(connection: Connection, row: Row, at: datetime) -> set[UUID]:
    """Those asked for an opinion, else the holder, else everyone in the pool."""
    asked = set(connection.scalars(select(task_signer.c.person_id).where(task_signer.c.task_id == row["id"], task_signer.c.status == "open")))
    if asked:
        return asked
    if row["assignee_id"] is not None:
        return {row["assignee_id"]}
    pairs: Any = connection.execute(select(task_candidate.c.unit_id, task_candidate.c.post).where(task_candidate.c.task_id == row["id"])).all()
    return {one.person_id for one in holders(connection, pairs=[(unit, post) for unit, post in pairs], on=legal_date(at))}


def _require_pause(connection: Connection, actor: Actor, task_id: UUID, at: datetime) -> None:
    last = connection.scalar(
        select(act.c.at).where(act.c.actor_id == actor.person_id, act.c.at > at - PAUSE, act.c.kind == "urge", act.c.task_id == task_id).order_by(act.c.at.desc()).limit(1)
    )
    if last is not None:
        again = (last + PAUSE).astimezone(SHANGHAI)
        raise Conflict(f"您刚催过，对方已收到通知；{again:%H:%M} 以后可以再催。", code="urged_lately")


def _tell_all(work: Beside, row: Row, people: set[UUID], words: str) -> None:
    text = f"{work.actor.name}催办：{row['title']}　{work.case['title']}{f'　{words[:60]}' if words else ''}"
    for id in sorted(people, key=str):
        tell(work, id, text, kind="urge", link=f"/tasks/{row['id']}", task_id=row["id"])
    work.batch.add(update(task).where(task.c.id == row["id"]).values(urged=task.c.urged + 1))
