"""Specs of activities with a body: sub-process, transaction, call activity, event sub-process."""
from __future__ import annotations

from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn.specs import defaults
from SpiffWorkflow.task import Task

from engine.kernel.names import pack_of
from engine.runtime.bpmn import compensation
from engine.runtime.bpmn.activities import apply_outputs, attribute, inputs_of, write_facts
from engine.runtime.bpmn.catching import arm_triggers
from engine.runtime.bpmn.errors import FlowError
from engine.runtime.bpmn.tokens import Token, enter, new_task, top_of
from engine.runtime.bpmn.values import CASE_FACTS, TOKEN_FACTS, literal, plain, qualified
from engine.runtime.bpmn.workflow import scene


def begin(workflow: Any, data: dict[str, Any], *, start: str | None = None) -> None:
    """Start a planted workflow at one start event (default: the plain one): its event sub-processes listen, the start passes."""
    arm_triggers(workflow)
    name = start or default_start(workflow.spec)
    if name:
        enter(new_task(workflow, name, data=data))
    workflow.top_workflow.touched(workflow)


def default_start(spec: Any) -> str:
    """The start event without a trigger, or the only one; '' when there is none."""
    plain_starts = [name for name in spec.starts if spec.task_specs[name].node.event.kind == "none"]
    return next(iter(plain_starts or spec.starts), "")


class SubProcess(Token, defaults.SubWorkflowTask):
    """A body that shares the facts of its process (as an instance of a multi-instance: adds its own)."""

    def _update_hook(self, my_task: Task) -> bool:
        if "undo" in my_task.internal_data:
            compensation.begin_undo(my_task)
            return False
        given = {name: plain(value, name=name) for name, value in inputs_of(my_task).items()} if self.node.inputs else {}
        inner = top_of(my_task).create_subprocess(my_task, self.spec)
        inner.plant()
        if "index" in my_task.internal_data or inner.spec.locals:
            inner.facts = {**dict.fromkeys(inner.spec.locals), **given}
        my_task._set_state(TaskState.STARTED)
        begin(inner, my_task.data)
        return False

    def finished(self, my_task: Task, inner: Any) -> None:
        """The body has no token left: hand out what it leaves and let the activity complete."""
        if "undo" in my_task.internal_data and compensation.undo_next(inner):
            top_of(my_task).resume(inner)
            return
        if inner.facts and "index" in my_task.internal_data:
            my_task.data.update(inner.facts)
        if self.node.outputs and "undo" not in my_task.internal_data:
            apply_outputs(my_task, inner.facts or {})
        compensation.keep(my_task, inner)
        my_task.data.update({name: inner.last_data[name] for name in TOKEN_FACTS if name in inner.last_data})
        my_task._ready()


class Transaction(SubProcess, defaults.TransactionSubprocess):
    """A sub-process that a cancel event can end."""

    def __init__(self, wf_spec: Any, bpmn_id: str, **kwargs: Any) -> None:
        super().__init__(wf_spec, bpmn_id, **kwargs)


class CallActivity(SubProcess, defaults.CallActivity):
    """A called process: sees its parameters and the facts of the case only, hands back what ``gc:output`` asks for."""

    def _update_hook(self, my_task: Task) -> bool:
        top = top_of(my_task)
        facts = self._parameters(my_task, top.subprocess_specs[self.spec].model)
        inner = top.create_subprocess(my_task, self.spec)
        inner.plant()
        inner.facts = facts
        my_task._set_state(TaskState.STARTED)
        begin(inner, {})
        return False

    def _parameters(self, my_task: Task, model: Any) -> dict[str, Any]:
        seen = scene(my_task)
        given = {item.get("name", ""): item.get("value", "") for item in self.node.inputs}
        facts = {name: seen[name] for name in CASE_FACTS if seen.get(name) is not None}
        for parameter in model.parameters.values():
            text = given.get(parameter.name, parameter.default)
            value = None
            if text is not None:
                value = attribute(text, seen, self.node) if text.startswith("=") else literal(text, parameter.type)
            pack = pack_of(self.node.process if parameter.name in given else model.process)
            facts[parameter.name] = plain(qualified(value, parameter.type, pack), name=parameter.name)
            if parameter.required and facts[parameter.name] is None:
                raise FlowError(
                    f"调用活动「{self.node.title}」没有给出必填参数“{parameter.title or parameter.name}”。请在流程图中补上 gc:input，或更正事实后重试。",
                    element=self.node.id, title=self.node.title, process=self.node.process,
                )
        return facts

    def finished(self, my_task: Task, inner: Any) -> None:
        results = {**inner.last_data, **(inner.facts or {})}
        write_facts(my_task, {item.get("fact") or item.get("name", ""): results.get(item.get("name", "")) for item in self.node.outputs})
        my_task._ready()

