"""What waits beside the tokens of a moved instance: joins, races, boundary events, event sub-processes, timers, correlation keys."""
from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from SpiffWorkflow.task import Task

from engine.runtime.bpmn.catching import correlation_of
from engine.runtime.bpmn.errors import FlowError
from engine.runtime.bpmn.gateways import Joining
from engine.runtime.bpmn.model import Event, Model, Node
from engine.runtime.bpmn.timers import schedule
from engine.runtime.bpmn.tokens import LIVE, enter, hosted, new_task
from engine.runtime.bpmn.workflow import scene

Pairs = list[tuple[Any, Any]]


def fit(task: Task, made: Task) -> None:
    """Bring a carried token's own waiting in line with its element: a changed time moves by the difference, a changed key is read anew."""
    before, after = task.task_spec.node, made.task_spec.node
    if after.event is None or "parked" in made.internal_data:
        return
    if after.event.kind == "timer" and "due" in made.internal_data:
        retime(task, made, before, after)
    if after.event.kind == "message" and before.event is not None and "key" in made.internal_data and before.event.correlation != after.event.correlation:
        made.internal_data["key"] = correlation_of(made)


def retime(task: Task, made: Task, before: Node, after: Node) -> None:
    """Keep the due time, moved by as much as the definition was; a new kind of timing starts now."""
    assert before.event is not None and after.event is not None
    if same_time(before.event, after.event):
        return
    now = made.workflow.top_workflow.now
    fresh = schedule(after, scene(made), now)
    if "cycle" in (before.event.timer, after.event.timer) or after.event.timer == "date":
        for name in ("due", "left", "every"):
            made.internal_data.pop(name, None)
        made.internal_data.update(fresh)
        return
    base = datetime.fromisoformat(schedule(before, scene(task), now)["due"])
    shift = datetime.fromisoformat(fresh["due"]) - base
    made.internal_data["due"] = (datetime.fromisoformat(made.internal_data["due"]) + shift).isoformat()


def same_time(before: Event, after: Event) -> bool:
    """True when two timers are set by the same words."""
    return (before.timer, before.text) == (after.timer, after.text)


def rejoin(top: Any, pairs: Pairs, carried: dict[UUID, Task]) -> None:
    """Tokens that wait at a join or race behind a gateway name the flow they came by; it may have another id now."""
    for old, new in pairs:
        before, after = old.spec.model, new.spec.model
        for task in old.tasks.values():
            made = carried.get(task.id)
            if made is None or task is old.task_tree or "via" not in made.internal_data:
                continue
            joins = isinstance(made.task_spec, Joining)
            if joins or "race" in made.internal_data:
                made.internal_data["via"] = _same_flow(task, made, before, after, carried)


def _same_flow(task: Task, made: Task, before: Model, after: Model, carried: dict[UUID, Task]) -> str:
    came, node = before.flows.get(task.internal_data["via"]), made.task_spec.node
    own = [after.flows[id] for id in node.incoming]
    for flow in own:
        if came is not None and flow.id == came.id:
            return flow.id
    alike = [flow for flow in own if came is not None and flow.source == came.source]
    if len(alike) == 1:
        return alike[0].id
    raise FlowError(f"「{node.title}」已经等到的一支在新版里没有连到它，不能迁移。", element=node.id)


def rearm(top: Any, pairs: Pairs, carried: dict[UUID, Task]) -> None:
    """Boundary events, event sub-processes and racing events: kept, added, dropped."""
    events = {id(new): old for old, new in pairs}
    hosts = {task.id: task for old, _ in pairs for task in old.tasks.values()}
    for workflow in [top, *top.subprocesses.values()]:
        old = events.get(id(workflow))
        _triggers(workflow, old)
        _races(workflow)
        for host in [task for task in workflow.tasks.values() if task is not workflow.task_tree and task.has_state(LIVE)]:
            _boundaries(host, hosts.get(host.id))


def _boundaries(host: Task, was: Task | None) -> None:
    waiting = {} if was is None else {task.task_spec.node.id: task for task in hosted(was)}
    drawn = [] if was is None else [was.workflow.spec.task_specs[name].node for name in was.task_spec.boundary]
    specs = host.workflow.spec.task_specs
    for name in host.task_spec.boundary:
        spec = specs[name]
        if not spec.waits_outside:
            continue
        twin = find_twin(spec.node, drawn)
        if twin is None:
            enter(new_task(host.workflow, name, data=host.data, host=str(host.id), **_runs(host)))
        elif twin.id in waiting:
            _keep(waiting[twin.id], host.workflow, name)


def find_twin(node: Node, drawn: list[Node]) -> Node | None:
    """The event of the old version that ``node`` continues: of the same id, or the only one that waits for the same thing in the same way."""
    assert node.event is not None
    alike = [one for one in drawn if one.event is not None and one.event.kind == node.event.kind]
    same = [one for one in alike if one.id == node.id]
    if same:
        return same[0]
    exact = [one for one in alike if one.event == node.event and one.interrupting == node.interrupting]
    return exact[0] if len(exact) == 1 else None


def _keep(task: Task, workflow: Any, name: str) -> Task:
    made = Task(workflow, workflow.spec.task_specs[name], workflow.task_tree, state=task.state, id=task.id)
    made.data, made.internal_data = dict(task.data), dict(task.internal_data)
    fit(task, made)
    return made


def _triggers(workflow: Any, old: Any) -> None:
    """``old`` is None for a body that the instance enters by moving."""
    waiting = {} if old is None else {task.task_spec.name: task for task in old.tasks.values() if "trigger" in task.internal_data and task.has_state(LIVE)}
    known = () if old is None else old.spec.triggers
    for name in workflow.spec.triggers:
        spec = workflow.spec.task_specs[name]
        if not spec.waits_outside:
            continue
        was = old.spec.task_specs[name].node.event if name in known else None
        if was is None or was.kind != spec.node.event.kind:
            enter(new_task(workflow, name, trigger=1))
        elif name in waiting:
            _keep(waiting[name], workflow, name)


def _races(workflow: Any) -> None:
    """Events that the new version adds behind an event-based gateway race along."""
    groups: dict[str, list[Task]] = {}
    for task in workflow.tasks.values():
        if task.has_state(LIVE) and "race" in task.internal_data:
            groups.setdefault(task.internal_data["race"], []).append(task)
    for race, members in groups.items():
        first = members[0]
        model = workflow.spec.model
        source = model.flows[first.internal_data["via"]].source
        there = {task.task_spec.name for task in members}
        for flow_id, target in workflow.spec.task_specs[source].flows:
            if target not in there:
                enter(new_task(workflow, target, data=first.data, via=flow_id, race=race, **_runs(first)))


def _runs(task: Task) -> dict[str, Any]:
    return {"runs": task.internal_data["runs"]} if task.internal_data.get("runs") else {}
