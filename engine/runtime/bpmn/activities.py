"""Specs of the activities that have no body: people's tasks, services, rules, scripts."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from SpiffWorkflow.bpmn.specs import defaults
from SpiffWorkflow.task import Task

from engine.kernel.errors import GuichengError
from engine.kernel.names import pack_of
from engine.runtime.bpmn.errors import FlowError
from engine.runtime.bpmn.tokens import Token, top_of
from engine.runtime.bpmn.values import evaluate, plain, qualified
from engine.runtime.bpmn.workflow import fact_store, facts_of, scene


class UserTask(Token, defaults.UserTask):
    """Waits READY for a person."""


class ManualTask(Token, defaults.ManualTask):
    """Waits READY for a person who ticks it off."""


class ServiceTask(Token, defaults.ServiceTask):
    """Stays STARTED until its handler's result comes back as an act; no handler ever runs inside the engine."""

    def _run_hook(self, my_task: Task) -> bool | None:
        attribute(self.node.attributes.get("handler", ""), scene(my_task), self.node)
        inputs_of(my_task)
        return None


class RuleTask(ServiceTask):
    """A decision: made at once through the machine's ``decide`` hook, or waits like a service task."""

    def _run_hook(self, my_task: Task) -> bool | None:
        decide = top_of(my_task).decide
        if decide is None:
            return super()._run_hook(my_task)
        decision = attribute(self.node.attributes.get("decision", ""), scene(my_task), self.node)
        inputs = inputs_of(my_task)
        try:
            result = decide(qualified(decision, "decision", pack_of(self.node.process)), inputs)
        except FlowError:
            raise
        except GuichengError as error:
            message = f"规则任务「{self.node.title}」定不下来：{error.message}。请更正事实后重试，或请流程管理员修改决策表。"
            raise FlowError(message, element=self.node.id, title=self.node.title, process=self.node.process) from None
        apply_outputs(my_task, result)
        return True


class ScriptTask(Token, defaults.ScriptTask):
    """Assigns facts; each assignment sees those before it, and none holds if one fails."""

    def _run_hook(self, my_task: Task) -> bool | None:
        seen = scene(my_task)
        written: dict[str, Any] = {}
        for item in self.node.sets:
            name = item.get("fact", "")
            value = evaluate(item.get("value", ""), seen, element=self.node.id, title=self.node.title, process=self.node.process)
            written[name] = seen[name] = plain(value, name=name)
        write_facts(my_task, written)
        hand_on(my_task, written)
        return True


def hand_on(my_task: Task, written: Mapping[str, Any]) -> None:
    """Write under the names of ``gc:output`` what was just written under the activity's own."""
    names = {item.get("name", ""): item.get("fact", "") for item in my_task.task_spec.node.outputs}
    write_facts(my_task, {fact: written[name] for name, fact in names.items() if fact and name in written})


def write_facts(my_task: Task, values: Mapping[str, Any]) -> None:
    """Write facts where ``my_task`` writes; ``outcome`` belongs to the token alone."""
    for name, value in values.items():
        store = my_task.data if name == "outcome" else fact_store(my_task, name)
        store[name] = plain(value, name=name)


def inputs_of(my_task: Task) -> dict[str, Any]:
    """The ``gc:input`` values of the node over the facts now; without any input, all facts visible there."""
    node = my_task.task_spec.node
    if not node.inputs:
        return facts_of(my_task)
    seen = scene(my_task)
    return {item.get("name", ""): attribute(item.get("value", ""), seen, node) for item in node.inputs}


def attribute(text: str, facts: Mapping[str, Any], node: Any) -> Any:
    """An attribute value: FEEL when it starts with ``=``, else literal."""
    return evaluate(text, facts, element=node.id, title=node.title, process=node.process) if text.startswith("=") else text


def apply_outputs(my_task: Task, results: Mapping[str, Any]) -> None:
    """Write a result to facts as the ``gc:output`` elements say; an output without a name takes the whole result."""
    written: dict[str, Any] = {}
    for item in my_task.task_spec.node.outputs:
        name = item.get("name")
        fact = item.get("fact") or name or ""
        written[fact] = results.get(name) if name else dict(results)
    write_facts(my_task, written)
