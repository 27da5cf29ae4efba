"""Incidents: an automatic step or an assignment that failed. An operator retries it, or skips it with a reason."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, update

from engine.access.actors import Actor
from engine.access.scope import may_see_case
from engine.documents.issue import RENDER_AND_SEAL
from engine.kernel.errors import Conflict, Invalid, NotFound
from engine.kernel.ids import new_id
from engine.runtime.advance import advance, queue_effect, serve
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_instance, request_hash
from engine.runtime.bpmn.waits import ServiceWait
from engine.runtime.job_names import RUN_EFFECT
from engine.runtime.open_tasks import reassign
from engine.runtime.run_effect import find_wait
from engine.runtime.settle import settle
from engine.runtime.work import ActResult, Row, Work
from engine.storage.tables.documents import document
from engine.storage.tables.runtime import effect, incident

OPERATOR = "operator"
DOCUMENT = "document"


def retry_incident(app: Application, *, actor: Actor, incident_id: UUID, reason: str = "", key: str, at: datetime) -> ActResult:
    """Try the failed step again: the handler, or the search for somebody who can do the task."""
    return _act(app, actor=actor, incident_id=incident_id, kind="retry", reason=reason, key=key, at=at, facts={})


def skip_incident(
    app: Application, *, actor: Actor, incident_id: UUID, reason: str, key: str, at: datetime, facts: Mapping[str, Any] | None = None
) -> ActResult:
    """Go on without the failed step. Needs a reason; ``facts`` stand in for what the step would have returned."""
    if not reason.strip():
        raise Invalid("跳过要写明理由。", fields={"reason": "请写明为什么可以跳过这一步，以及事情是怎么另行办理的。"})
    return _act(app, actor=actor, incident_id=incident_id, kind="skip", reason=reason, key=key, at=at, facts=dict(facts or {}))


def _act(
    app: Application, *, actor: Actor, incident_id: UUID, kind: str, reason: str, key: str, at: datetime, facts: dict[str, Any]
) -> ActResult:
    actor.require(OPERATOR)
    with app.db.begin() as connection:
        row = _find(connection, actor, incident_id)
        asked = request_hash(kind=kind, incident=incident_id, reason=reason)
        work = begin_on_instance(app, connection, kind=kind, actor=actor, instance_id=row["instance_id"], key=key, asked=asked, at=at)
        if isinstance(work, ActResult):
            return work
        row = _find(connection, actor, incident_id)
        if row["status"] != "open":
            raise Conflict("这条异常已经处理过了，请刷新页面。")
        work.opinion, work.outcome_title = reason.strip(), {"retry": "重试", "skip": "跳过"}[kind]
        work.irreversible = True
        _handle(work, row, kind, facts)
        status = {"retry": "retried", "skip": "skipped"}[kind]
        connection.execute(update(incident).where(incident.c.id == incident_id).values(status=status, closed_at=at, closed_by=actor.person_id, reason=reason.strip()))
        return settle(work)


def _find(connection: Connection, actor: Actor, incident_id: UUID) -> Row:
    row = connection.execute(select(incident).where(incident.c.id == incident_id)).mappings().one_or_none()
    if row is None or not may_see_case(connection, actor, row["case_id"]):
        raise NotFound("没有这条异常，或者您无权查看。")
    return dict(row)


def _handle(work: Work, row: Row, kind: str, facts: dict[str, Any]) -> None:
    if row["kind"] == DOCUMENT:
        _render_again(work, row, kind)
        return
    waits = work.machine.waits()
    if row["kind"] == "assignment":
        user_wait = find_wait(waits.user_tasks, row["engine_id"])
        if user_wait is not None:
            reassign(work, user_wait)
        return
    if find_wait(waits.parked, row["engine_id"]) is not None:
        _unpark(work, row, kind, facts)
        return
    wait = find_wait(waits.services, row["engine_id"])
    if wait is None:
        raise Conflict("流程已经离开这一步，不用再处理。")
    if kind == "skip":
        _skip(work, wait, row, facts)
    elif row["effect_id"] is not None:
        _queue_again(work, wait, row)
    else:
        serve(work, wait)
        advance(work)


def _render_again(work: Work, row: Row, kind: str) -> None:
    if kind == "retry":
        work.app.jobs.defer(work.connection, RENDER_AND_SEAL, document_id=row["detail"]["document_id"])


def _unpark(work: Work, row: Row, kind: str, facts: dict[str, Any]) -> None:
    """A token that no condition let through: put its facts right, then let it try again."""
    if kind == "skip" and not facts:
        raise Invalid("这一步是流程走不下去，不能直接跳过；请先更正有关的值再重试。", fields={"facts": "请填写要更正的值。"})
    if facts:
        work.machine.write(row["engine_id"], facts)
    work.machine.retry(row["engine_id"], now=work.at)
    advance(work)


def _skip(work: Work, wait: ServiceWait, row: Row, facts: dict[str, Any]) -> None:
    if row["effect_id"] is not None:
        work.connection.execute(update(effect).where(effect.c.id == row["effect_id"]).values(status="skipped", updated_at=work.at))
    work.machine.complete(wait.engine_id, facts, now=work.at)
    advance(work)


def _queue_again(work: Work, wait: ServiceWait, row: Row) -> None:
    found = work.connection.execute(
        update(effect).where(effect.c.id == row["effect_id"]).values(status="queued", updated_at=work.at).returning(effect.c.id)
    ).scalar_one_or_none()
    if found is None:
        queue_effect(work, wait, work.app.service_tasks.get(wait.handler), dict(wait.inputs))
        return
    work.app.jobs.defer(work.connection, RUN_EFFECT, effect_id=str(found))


def document_exhausted(app: Application, error: BaseException, *, document_id: str) -> None:
    """The last attempt to render and seal failed: an incident on the document's case. Retry queues the job again."""
    at = app.clock.now()
    with app.db.begin() as connection:
        row = connection.execute(select(document).where(document.c.id == UUID(document_id))).mappings().one_or_none()
        if row is None or row["instance_id"] is None:
            return
        connection.execute(incident.insert().values(
            id=new_id(), instance_id=row["instance_id"], case_id=row["case_id"], node="", process="", kind=DOCUMENT, status="open", opened_at=at,
            message=f"文书《{row['title']}》没有生成或盖章：{getattr(error, 'message', None) or '生成程序出错'}。排除原因后重试。",
            detail={"document_id": document_id, "error": repr(error)[:2000]}, unit_id=row["unit_id"], district_id=row["district_id"],
        ))
