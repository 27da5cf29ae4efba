"""A case that a signal or a record should have begun, and that failed as often as a job is tried: an operator retries or skips it, on record."""
from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access import audit
from engine.access.actors import Actor
from engine.kernel.errors import Conflict, GuichengError, Invalid, NotFound
from engine.kernel.ids import new_id
from engine.runtime.application import Application
from engine.runtime.incidents import OPERATOR
from engine.runtime.job_names import START_ON_EVENT
from engine.storage.tables.waiting import start_failure

MOST = 100


def start_exhausted(
    app: Application, error: BaseException, *, process: str, event: str, key: str, facts: dict[str, Any], case_id: str | None = None, unit_id: str | None = None
) -> None:
    """The last attempt of a start failed: it waits for an operator; the same start is one entry however often it fails."""
    at = app.clock.now()
    found = app.library.find_current("process", process)
    told = error.message if isinstance(error, GuichengError) else "发起时程序出错，请联系运维人员。"
    values = {
        "process": process, "event": event, "title": found.title if found else process, "facts": facts, "case_id": UUID(case_id) if case_id else None,
        "unit_id": UUID(unit_id) if unit_id else None, "message": told[:500], "status": "open", "opened_at": at, "closed_at": None, "closed_by": None,
        "closed_name": "", "reason": "",
    }
    with app.db.begin() as connection:
        made = insert(start_failure).values(id=new_id(), key=key, **values)
        connection.execute(made.on_conflict_do_update(index_elements=["key"], set_=values))


def retry_start(app: Application, *, actor: Actor, failure_id: UUID, reason: str, at: datetime) -> None:
    """Try the start again as a job; the same asked again by the same person changes nothing.

    Raises Forbidden without the right ``operator``, NotFound, Conflict when somebody else has seen to it.
    """
    with app.db.begin() as connection:
        row = _taken(connection, actor, failure_id, "retried", reason)
        if row is None:
            return
        app.jobs.defer(
            connection, START_ON_EVENT, process=row["process"], event=row["event"], key=row["key"], facts=row["facts"],
            case_id=str(row["case_id"]) if row["case_id"] else None, unit_id=str(row["unit_id"]) if row["unit_id"] else None,
        )
        _close(connection, actor, row, "retried", reason, at)


def skip_start(app: Application, *, actor: Actor, failure_id: UUID, reason: str, at: datetime) -> None:
    """No case begins by it. Raises as ``retry_start`` does, and Invalid without a reason."""
    actor.require(OPERATOR)
    if not reason.strip():
        raise Invalid("跳过要写明理由。", fields={"reason": "请写明为什么不用发起，或者事情是怎么另行办理的。"})
    with app.db.begin() as connection:
        row = _taken(connection, actor, failure_id, "skipped", reason)
        if row is not None:
            _close(connection, actor, row, "skipped", reason, at)


def listed(connection: Connection, *, actor: Actor, open_only: bool = True) -> list[dict[str, Any]]:
    """The newest hundred; what the record or the case holds is not among them."""
    actor.require(OPERATOR)
    c = start_failure.c
    query = select(c.id, c.process, c.event, c.title, c.message, c.status, c.opened_at, c.closed_at, c.closed_name, c.reason)
    query = query.where(c.status == "open") if open_only else query
    return [dict(row) for row in connection.execute(query.order_by(c.opened_at.desc()).limit(MOST)).mappings()]


def _taken(connection: Connection, actor: Actor, failure_id: UUID, status: str, reason: str) -> RowMapping | None:
    """The row, locked; None when ``actor`` has already brought it to ``status`` for this reason: an answer that was lost is asked for again."""
    actor.require(OPERATOR)
    row = connection.execute(select(start_failure).where(start_failure.c.id == failure_id).with_for_update()).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这条没有成功的发起。")
    if (row["status"], row["closed_by"], row["reason"]) == (status, actor.person_id, _kept(reason)):
        return None
    if row["status"] != "open":
        raise Conflict("这条已经处理过了，请刷新页面。")
    return row


def _close(connection: Connection, actor: Actor, row: RowMapping, status: str, reason: str, at: datetime) -> None:
    values = {"status": status, "closed_at": at, "closed_by": actor.person_id, "closed_name": actor.name, "reason": _kept(reason)}
    connection.execute(update(start_failure).where(start_failure.c.id == row["id"]).values(values))
    audit.append(
        connection, chain=audit.chain_of(actor), at=at, actor_id=actor.person_id, actor_name=actor.name, action=f"start.{status}",
        object=f"{row['process']}:{row['event']}", detail={"key": row["key"], "reason": reason.strip()},
    )


def _kept(reason: str) -> str:
    return reason.strip()[:500]
