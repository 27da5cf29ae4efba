"""Specs of the events; ``catching`` and ``throwing`` hold what they do."""
from __future__ import annotations

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn.specs import defaults
from SpiffWorkflow.task import Task

from engine.runtime.bpmn import throwing
from engine.runtime.bpmn.catching import correlation_of
from engine.runtime.bpmn.timers import schedule
from engine.runtime.bpmn.tokens import Token, top_of
from engine.runtime.bpmn.workflow import scene

OUTSIDE = frozenset({"timer", "message", "signal", "conditional"})


class Catching(Token):
    """Waits for something: time, a message, a signal, a condition."""

    @property
    def waits_outside(self) -> bool:
        """True when the event waits as a token of its own; errors, escalations and cancels are looked up when thrown."""
        return self.node.event is not None and self.node.event.kind in OUTSIDE

    def _update_hook(self, my_task: Task) -> bool:
        event = self.node.event
        if event is None or event.kind not in OUTSIDE:
            return True
        internal, top = my_task.internal_data, top_of(my_task)
        if event.kind == "timer" and "due" not in internal:
            internal.update(schedule(self.node, scene(my_task), top.now))
        if event.kind == "message":
            internal["key"] = correlation_of(my_task)
        my_task._set_state(TaskState.WAITING)
        return False


class StartEvent(Catching, defaults.StartEvent):
    """The start of a process or body; whoever starts it has caught the event already."""

    def _update_hook(self, my_task: Task) -> bool:
        return True


class CatchEvent(Catching, defaults.IntermediateCatchEvent):
    """An intermediate event that waits."""


class ReceiveTask(Catching, defaults.ReceiveTask):
    """Waits for a message."""


class BoundaryEvent(Catching, defaults.BoundaryEvent):
    """Waits beside its activity; ``cancel_activity`` tells whether it interrupts."""


class Trigger(Catching, defaults.BoundaryEvent):
    """Waits for a whole scope to start one of its event sub-processes; ``cancel_activity`` tells whether it interrupts."""


class ThrowEvent(Token, defaults.IntermediateThrowEvent):
    """An intermediate event that happens at once, or once every compensation it asked for is done."""

    def _run_hook(self, my_task: Task) -> bool | None:
        throwing.prepare(my_task)
        return None if throwing.compensate_next(my_task) else True

    def compensated(self, my_task: Task) -> None:
        """A handler this event asked for completed."""
        if not throwing.compensate_next(my_task):
            my_task.complete()

    def _leave(self, my_task: Task) -> None:
        if throwing.throw(my_task):
            super()._leave(my_task)


class SendTask(Token, defaults.SendTask):
    """Sends a message."""

    def _run_hook(self, my_task: Task) -> bool | None:
        throwing.prepare(my_task)
        return True

    def _leave(self, my_task: Task) -> None:
        if throwing.throw(my_task):
            super()._leave(my_task)


class EndEvent(ThrowEvent, defaults.EndEvent):
    """Ends its token, throwing what it carries."""
