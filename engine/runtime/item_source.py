"""Where the items of a fan-out come from when they are too many for a fact: the rows of a form, or what an automatic step returned.

``gc:items`` on the repetition: ``form.<form>.<field>`` (the latest answers to that form on the case that still count), ``task.<node>.<field>``
(the latest answers at that step of this instance), ``result.<node>.<name>`` (an entry of what the handler of that service task returned).
"""
from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from engine.kernel.errors import Conflict
from engine.kernel.ids import new_id
from engine.kernel.names import pack_of, qualify
from engine.runtime.answers import form_of
from engine.runtime.bpmn.loops import MOST_ITEMS
from engine.runtime.bpmn.values import plain
from engine.runtime.bpmn.waits import FanoutWait, ServiceWait
from engine.runtime.bundles import process_for
from engine.runtime.secrets import MARK, drop_secrets
from engine.runtime.work import Work
from engine.storage.tables.runtime import effect, submission


def items_of(work: Work, wait: FanoutWait, source: str) -> list[Any]:
    """The items that ``source`` names, secrets left out. Raises Conflict when it is no list, or one of more than 100,000 items."""
    kind, _, rest = source.partition(".")
    found = {"form": _of_form, "task": _of_task, "result": _of_result}[kind](work, wait, rest)
    if not isinstance(found, list):
        raise Conflict(f"“{wait.title}”要按“{source}”分办，那里没有一列内容。请先填好，或请流程管理员检查 gc:items。", code="no_items")
    if len(found) > MOST_ITEMS:
        raise Conflict(f"“{wait.title}”有 {len(found)} 项，超过上限 {MOST_ITEMS} 项。请分批办理。", code="too_many_items")
    return [plain(_without_secrets(item), name="item") for item in found]


def _of_form(work: Work, wait: FanoutWait, rest: str) -> Any:
    name, _, field = rest.rpartition(".")
    form, c = qualify(name, pack_of(wait.process)), submission.c
    if form in work.fresh_answers:
        return _rows(work, form, drop_secrets(work.fresh_answers[form], work.fresh_secrets[form]), field)
    query = select(c.data).where(c.case_id == work.case["id"], c.form == form, c.superseded.is_(False))
    return _rows(work, form, work.connection.scalar(query.order_by(c.at.desc(), c.id.desc()).limit(1)), field)


def _rows(work: Work, form: str, data: dict[str, Any] | None, field: str) -> Any:
    """What was answered in ``field``; an empty list where the form has it and nothing was filled in, None where it has no such field."""
    if data is None or field not in form_of(work.app, work.app.library.bundle(work.instance["bundle_id"]), form).fields:
        return None
    return data.get(field) or []


def _of_task(work: Work, wait: FanoutWait, rest: str) -> Any:
    node, _, field = rest.partition(".")
    task, c = work.task, submission.c
    if task is not None and task["node"] == node and task.get("form") in work.fresh_answers:
        return _rows(work, task["form"], drop_secrets(work.fresh_answers[task["form"]], work.fresh_secrets[task["form"]]), field)
    query = select(c.form, c.data).where(c.case_id == work.case["id"], c.instance_id == work.instance["id"], c.node == node, c.superseded.is_(False))
    found = work.connection.execute(query.order_by(c.at.desc(), c.id.desc()).limit(1)).one_or_none()
    return None if found is None else _rows(work, found.form, found.data, field)


def _of_result(work: Work, wait: FanoutWait, rest: str) -> Any:
    node, _, name = rest.partition(".")
    query = select(effect.c.result[name]).where(effect.c.instance_id == work.instance["id"], effect.c.node == node, effect.c.status == "done")
    return work.connection.scalar(query.order_by(effect.c.updated_at.desc(), effect.c.created_at.desc()).limit(1))


def keep_result(work: Work, wait: ServiceWait, result: dict[str, Any], *, reversible: bool) -> None:
    """What an inline step returned, kept like that of a queued one when a fan-out of its process works it off."""
    nodes = process_for(work.app, work.app.library.bundle(work.instance["bundle_id"]), wait.process).nodes.values()
    names = {node.loop.items.split(".")[2] for node in nodes if node.loop is not None and node.loop.items.startswith(f"result.{wait.node}.")}
    if not names:
        return
    work.connection.execute(insert(effect).values(
        id=new_id(), key=f"{work.instance['id']}:{wait.engine_id}:kept", instance_id=work.instance["id"], case_id=work.case["id"], engine_id=wait.engine_id,
        node=wait.node, handler=wait.handler, arguments={}, status="done", result={name: _json(result.get(name)) for name in names}, attempts=1,
        reversible=reversible, created_at=work.at, updated_at=work.at,
    ))


def _json(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _json(item) for name, item in value.items()}
    return str(value) if isinstance(value, UUID) else plain(value, name="result")


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return None if set(value) == {MARK} else {name: _without_secrets(one) for name, one in value.items()}
    return [_without_secrets(one) for one in value] if isinstance(value, list) else value
