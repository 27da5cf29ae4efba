"""Items of a fan-out that need not come back: the rest is called off, or one is passed over. Their cases end where they stand."""
from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, select, update

from engine.access import audit
from engine.access.actors import Actor
from engine.access.scope import require_case
from engine.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from engine.runtime.advance import advance
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_instance, request_hash
from engine.runtime.fanouts import CALLED_OFF, close_case, count_item
from engine.runtime.incidents import OPERATOR
from engine.runtime.job_names import DELIVER_ITEMS, END_ITEMS
from engine.runtime.settle import settle
from engine.runtime.work import ActResult, Work
from engine.storage.tables.cases import case_file
from engine.storage.tables.runtime import incident
from engine.storage.tables.waiting import fanout, fanout_item

NO_FANOUT = "没有这次分办，或者您无权查看。"

ROUND = 200


def may_steer(row: Any, actor: Actor) -> bool:
    """An operator, the officer in charge of the case, or whoever sent the items out may call off what is left of them."""
    return OPERATOR in actor.rights or actor.person_id in (row["handler_id"], row["started_by"])


def cancel_rest(app: Application, *, actor: Actor, fanout_id: UUID, reason: str, at: datetime) -> None:
    """End a fan-out with what came back so far; what is left is called off and the parent goes on.

    Raises NotFound, Forbidden (see ``may_steer``), Invalid without a reason, Conflict when it is over.
    """
    with app.db.begin() as connection:
        row = _steered(connection, actor, fanout_id, reason)
        connection.execute(update(fanout).where(fanout.c.id == fanout_id).values(status="ended", ended_at=at, ended_name=actor.name, reason=reason.strip()[:500]))
        app.jobs.defer(connection, END_ITEMS, fanout_id=str(fanout_id))
        app.jobs.defer(connection, DELIVER_ITEMS, fanout_id=str(fanout_id))
        _note(connection, actor, at, "fanout.cancel", row, reason, left=row["remaining"])


def skip_item(app: Application, *, actor: Actor, fanout_id: UUID, index: int, reason: str, key: str, at: datetime) -> None:
    """Pass over one item that can't or needn't be done: it counts as come back, with no result. Raises as ``cancel_rest`` does."""
    with app.db.connect() as connection:
        item = connection.execute(select(fanout_item).where(fanout_item.c.fanout_id == fanout_id, fanout_item.c.index == index)).mappings().one_or_none()
    if item is None:
        raise NotFound("没有这一项。")
    with app.db.begin() as connection:
        if item["instance_id"] is None:
            raise Conflict("这一项的案件还没有建立，请稍候再试。")
        work = _ending(app, connection, item["instance_id"], key, at)
        if isinstance(work, ActResult):
            return
        row = _steered(connection, actor, fanout_id, reason)
        work.actor, work.opinion, work.outcome_title = actor, reason.strip(), "跳过这一项"
        work.request_hash = request_hash(end=item["instance_id"])
        count_item(work, status="skipped", reason=reason.strip()[:500])
        _end(work)
        _note(connection, actor, at, "fanout.skip", row, reason, index=index)


def end_items(app: Application, *, fanout_id: str) -> int:
    """The job behind the end of a fan-out: items without a case are called off at once, the cases of the others end one by one; how many."""
    id, ended = UUID(fanout_id), 0
    with app.db.begin() as connection:
        connection.execute(select(fanout.c.id).where(fanout.c.id == id).with_for_update())
        planned = fanout_item.c.fanout_id == id, fanout_item.c.status == "planned"
        ended += connection.execute(update(fanout_item).where(*planned).values(status="cancelled", ended_at=app.clock.now())).rowcount
    while True:
        running = select(fanout_item.c.instance_id).where(fanout_item.c.fanout_id == id, fanout_item.c.status == "running").order_by(fanout_item.c.index).limit(ROUND)
        with app.db.connect() as connection:
            found = connection.scalars(running).all()
        if not found:
            return ended
        for instance_id in found:
            ended += _call_off(app, instance_id, f"end:{id}:{instance_id}")


def _call_off(app: Application, instance_id: UUID, key: str) -> int:
    at = app.clock.now()
    with app.db.begin() as connection:
        work = _ending(app, connection, instance_id, key, at)
        if isinstance(work, ActResult):
            return 0
        taken = update(fanout_item).where(fanout_item.c.instance_id == instance_id, fanout_item.c.status == "running").values(status="cancelled", ended_at=at)
        if connection.execute(taken).rowcount == 0:
            return 0
        work.outcome_title = "不再办理：上级事项已结束分办"
        _end(work)
        return 1


def _ending(app: Application, connection: Connection, instance_id: UUID, key: str, at: datetime) -> Work | ActResult:
    return begin_on_instance(app, connection, kind="end_item", actor=None, instance_id=instance_id, key=key, asked=request_hash(end=instance_id), at=at)


def _end(work: Work) -> None:
    """End the case's instance where it stands, its open incidents with it."""
    work.irreversible = True
    if work.machine.completed:
        raise Conflict("这一项已经办完，不用再跳过。请刷新页面。")
    work.machine.cancel_all(now=work.at)
    advance(work)
    work.instance["status"] = "cancelled"
    close_case(work, CALLED_OFF)
    closed = update(incident).where(incident.c.instance_id == work.instance["id"], incident.c.status == "open")
    work.connection.execute(closed.values(status="resolved", closed_at=work.at, closed_by=work.actor_id, reason=work.outcome_title))
    settle(work)


def _steered(connection: Connection, actor: Actor, fanout_id: UUID, reason: str) -> RowMapping:
    """The fan-out, locked and open, with the case it belongs to."""
    query = select(fanout, case_file.c.handler_id, case_file.c.title.label("case_title")).join(case_file, case_file.c.id == fanout.c.case_id)
    row = connection.execute(query.where(fanout.c.id == fanout_id).with_for_update(of=fanout)).mappings().one_or_none()
    if row is None:
        raise NotFound(NO_FANOUT)
    require_case(connection, actor, row["case_id"], missing=NO_FANOUT)
    if not may_steer(row, actor):
        raise Forbidden("只有案件的承办人、发起分办的人和运维人员可以取消或跳过。")
    if not reason.strip():
        raise Invalid("请写明理由。", fields={"reason": "写明为什么不再等，会记在审计记录里。"})
    if row["status"] != "open":
        raise Conflict("这次分办已经结束，请刷新页面。")
    return row


def _note(connection: Connection, actor: Actor, at: datetime, action: str, row: RowMapping, reason: str, **detail: Any) -> None:
    audit.append(
        connection, chain=audit.chain_of(actor), at=at, actor_id=actor.person_id, actor_name=actor.name, action=action, object=str(row["id"]),
        case_id=row["case_id"], detail={"reason": reason.strip(), **detail},
    )

