"""Move the machine to its next waits: run inline service tasks on the way, queue the others."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog

from engine.kernel.errors import BusinessError, GuichengError, TryAgain
from engine.kernel.ids import new_id
from engine.runtime.bpmn.errors import FlowError
from engine.runtime.bpmn.waits import ServiceWait, Wait
from engine.runtime.handlers import ServiceTask
from engine.runtime.item_source import keep_result
from engine.runtime.job_names import RUN_EFFECT, THROW_MESSAGE, THROW_SIGNAL
from engine.runtime.redo import pass_over
from engine.runtime.task_context import TaskContext
from engine.runtime.work import Work
from engine.storage.tables.runtime import effect, incident

log = structlog.get_logger(__name__)
MOST_INLINE = 200


def advance(work: Work) -> None:
    """Run until only people, queued services, timers or messages are waited for."""
    known = {wait.engine_id for wait in work.waits_before.services}
    for _ in range(MOST_INLINE):
        step = work.machine.advance(now=work.at)
        work.flows += step.flows
        work.nodes += step.nodes
        _park(work, step.errors)
        _pass_on(work, step.thrown)
        waits = work.machine.waits()
        fresh = [wait for wait in waits.services if wait.engine_id not in known]
        if not fresh and not pass_over(work, waits):
            return
        for wait in fresh:
            known.add(wait.engine_id)
            serve(work, wait)
    raise GuichengError(f"流程连续执行了 {MOST_INLINE} 个自动步骤仍未停下，请流程管理员检查是否有死循环。", code="endless_loop")


def _park(work: Work, errors: Sequence[FlowError]) -> None:
    """Where no condition holds, an officer's act is refused whole; without an officer the token is parked as an incident."""
    for error in errors:
        if work.actor is not None and work.kind in ("complete", "start"):
            raise error
        work.batch.insert(incident, incident_row(work, engine_id=error.engine_id, node=error.element, process=error.process, kind=error.kind, message=error.message))


def _pass_on(work: Work, thrown: Sequence[Mapping[str, Any]]) -> None:
    """Messages and signals that the diagram throws leave as jobs of this commit."""
    for number, event in enumerate(thrown):
        key = f"{work.act_id}:{event['engine_id']}:{number}"
        if event["kind"] == "message":
            work.app.jobs.defer(
                work.connection, THROW_MESSAGE, name=event["name"], correlation=str(event.get("correlation") or ""), payload=event.get("payload") or {}, key=key,
            )
        else:
            work.app.jobs.defer(work.connection, THROW_SIGNAL, name=event["name"], key=key, instance_id=str(work.instance["id"]))


def serve(work: Work, wait: ServiceWait) -> None:
    """Run or queue the handler of one service wait; what goes wrong becomes an incident."""
    handler = work.app.service_tasks.find(wait.handler)
    if handler is None:
        open_incident(work, wait, kind="service", message=f"自动步骤“{wait.title}”要用的处理程序 {wait.handler or '（未写明）'} 没有安装。")
        return
    arguments = arguments_of(wait, handler)
    if (wait.mode or handler.mode) == "queued":
        queue_effect(work, wait, handler, arguments)
        return
    _run_inline(work, wait, handler, arguments)


def arguments_of(wait: ServiceWait, handler: ServiceTask) -> dict[str, Any]:
    """The keyword arguments for a handler: inputs that are not null and that it takes."""
    taken = {parameter.name for parameter in handler.parameters}
    return {name: value for name, value in wait.inputs.items() if value is not None and name in taken}


def _run_inline(work: Work, wait: ServiceWait, handler: ServiceTask, arguments: dict[str, Any]) -> None:
    undo_before = len(work.undo)
    savepoint = work.connection.begin_nested()
    try:
        result = call(handler, context_of(work, wait), arguments)
        savepoint.commit()
    except BusinessError as error:
        _roll_back(work, savepoint, undo_before)
        if not work.machine.fail(wait.engine_id, error.code, message=error.message, now=work.at):
            open_incident(work, wait, kind="error_uncaught", message=f"“{wait.title}”报告：{error.message}。流程图上没有安排怎么处理。")
        return
    except GuichengError:
        savepoint.rollback()
        raise
    except Exception as error:
        _roll_back(work, savepoint, undo_before)
        log.exception("inline handler failed", handler=handler.name)
        open_incident(work, wait, kind="service", message=failure_message(wait.title, error), detail={"error": repr(error)[:2000]})
        return
    work.irreversible = work.irreversible or not handler.reversible
    keep_result(work, wait, result, reversible=handler.reversible)
    work.machine.complete(wait.engine_id, result, now=work.at)


def _roll_back(work: Work, savepoint: Any, undo_before: int) -> None:
    savepoint.rollback()
    del work.undo[undo_before:]


def call(handler: ServiceTask, context: TaskContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call a handler with keyword arguments; its result as a dict (None counts as empty)."""
    return dict(handler.function(context, **arguments) or {})


def context_of(work: Work, wait: Wait) -> TaskContext:
    return TaskContext(
        app=work.app, connection=work.connection, at=work.at, effect_key=f"{work.instance['id']}:{wait.engine_id}", case=work.case,
        instance_id=work.instance["id"], node=wait.node, process=wait.process, facts=wait.facts, scope=wait.scope, actor_id=work.actor_id,
        actor_name=work.actor_name, work=work,
    )


def queue_effect(work: Work, wait: ServiceWait, handler: ServiceTask, arguments: dict[str, Any]) -> None:
    """Leave a queued service task to the worker, in this commit; its key never names the attempt."""
    effect_id = new_id()
    work.batch.insert(effect, {
        "id": effect_id, "key": f"{work.instance['id']}:{wait.engine_id}:{handler.name}", "instance_id": work.instance["id"],
        "case_id": work.case["id"], "engine_id": wait.engine_id, "node": wait.node, "handler": handler.name, "arguments": arguments,
        "status": "queued", "attempts": 0, "reversible": handler.reversible, "created_at": work.at, "updated_at": work.at,
    })
    work.app.jobs.defer(work.connection, RUN_EFFECT, effect_id=str(effect_id))


def open_incident(work: Work, wait: Wait, *, kind: str, message: str, detail: dict[str, Any] | None = None, effect_id: UUID | None = None) -> None:
    """A row that an operator sees, retries or skips with a reason; the token stays where it is."""
    row = incident_row(work, engine_id=wait.engine_id, node=wait.node, process=wait.process, kind=kind, message=message)
    work.batch.insert(incident, {**row, "detail": detail or {}, "effect_id": effect_id})


def incident_row(work: Work, *, engine_id: str, node: str, process: str, kind: str, message: str) -> dict[str, Any]:
    return {
        "id": new_id(), "instance_id": work.instance["id"], "case_id": work.case["id"], "engine_id": engine_id, "node": node, "process": process,
        "kind": kind, "message": message, "detail": {}, "status": "open", "opened_at": work.at, "effect_id": None,
        "unit_id": work.case["unit_id"], "district_id": work.case["district_id"],
    }


def failure_message(title: str, error: BaseException) -> str:
    """What an operator reads about a failed automatic step."""
    if isinstance(error, TryAgain):
        return f"自动步骤“{title}”多次重试仍未成功：{error or '对方系统没有应答'}。"
    if isinstance(error, GuichengError):
        return f"自动步骤“{title}”没有成功：{error.message}"
    return f"自动步骤“{title}”出错，已停在这一步。可重试；仍不成功请联系运维人员。"
