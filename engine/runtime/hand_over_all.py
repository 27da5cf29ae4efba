"""离职交接: everything that one person holds goes to another, one act per task and per case."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select, update

from engine.access.actors import LEADER_POSTS, SEE_ALL, Actor, holds_on
from engine.kernel.clock import legal_date
from engine.kernel.errors import Forbidden, GuichengError, Invalid
from engine.kernel.ids import new_id
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_task, request_hash
from engine.runtime.beside import Beside, tell, write_beside
from engine.runtime.close_task import close_pool, remember_handled
from engine.runtime.locate import find_act, lock_case, require_open
from engine.runtime.settle import stand
from engine.runtime.work import ActResult, Work
from engine.storage.tables.cases import case_file
from engine.storage.tables.organisation import notice, person, post, unit
from engine.storage.tables.runtime import task, task_signer

ADMIN = "admin"


@dataclass(frozen=True, kw_only=True)
class Held:
    """What somebody holds: open tasks, questions they have not answered yet, open cases they handle."""

    tasks: tuple[UUID, ...]
    asked: tuple[UUID, ...]
    cases: tuple[UUID, ...]

    @property
    def count(self) -> int:
        return len(self.tasks) + len(self.asked) + len(self.cases)


@dataclass(frozen=True, kw_only=True)
class HandedOver:
    """How many went over, and what could not, each with its reason."""

    tasks: int
    asked: int
    cases: int
    refused: tuple[str, ...] = ()


def held_by(connection: Connection, person_id: UUID) -> Held:
    """What ``person_id`` holds now, by id."""
    tasks = connection.scalars(select(task.c.id).where(task.c.assignee_id == person_id, task.c.status == "open").order_by(task.c.id))
    asked = connection.scalars(
        select(task_signer.c.task_id).where(task_signer.c.person_id == person_id, task_signer.c.status.in_(["planned", "open"])).order_by(task_signer.c.task_id)
    )
    cases = connection.scalars(
        select(case_file.c.id).where(case_file.c.handler_id == person_id, case_file.c.closed_at.is_(None), case_file.c.voided_at.is_(None)).order_by(case_file.c.id)
    )
    return Held(tasks=tuple(tasks), asked=tuple(asked), cases=tuple(cases))


def hand_over_all(
    app: Application, *, actor: Actor, from_person_id: UUID, to_person_id: UUID, reason: str, key: str, at: datetime
) -> HandedOver:
    """Give everything over. An administrator may for anybody, a unit's head for people of the units below.

    The same ``key`` goes on where it was interrupted. Raises Forbidden, Invalid (no reason, same person, inactive receiver).
    """
    with app.db.connect() as connection:
        require_may_hand_over(connection, actor, from_person_id, at=at)
        if not reason.strip():
            raise Invalid("交接要写明原因。", fields={"reason": "例如：调离、退休、长期病假。"})
        if from_person_id == to_person_id:
            raise Invalid("交出人和接手人是同一个人。", fields={"to_person_id": "请选另一位。"})
        receiver = person_name(connection, to_person_id)
        leaver = connection.scalar(select(person.c.name).where(person.c.id == from_person_id)) or ""
        held = held_by(connection, from_person_id)
    one = _Handing(app=app, actor=replace(actor, rights=actor.rights | {SEE_ALL}), leaver_id=from_person_id, leaver=leaver, receiver_id=to_person_id, receiver=receiver, reason=reason.strip(), key=key, at=at)
    refused: list[str] = []
    counts = [sum(_tried(one, verb, id, refused) for id in ids)
              for verb, ids in ((_task, held.tasks), (_asked, held.asked), (_case, held.cases))]
    return HandedOver(tasks=counts[0], asked=counts[1], cases=counts[2], refused=tuple(refused))


def person_name(connection: Connection, person_id: UUID) -> str:
    """The name of an active person; raises Invalid."""
    name = connection.scalar(select(person.c.name).where(person.c.id == person_id, person.c.active))
    if name is None:
        raise Invalid("没有这位接手人，或者他已停用。", fields={"to_person_id": "请重新选择。"})
    return str(name)


def require_may_hand_over(connection: Connection, actor: Actor, person_id: UUID, *, at: datetime) -> None:
    """Raise Forbidden unless ``actor`` is an administrator or heads a unit that the person belongs to."""
    if ADMIN in actor.rights:
        return
    paths = connection.scalars(select(unit.c.path).join(post, post.c.unit_id == unit.c.id).where(post.c.person_id == person_id, holds_on(legal_date(at)))).all()
    if actor.post_code not in LEADER_POSTS or not any(path.startswith(actor.agency_path) for path in paths):
        raise Forbidden("只有系统管理员和本单位负责人可以办理交接。")


@dataclass(frozen=True, kw_only=True)
class _Handing:
    app: Application
    actor: Actor
    leaver_id: UUID
    leaver: str
    receiver_id: UUID
    receiver: str
    reason: str
    key: str
    at: datetime

    @property
    def title(self) -> str:
        return f"{self.leaver}交接给{self.receiver}"


def _tried(one: _Handing, verb: Callable[[_Handing, UUID], bool], id: UUID, refused: list[str]) -> int:
    try:
        return int(verb(one, id))
    except GuichengError as error:
        refused.append(error.message)
        return 0


def _begin(one: _Handing, connection: Connection, id: UUID, what: str) -> Work | None:
    """The work on a task; None when this hand-over has done it already."""
    asked = request_hash(kind="hand_over", id=id, to=one.receiver_id, what=what)
    work = begin_on_task(one.app, connection, kind="hand_over", actor=one.actor, task_id=id, key=f"{one.key}:{what}:{id}", asked=asked, at=one.at)
    if isinstance(work, ActResult):
        return None
    assert work.task is not None
    work.task["principal"] = None
    require_open(connection, work.task)
    work.opinion, work.outcome, work.outcome_title = one.reason, "hand_over", one.title
    return work


def _task(one: _Handing, id: UUID) -> bool:
    """An open task: the receiver holds it; what its colleagues were asked stays asked."""
    with one.app.db.begin() as connection:
        work = _begin(one, connection, id, "task")
        if work is None or work.task is None or work.task["assignee_id"] != one.leaver_id:
            return False
        values = {"assignee_id": one.receiver_id, "claimed_at": None, "from_id": one.actor.person_id, "from_name": one.actor.name, "from_words": one.title}
        work.batch.add(update(task).where(task.c.id == id).values(**values))
        close_pool(work, id)
        remember_handled(work, one.leaver_id)
        _tell(work, one)
        stand(work)
        return True


def _asked(one: _Handing, id: UUID) -> bool:
    """A question not answered yet: the receiver is asked instead, unless they are asked or hold the task anyway."""
    with one.app.db.begin() as connection:
        work = _begin(one, connection, id, "asked")
        if work is None or work.task is None:
            return False
        rows = {row["person_id"]: row for row in work.task["signers"]}
        mine = rows.get(str(one.leaver_id))
        if mine is None:
            return False
        if str(one.receiver_id) in rows or work.task["assignee_id"] == one.receiver_id:
            raise Invalid(f"“{work.task['title']}”的意见没有转交：{one.receiver}已经在这一步里，请办理人减签。")
        work.batch.add(update(task_signer).where(task_signer.c.id == UUID(mine["id"])).values(person_id=one.receiver_id, person_name=one.receiver))
        if mine["status"] == "open":
            _tell(work, one)
        stand(work)
        return True


def _tell(work: Work, one: _Handing) -> None:
    assert work.task is not None
    work.batch.insert(notice, {
        "id": new_id(), "person_id": one.receiver_id, "kind": "task", "text": f"{one.title}：{work.task['title']}　{work.case['title']}",
        "link": f"/tasks/{work.task['id']}", "case_id": work.case["id"], "task_id": work.task["id"], "at": work.at,
    })


def _case(one: _Handing, id: UUID) -> bool:
    """A case that the leaver handles."""
    key = f"{one.key}:case:{id}"
    with one.app.db.begin() as connection:
        case = lock_case(connection, id)
        if find_act(connection, key) is not None or case["handler_id"] != one.leaver_id:
            return False
        work = Beside(app=one.app, connection=connection, kind="hand_over", key=key, at=one.at, actor=one.actor, case=case,
                      request_hash=request_hash(kind="hand_over", id=id, to=one.receiver_id, what="case"))
        work.batch.add(update(case_file).where(case_file.c.id == id).values(handler_id=one.receiver_id, updated_at=one.at))
        tell(work, one.receiver_id, f"{one.title}：您是承办人了　{case['title']}", kind="case", link=f"/cases/{id}")
        write_beside(work, title="承办人", outcome_title=one.title, words=one.reason)
        return True
