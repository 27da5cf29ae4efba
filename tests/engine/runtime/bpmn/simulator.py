"""An independent simulator of the random processes: it interprets the blocks themselves and shares nothing with the engine.

A ``Run`` is a block in progress. ``live()`` lists what waits in it; a wait is completed or fired, the run moves on and tells its parent by
``over``. Facts are dicts per process; an instance of a multi-instance reads through to them and writes its own.
"""
from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any

from tests.engine.runtime.bpmn.random_blocks import RACERS, Block

Facts = MutableMapping[str, Any]
Wait = tuple[str, str, int | None]
KINDS = {"message": "message", "timer": "timer", "cycle": "timer", "signal": "signal"}


@dataclass
class Place:
    """Where a run stands: its facts, its position in a multi-instance, and the scope that waits for stray handlers."""

    facts: Facts
    index: int | None
    scope: Scope


class Run:
    """A block in progress."""

    def __init__(self, block: Block, place: Place, over: Callable[[], None]) -> None:
        self.block, self.place, self.over = block, place, over
        self.gone = False

    def start(self) -> None:
        raise AssertionError

    def inner(self) -> list[Run]:
        return []

    def live(self) -> Iterator[tuple[Wait, Run]]:
        for run in self.inner():
            if not run.gone:
                yield from run.live()


class TaskRun(Run):
    def start(self) -> None:
        return None

    def live(self) -> Iterator[tuple[Wait, Run]]:
        yield ("task", self.block.id, self.place.index), self

    def complete(self, facts: dict[str, Any]) -> None:
        self.place.facts.update(facts)
        self.gone = True
        self.over()


class CountRun(Run):
    def start(self) -> None:
        self.place.facts[self.block.fact] = (self.place.facts.get(self.block.fact) or 0) + 1
        self.gone = True
        self.over()


class SeqRun(Run):
    position = -1
    current: Run | None = None

    def start(self) -> None:
        self.position += 1
        if self.position == len(self.block.children):
            self.gone = True
            self.over()
            return
        self.current = make(self.block.children[self.position], self.place, self.start)
        self.current.start()

    def inner(self) -> list[Run]:
        return [self.current] if self.current is not None else []


class BranchRun(Run):
    """xor, and, or: some of the children at once."""

    runs: list[Run]

    def start(self) -> None:
        chosen = self._chosen()
        self.left = len(chosen)
        self.runs = [make(child, self.place, self._one_over) for child in chosen]
        for run in self.runs:
            run.start()

    def _chosen(self) -> list[Block]:
        if self.block.kind == "and":
            return self.block.children
        facts = self.place.facts
        holding = [child for number, child in enumerate(self.block.children[:-1]) if facts.get(self.block.facts[number]) == number]
        if self.block.kind == "xor":
            holding = holding[:1]
        return holding or [self.block.children[-1]]

    def _one_over(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.gone = True
            self.over()

    def inner(self) -> list[Run]:
        return self.runs


class LoopRun(Run):
    current: Run | None = None

    def start(self) -> None:
        self.current = make(self.block.children[0], self.place, self._round_over)
        self.current.start()

    def _round_over(self) -> None:
        if self.place.facts.get(self.block.facts[0]) == 0:
            self.start()
        else:
            self.gone = True
            self.over()

    def inner(self) -> list[Run]:
        return [self.current] if self.current is not None else []


class BoundRun(Run):
    host: Run
    handler: Run | None = None
    times = -1

    def start(self) -> None:
        self.times = {"timer": 1, "cycle": 2}.get(self.block.by, -1)
        self.host = make(self.block.children[0], self.place, self._done)
        self.host.start()

    def _done(self) -> None:
        self.gone = True
        self.over()

    def inner(self) -> list[Run]:
        return [self.handler or self.host]

    def live(self) -> Iterator[tuple[Wait, Run]]:
        if self.handler is None and self.times != 0:
            yield (KINDS[self.block.by], self.block.id, self.place.index), self
        yield from super().live()

    def fire(self, event: str) -> None:
        self.times -= 1
        if self.block.interrupting:
            self.host.gone = True
            self.handler = make(self.block.children[1], self.place, self._done)
            self.handler.start()
        else:
            self.place.scope.stray(self.block.children[1], self.place)


class RaceRun(Run):
    """The first of three events decides which way is gone."""

    current: Run | None = None

    def start(self) -> None:
        return None

    def live(self) -> Iterator[tuple[Wait, Run]]:
        if self.current is None:
            for by in RACERS:
                yield (by, f"{self.block.id}_{by}", self.place.index), self
        yield from super().live()

    def fire(self, event: str) -> None:
        way = RACERS.index(event.rsplit("_", 1)[-1])
        self.current = make(self.block.children[way], self.place, self._done)
        self.current.start()

    def _done(self) -> None:
        self.gone = True
        self.over()

    def inner(self) -> list[Run]:
        return [self.current] if self.current is not None else []


class Scope(Run):
    """A body: over when its block and all stray handlers are. ``process`` marks that of a process or called process."""

    process = False

    def __init__(self, block: Block, place: Place | None, over: Callable[[], None], facts: Facts | None = None) -> None:
        index = place.index if place is not None else None
        inner = Place(facts if facts is not None else place.facts if place is not None else {}, index, self)
        super().__init__(block, inner, over)
        self.runs: list[Run] = []
        self.left = 0

    def start(self) -> None:
        self._run(self.block, self.place)

    def stray(self, block: Block, place: Place) -> None:
        self._run(block, place)

    def replace(self, old: list[Run], new: Run) -> None:
        """Put one run, already placed, in the place of others."""
        for run in old:
            run.gone = True
        self.runs = [run for run in self.runs if not run.gone]
        self.runs.append(new)
        self.left = len(self.runs)

    def _run(self, block: Block, place: Place) -> None:
        self.left += 1
        run = make(block, place, self._one_over)
        self.runs.append(run)
        run.start()

    def _one_over(self) -> None:
        self.left -= 1
        self.runs = [run for run in self.runs if not run.gone]
        if self.left == 0:
            self.gone = True
            self.over()

    def inner(self) -> list[Run]:
        return self.runs


class ManyRun(Run):
    def start(self) -> None:
        self.done = 0
        self.begun = 0
        self.runs: list[Run] = []
        if self.block.times == 0:
            self._finish()
            return
        for _ in range(1 if self.block.sequential else self.block.times):
            if not self.gone:
                self._begin()

    def _begin(self) -> None:
        own: Facts = ChainMap({}, self.place.facts)  # type: ignore[arg-type]
        place = Place(own, self.begun, self.place.scope)
        self.begun += 1
        run = make(self.block.children[0], place, self._one_over)
        self.runs.append(run)
        run.start()

    def _one_over(self) -> None:
        self.done += 1
        if self.done == self.block.times or self.block.enough is not None and self.done >= self.block.enough:
            self._finish()
        elif self.block.sequential:
            self._begin()

    def _finish(self) -> None:
        self.gone = True
        self.over()

    def inner(self) -> list[Run]:
        return self.runs


def make(block: Block, place: Place, over: Callable[[], None]) -> Run:
    """A run of a block."""
    if block.kind == "sub":
        return Scope(block.children[0], place, over)
    if block.kind == "call":
        called = Scope(block.children[0], Place({}, None, place.scope), over, facts={})
        called.process = True
        return called
    from tests.engine.runtime.bpmn.votes import VoteRun

    kinds: dict[str, type[Run]] = {
        "vote": VoteRun,
        "task": TaskRun, "count": CountRun, "seq": SeqRun, "xor": BranchRun, "and": BranchRun, "or": BranchRun, "loop": LoopRun, "bound": BoundRun, "race": RaceRun, "many": ManyRun,
    }
    return kinds[block.kind](block, place, over)


class Simulation:
    """A whole process."""

    def __init__(self, block: Block, facts: dict[str, Any]) -> None:
        self.over = False
        self.facts = facts
        self.block = block
        self.root = Scope(block, None, self._finish, facts=facts)
        self.root.process = True
        self.root.start()

    def _finish(self) -> None:
        self.over = True

    def waits(self) -> list[tuple[Wait, Run]]:
        """Everything that waits."""
        return [] if self.over else list(self.root.live())
