"""Drive a diagram of this folder in a test: the file is named after the test, every act is followed by a save and a load."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.runtime.bpmn.deploy import CompiledProcess, compile_process
from engine.runtime.bpmn.machine import Machine, Step
from engine.runtime.bpmn.waits import Waits

DIAGRAMS = Path(__file__).with_name("diagrams")
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def load(name: str, *, strict: bool = False) -> CompiledProcess:
    """The compiled diagram; calls are resolved in the same folder."""
    xml = (DIAGRAMS / f"{name}.bpmn").read_bytes()
    return compile_process(xml, name=f"demo.{name}", resolve=lambda called: load(called.split(".")[1]), strict=strict)


class Driver:
    """One instance of a diagram."""

    def __init__(self, process: CompiledProcess, facts: Mapping[str, Any] | None = None, **options: Any) -> None:
        self.process = process
        self.options = {"decide": options.pop("decide", None)}
        self.now = NOW
        self.machine = Machine.start(process, {"case_id": "case-1", **(facts or {})}, now=self.now, **self.options, **options)
        self.flows: list[str] = []
        self.thrown: list[dict[str, Any]] = []
        self.step = self.go_on()

    def go_on(self) -> Step:
        """Advance, check, save and load."""
        self.step = self.machine.advance(now=self.now)
        self.machine.check_invariants()
        self.flows += self.step.flows
        self.thrown += self.step.thrown
        self.machine = Machine.load(self.process, self.machine.dump(), now=self.now, **self.options)
        return self.step

    @property
    def waits(self) -> Waits:
        return self.machine.waits()

    @property
    def open(self) -> list[str]:
        """Tasks of persons that are open, sorted."""
        return sorted(wait.node for wait in self.waits.user_tasks)

    def do(self, node: str, index: int | None = None, **facts: Any) -> Step:
        """Complete the task of a person, or a service."""
        waits = [wait for wait in [*self.waits.user_tasks, *self.waits.services] if wait.node == node and (index is None or wait.index == index)]
        self.machine.complete(waits[0].engine_id, facts, now=self.now)
        return self.go_on()

    def tick(self, node: str) -> Step:
        """Fire a timer at its time."""
        timer = next(wait for wait in self.waits.timers if wait.node == node)
        self.now = max(self.now, timer.due_at)
        self.machine.fire_timer(timer.engine_id, now=self.now)
        return self.go_on()

    def hear(self, name: str, **payload: Any) -> Step:
        """Deliver a message."""
        listener = next(wait for wait in self.waits.subscriptions if wait.name == name)
        self.machine.deliver(listener.kind, name, payload, listener.engine_id, now=self.now)
        return self.go_on()
