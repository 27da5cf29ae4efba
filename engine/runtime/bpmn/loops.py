"""Specs of repeated activities: multi-instance, parallel or one after the other, and the standard loop."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn.specs import defaults
from SpiffWorkflow.task import Task

from engine.runtime.bpmn.activities import write_facts
from engine.runtime.bpmn.errors import FlowError
from engine.runtime.bpmn.model import Loop
from engine.runtime.bpmn.tokens import LIVE, Token, cancel, enter, new_task, park, top_of
from engine.runtime.bpmn.values import evaluate, plain
from engine.runtime.bpmn.workflow import scene

MAX_INSTANCES = 50
MOST_ITEMS = 100_000
FANNED = frozenset({"userTask", "subProcess", "callActivity"})


class Repeated(Token):
    """A wrapper that starts instances of the spec ``task_spec`` under itself."""

    loop: Loop

    def instance_done(self, my_task: Task, child: Task) -> None:
        """Called when an instance completes; a failing condition parks the wrapper with what it still has to count."""
        if not my_task.has_state(LIVE):
            return
        index = child.internal_data.get("index", child.internal_data.get("round"))
        my_task.internal_data.setdefault("uncounted", []).append([index, child.data])
        self.count(my_task)

    def count(self, my_task: Task) -> None:
        """Take in completed instances that are not counted yet."""
        waiting = my_task.internal_data.get("uncounted", [])
        while waiting and my_task.state == TaskState.STARTED:
            try:
                self._count_one(my_task, waiting[0][0], waiting[0][1])
            except FlowError as error:
                park(my_task, error)
                return
            waiting.pop(0)

    def _count_one(self, my_task: Task, index: int, data: dict[str, Any]) -> None:
        raise AssertionError("each repeated spec counts in its own way")

    def _feel(self, text: str, facts: Mapping[str, Any]) -> Any:
        return evaluate(text, facts, element=self.node.id, title=self.node.title, process=self.node.process)

    def _true(self, text: str, facts: Mapping[str, Any]) -> bool:
        value = self._feel(text, facts)
        if not isinstance(value, bool):
            raise self._error(f"「{self.node.title}」的循环条件“{text}”没有得出“是”或“否”。请更正事实后重试，或修改条件。")
        return value

    def _error(self, message: str) -> FlowError:
        return FlowError(message, element=self.node.id, title=self.node.title, process=self.node.process)


class MultiInstance(Repeated, defaults.ParallelMultiInstanceTask):
    """Each item of a collection (or 1…n) is an instance with facts of its own; results come out as one list in the order of the items."""

    def _update_hook(self, my_task: Task) -> bool:
        if self.loop.items:
            my_task.internal_data["fanout"] = 0
            top_of(my_task).fanned[str(my_task.id)] = []
            my_task._set_state(TaskState.STARTED)
            return False
        items = self._items(my_task)
        if self._fans_out(len(items)):
            my_task.internal_data["fanout"] = len(items)
            top_of(my_task).fanned[str(my_task.id)] = items
            my_task._set_state(TaskState.STARTED)
            return False
        if len(items) > MAX_INSTANCES:
            raise self._too_many(len(items), MAX_INSTANCES)
        my_task.internal_data.update(items=items, results={}, next=0)
        if not items:
            self._finish(my_task)
            return True
        my_task._set_state(TaskState.STARTED)
        for _ in items if self.loop.kind == "parallel" else items[:1]:
            self._start_next(my_task)
        return False

    def _items(self, my_task: Task) -> list[Any]:
        seen = scene(my_task)
        if self.loop.collection:
            items = self._feel(self.loop.collection, seen)
            if not isinstance(items, list):
                raise self._error(f"多实例「{self.node.title}」的集合“{self.loop.collection}”不是列表。请更正事实后重试。")
        else:
            number = self._feel(self.loop.cardinality, seen)
            count = plain(number, name="loopCardinality") if number is not None and not isinstance(number, bool) else None
            if not isinstance(count, int) or count < 0:
                raise self._error(f"多实例「{self.node.title}」的次数“{self.loop.cardinality}”不是非负整数。请更正事实后重试。")
            if count > MOST_ITEMS:
                raise self._too_many(count, MOST_ITEMS)
            items = list(range(1, count + 1))
        if len(items) > MOST_ITEMS:
            raise self._too_many(len(items), MOST_ITEMS)
        return [plain(item, name=self.loop.item or "item") for item in items]

    def _fans_out(self, count: int) -> bool:
        """True when the items become cases of their own: told to, or too many for one case."""
        may = self.loop.kind == "parallel" and self.node.kind in FANNED and self.loop.fanout != "never"
        return may and count > 0 and (self.loop.fanout == "always" or count > MAX_INSTANCES)

    def came_back(self, my_task: Task, facts: Mapping[str, Any], outcome: str | None) -> None:
        """The items that were cases of their own are over: ``facts`` as the caller collected them."""
        if outcome is not None:
            my_task.data["outcome"] = outcome
        write_facts(my_task, facts)
        del my_task.internal_data["fanout"]
        my_task._ready()

    def _too_many(self, count: int, most: int) -> FlowError:
        return self._error(f"多实例「{self.node.title}」有 {count} 项，超过上限 {most} 项。请分批办理，或改用并行的用户任务、子流程或调用活动，让每一项成为自己的案件。")

    def _start_next(self, my_task: Task) -> None:
        index = my_task.internal_data["next"]
        my_task.internal_data["next"] = index + 1
        data = {**my_task.data, "loopCounter": index + 1}
        if self.loop.item:
            data[self.loop.item] = my_task.internal_data["items"][index]
        enter(new_task(my_task.workflow, self.task_spec, parent=my_task, data=data, index=index))

    def _count_one(self, my_task: Task, index: int, data: dict[str, Any]) -> None:
        internal = my_task.internal_data
        own = {**scene(my_task), **data}
        results: dict[str, Any] = internal["results"]
        value = self._feel(self.loop.result, own) if self.loop.result else data.get("outcome")
        results[str(index)] = plain(value, name=self.loop.results or "result")
        total, done = len(internal["items"]), len(results)
        if "outcome" in data:
            my_task.data["outcome"] = data["outcome"]
        enough = done == total or bool(self.loop.condition) and self._true(self.loop.condition, {**own, **self._counters(internal)})
        if enough:
            for child in my_task.children:
                cancel(child)
            self._finish(my_task)
            my_task._ready()
        elif self.loop.kind == "sequential":
            self._start_next(my_task)

    @staticmethod
    def _counters(internal: dict[str, Any]) -> dict[str, Any]:
        total, results = len(internal["items"]), internal["results"]
        done = len(results)
        ordered = [results[key] for key in sorted(results, key=int)]
        active = internal["next"] - done
        return {
            "instances": total, "completed": done, "active": active, "results": ordered,
            "numberOfInstances": total, "numberOfCompletedInstances": done, "numberOfActiveInstances": active, "numberOfTerminatedInstances": 0,
            "nrOfInstances": total, "nrOfCompletedInstances": done, "nrOfActiveInstances": active,
        }

    def _finish(self, my_task: Task) -> None:
        results = my_task.internal_data.get("results", {})
        if self.loop.results:
            write_facts(my_task, {self.loop.results: [results[key] for key in sorted(results, key=int)]})


class StandardLoop(Repeated, defaults.StandardLoopTask):
    """Repeats while the condition holds, at most ``maximum`` times; its instances share the facts of the scope."""

    def _update_hook(self, my_task: Task) -> bool:
        my_task.internal_data["rounds"] = 0
        if self.loop.test_before and not self._again(my_task, {}):
            return True
        my_task._set_state(TaskState.STARTED)
        self._start(my_task)
        return False

    def _again(self, my_task: Task, data: dict[str, Any]) -> bool:
        rounds = my_task.internal_data["rounds"]
        if self.loop.maximum is not None and rounds >= self.loop.maximum:
            return False
        return not self.loop.condition or self._true(self.loop.condition, {**scene(my_task), **data, "loopCounter": rounds})

    def _start(self, my_task: Task) -> None:
        rounds = my_task.internal_data["rounds"]
        enter(new_task(my_task.workflow, self.task_spec, parent=my_task, data=my_task.data, round=rounds))

    def _count_one(self, my_task: Task, index: int, data: dict[str, Any]) -> None:
        if index == my_task.internal_data["rounds"]:
            my_task.internal_data["rounds"] = index + 1
        if "outcome" in data:
            my_task.data["outcome"] = data["outcome"]
        if self._again(my_task, data):
            self._start(my_task)
        else:
            my_task._ready()
