"""The direct return: cancel what the return replaces, start one fresh token at the target."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from SpiffWorkflow.task import Task

from engine.runtime.bpmn.errors import IllegalTarget, NotWaiting
from engine.runtime.bpmn.targets import covers
from engine.runtime.bpmn.tokens import LIVE, cancel, enter, find_task, new_task
from engine.runtime.bpmn.workflow import scope_of


def jump(top: Any, engine_ids: Sequence[str], to_node: str, scope: str | None, process_of: Any) -> Task:
    """Restart at ``to_node`` in the process scope of the given tokens; raises NotWaiting or IllegalTarget."""
    tokens = [find_task(top, engine_id) for engine_id in engine_ids]
    if not tokens or any(token is None or not token.has_state(LIVE) for token in tokens):
        raise NotWaiting("任务已经办结或被取消，不能再退回。请刷新页面。")
    first = tokens[0]
    assert first is not None
    if scope is not None and scope_of(first.workflow) != scope:
        raise IllegalTarget("退回的范围与任务所在的流程不一致。请刷新页面后重选。")
    model, blocks = first.workflow.spec.model, process_of(first.workflow.spec.model.process).blocks
    legal = process_of(model.process).targets
    for token in tokens:
        if token is None or to_node not in legal.get(token.task_spec.node.id, []):
            raise IllegalTarget(f"不能退回到“{to_node}”：退回到那里会打乱并行的环节。请选择列出的环节。")
    workflow = first.workflow
    while to_node not in workflow.spec.task_specs and workflow is not top:
        workflow = workflow.owner.workflow
    inside = first if workflow is first.workflow else owner_in(first, workflow)
    if workflow is top and "index" in inside.internal_data and inside.parent is top.task_tree:
        raise IllegalTarget(f"不能退回到“{to_node}”：这是分办出来的一项，只能在它自己的环节里退回。")
    replaced = blocks.paths[to_node]
    runs = {event: run for event, run in inside.internal_data.get("runs", {}).items() if event in replaced}
    for task in list(workflow.tasks.values()):
        if task is workflow.task_tree or not task.has_state(LIVE) or "trigger" in task.internal_data:
            continue
        if covers(replaced, blocks.paths[task.task_spec.node.id]) and same_runs(runs, task):
            cancel(task)
    return enter(new_task(workflow, to_node, **({"runs": runs} if runs else {})))


def owner_in(task: Task, workflow: Any) -> Task:
    """The activity in ``workflow`` whose body the token stands in."""
    inner = task.workflow
    while inner.owner.workflow is not workflow:
        inner = inner.owner.workflow
    return inner.owner


def same_runs(runs: dict[str, str], task: Task) -> bool:
    """True for a token of the runs that the target stands in."""
    own = task.internal_data.get("runs", {})
    return all(own.get(event) == run for event, run in runs.items())
