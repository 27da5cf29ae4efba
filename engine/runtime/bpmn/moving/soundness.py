"""Whether a moved instance can still come to its end: no join that waits for a branch nobody is on, no two tokens where one may be."""
from __future__ import annotations

from typing import Any

from engine.runtime.bpmn import invariants
from engine.runtime.bpmn.blocks import Blocks
from engine.runtime.bpmn.deploy import CompiledProcess
from engine.runtime.bpmn.gateways import Parallel
from engine.runtime.bpmn.moving.verdict import Obstacle
from engine.runtime.bpmn.parse import upstream
from engine.runtime.bpmn.tokens import LIVE

Gap = tuple[str, str, str]


def find_obstacles(old: Any, before: CompiledProcess, top: Any, after: CompiledProcess) -> list[Obstacle]:
    """What the new diagram makes impossible that the old one allowed."""
    known = set(_gaps(old, before))
    found = [_gap(top, gap) for gap in _gaps(top, after) if gap not in known]
    for workflow in (top, *top.subprocesses.values()):
        found += _clashes(workflow, after.process_of(workflow.spec.model.process).blocks)
        found += _lost_marks(workflow)
    return list(dict.fromkeys(found))


def _gaps(top: Any, process: CompiledProcess) -> list[Gap]:
    """(process, join, source of a flow) where a parallel join that somebody is on the way to can never get a token on that flow."""
    found: list[Gap] = []
    for workflow in (top, *top.subprocesses.values()):
        blocks = process.process_of(workflow.spec.model.process).blocks
        for spec in workflow.spec.task_specs.values():
            if isinstance(spec, Parallel) and len(spec.incoming) > 1:
                found += [(workflow.spec.model.process, spec.name, source) for source in _unreached(workflow, spec, blocks)]
    return found


def _unreached(workflow: Any, spec: Parallel, blocks: Blocks) -> list[str]:
    live = [task for task in workflow.tasks.values() if task is not workflow.task_tree and task.has_state(LIVE)]
    waiting = [task for task in live if task.task_spec is spec]
    inside = [task for task in live if any(blocks.joins.get(split) == spec.name for split in blocks.paths.get(task.task_spec.node.id, {}))]
    if not waiting and not inside:
        return []
    names = {task.task_spec.node.id for task in live if task.task_spec is not spec}
    came = {task.internal_data.get("via") for task in waiting}
    model = workflow.spec.model
    sources = [model.flows[flow].source for flow in spec.incoming if flow not in came]
    return [source for source in sources if not names & upstream(workflow.spec, source, spec.name)]


def _gap(top: Any, gap: Gap) -> Obstacle:
    process, join, source = gap
    model = next(workflow.spec.model for workflow in (top, *top.subprocesses.values()) if workflow.spec.model.process == process)
    return Obstacle(
        element=join,
        message=f"新版的汇合「{model.nodes[join].title}」还要等从「{model.nodes[source].title}」来的一支，这件事已经分开办理，没有这一支，会永远等下去。",
    )


def _clashes(workflow: Any, blocks: Blocks) -> list[Obstacle]:
    wrong: list[str] = []
    invariants._check_exclusive(workflow, blocks, wrong)
    return [
        Obstacle(element=workflow.spec.name.rsplit("/", 1)[-1], message=f"两处正在办的环节在新版里先后相接，不能同时在办：{text.rsplit(': ', 1)[-1].replace(' and ', '、')}。")
        for text in wrong
    ]


def _lost_marks(workflow: Any) -> list[Obstacle]:
    """Marks that tokens and bodies keep of elements that are gone."""
    nodes, found = workflow.spec.model.nodes, []
    for entry in workflow.compensable:
        gone = next((name for name in entry[:2] if name and name not in nodes), None)
        if gone is not None:
            found.append(Obstacle(element=gone, message=f"已办的“{entry[0]}”可以撤销（补偿），新版没有了“{gone}”，撤销不了。"))
    for task in workflow.tasks.values():
        for event in task.internal_data.get("runs", {}):
            if event not in nodes:
                found.append(Obstacle(element=event, message=f"有办理是从事件“{event}”旁出来的，新版没有这个事件。"))
    return found
