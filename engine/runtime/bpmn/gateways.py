"""Specs of the gateways: FEEL choices and joins that count tokens per flow, right in loops too."""
from __future__ import annotations

from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn.specs import defaults
from SpiffWorkflow.bpmn.specs.event_definitions import NoneEventDefinition
from SpiffWorkflow.task import Task

from engine.runtime.bpmn.errors import FlowError
from engine.runtime.bpmn.tokens import LIVE, Token, enter, new_task, runs_of, spawn
from engine.runtime.bpmn.values import evaluate
from engine.runtime.bpmn.workflow import scene


class Choice(Token):
    """Chooses among flows by their conditions, in the order drawn; ``conditions`` maps flow ids to FEEL."""

    many = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conditions: dict[str, str] = {}
        self.titles: dict[str, str] = {}

    def _run_hook(self, my_task: Task) -> bool | None:
        my_task.internal_data["chosen"] = self._choose(my_task)
        return True

    def _leave(self, my_task: Task) -> None:
        chosen = my_task.internal_data.get("chosen", [])
        for flow_id, target in self.flows:
            if flow_id in chosen:
                spawn(my_task, flow_id, target)

    def _choose(self, my_task: Task) -> list[str]:
        if not self.flows:
            return []
        chosen: list[str] = []
        seen = scene(my_task)
        for flow_id, _ in self.flows:
            if flow_id == self.node.default:
                continue
            if self._holds(flow_id, seen):
                chosen.append(flow_id)
                if not self.many:
                    break
        if not chosen and self.node.default:
            chosen = [self.node.default]
        if not chosen:
            raise self._error(f"网关「{self.node.title}」没有一个分支的条件成立，也没有默认分支。请更正事实后重试，或给网关设置默认分支。")
        return chosen

    def _holds(self, flow_id: str, seen: dict[str, Any]) -> bool:
        condition = self.conditions.get(flow_id)
        if condition is None:
            return True
        value = evaluate(condition, seen, element=self.node.id, title=self.node.title, process=self.node.process)
        if value is True or value is False:
            return value
        branch = self.titles.get(flow_id) or flow_id
        reason = "没有结果（其中的事实可能还没有值）" if value is None else "的结果不是“是”或“否”"
        raise self._error(f"网关「{self.node.title}」的分支“{branch}”的条件“{condition}”{reason}。请更正事实后重试，或修改条件。", flow=flow_id)

    def _error(self, message: str, **details: Any) -> FlowError:
        return FlowError(message, element=self.node.id, title=self.node.title, process=self.node.process, **details)


class Exclusive(Choice, defaults.ExclusiveGateway):
    """Takes the first flow that holds."""


class Joining(Token):
    """Collects tokens per incoming flow; excess tokens stay for the next round."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.incoming: list[str] = []

    def arrived(self, workflow: Any, runs: Any) -> dict[str, list[Task]]:
        """Waiting tokens of the same runs by the flow they came on, earliest first."""
        waiting: dict[str, list[Task]] = {}
        for task in workflow.tasks.values():
            if task.task_spec is self and task.state == TaskState.WAITING and task.internal_data.get("runs") == runs:
                waiting.setdefault(task.internal_data.get("via", ""), []).append(task)
        return waiting

    def merge(self, carrier: Task, waiting: dict[str, list[Task]]) -> None:
        """Take one token of each flow into ``carrier``."""
        taken = sorted((tasks[0] for tasks in waiting.values()), key=list(carrier.workflow.tasks.values()).index)
        data: dict[str, Any] = {}
        for task in taken:
            data.update(task.data)
            if task is not carrier:
                task._set_state(TaskState.COMPLETED)
        carrier.data = data


class Parallel(Joining, defaults.ParallelGateway):
    """Waits for a token on every flow, then splits to all."""

    def _update_hook(self, my_task: Task) -> bool:
        my_task._set_state(TaskState.WAITING)
        waiting = self.arrived(my_task.workflow, my_task.internal_data.get("runs"))
        if len(self.incoming) > 1 and any(flow not in waiting for flow in self.incoming):
            return False
        self.merge(my_task, waiting if len(self.incoming) > 1 else {"": [my_task]})
        return True


class Inclusive(Choice, Joining, defaults.InclusiveGateway):
    """Waits for every token that can still arrive, then splits to all flows that hold."""

    many = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reachable_from: dict[str, frozenset[str]] = {}

    def _update_hook(self, my_task: Task) -> bool:
        if len(self.incoming) <= 1:
            return True
        my_task._set_state(TaskState.WAITING)
        return False

    def try_fire(self, workflow: Any) -> bool:
        """Fire if no token elsewhere can still reach an empty flow (and no full one). Called when nothing else moves."""
        waiting = [task for task in workflow.tasks.values() if task.task_spec is self and task.state == TaskState.WAITING]
        return any(self._try_run(workflow, task.internal_data.get("runs")) for task in waiting if task.state == TaskState.WAITING)

    def _try_run(self, workflow: Any, runs: Any) -> bool:
        waiting = self.arrived(workflow, runs)
        elsewhere = {
            t.task_spec.name for t in workflow.tasks.values()
            if t.has_state(LIVE) and t.task_spec is not self and "trigger" not in t.internal_data and t.internal_data.get("runs") == runs
        }
        could_come = set().union(*(self.reachable_from[f] for f in self.incoming if f not in waiting), frozenset())
        already = set().union(*(self.reachable_from.get(f, frozenset()) for f in waiting), frozenset())
        if elsewhere & (could_come - already):
            return False
        carrier = list(waiting.values())[-1][0]
        self.merge(carrier, waiting)
        carrier._ready()
        return True


class EventGateway(Token, defaults.EventBasedGateway):
    """Arms every event behind it; the first that happens cancels the others."""

    def __init__(self, wf_spec: Any, bpmn_id: str, **kwargs: Any) -> None:
        super().__init__(wf_spec, bpmn_id, event_definition=NoneEventDefinition(), **kwargs)

    def _leave(self, my_task: Task) -> None:
        for flow_id, target in self.flows:
            enter(new_task(my_task.workflow, target, data=my_task.data, via=flow_id, race=str(my_task.id), **runs_of(my_task)))
