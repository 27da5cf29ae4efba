"""The state of an instance as bytes: compact JSON rows, zstd. Only live tokens are kept (see ``prune``)."""
from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from SpiffWorkflow.task import Task

from engine.kernel.packing import PLAIN
from engine.runtime.bpmn.errors import BrokenState
from engine.runtime.bpmn.workflow import Sub, Top

VERSION = 1


def dump_state(top: Top) -> bytes:
    """The bytes of a pruned instance."""
    workflows: list[Any] = [top]
    for inner in top.subprocesses.values():
        workflows.append(inner)
    place = {id(workflow): number for number, workflow in enumerate(workflows)}
    rows = [_workflow_row(workflow, place) for workflow in workflows]
    body = orjson.dumps({"v": VERSION, "p": top.spec.name, "w": rows, "c": int(top.completed), "m": top.marks})
    return PLAIN.pack(body)


def _workflow_row(workflow: Any, place: dict[int, int]) -> list[Any]:
    owner = None
    if isinstance(workflow, Sub):
        owner = [place[id(workflow.owner.workflow)], workflow.parent_task_id.hex]
    tasks = [task for task in workflow.tasks.values() if task is not workflow.task_tree]
    number = {task.id: index for index, task in enumerate(tasks)}
    rows = [
        [task.id.hex, number.get(task._parent, -1), task.state, task.task_spec.name, task.data or 0, task.internal_data or 0] for task in tasks
    ]
    return [workflow.spec.name, owner, workflow.facts, workflow.last_data or 0, workflow.compensable or 0, rows]


def load_state(state: bytes, specs: dict[str, Any], *, now: datetime) -> Top:
    """The instance of ``state``; raises BrokenState when it doesn't fit the specs."""
    body = orjson.loads(PLAIN.unpack(state))
    if body["v"] != VERSION:
        raise BrokenState(f"state version {body['v']} is unknown")
    workflows: list[Any] = []
    top: Top | None = None
    for name, owner, facts, last_data, compensable, rows in body["w"]:
        if name not in specs:
            raise BrokenState(f"process spec {name} is missing")
        if owner is None:
            workflow: Any = Top(specs[name], specs, now=now)
            top = workflow
        else:
            owner_task = workflows[owner[0]].tasks[UUID(owner[1])]
            workflow = Sub(specs[name], owner_task, top)  # type: ignore[arg-type]
            top.subprocesses[owner_task.id] = workflow  # type: ignore[union-attr]
        workflow.plant()
        workflow.facts, workflow.last_data, workflow.compensable = facts, last_data or {}, compensable or []
        _restore_tasks(workflow, rows)
        workflows.append(workflow)
    if top is None:
        raise BrokenState("the state has no workflow")
    top.completed = bool(body["c"])
    top.marks = body.get("m") or {}
    return top


def _restore_tasks(workflow: Any, rows: list[list[Any]]) -> None:
    tasks: list[Task] = []
    for identifier, parent, state, spec_name, data, internal in rows:
        spec = workflow.spec.task_specs.get(spec_name)
        if spec is None:
            raise BrokenState(f"node {spec_name} is not in {workflow.spec.name}")
        above = workflow.task_tree if parent < 0 else tasks[parent]
        task = Task(workflow, spec, above, state=state, id=UUID(hex=identifier))
        task.data = data or {}
        task.internal_data = internal or {}
        tasks.append(task)


