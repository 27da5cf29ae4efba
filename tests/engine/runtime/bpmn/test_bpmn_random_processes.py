"""The engine against an independent simulator on random processes, saved and loaded after every step."""
from __future__ import annotations

import copy
import random
from collections import Counter
from datetime import UTC, datetime

import pytest

from engine.runtime.bpmn.deploy import CompiledProcess, compile_process
from engine.runtime.bpmn.machine import Machine
from tests.engine.runtime.bpmn.random_blocks import FACTS, Drawing, Generator, Weights
from tests.engine.runtime.bpmn.simulated_return import bring_back, chain_to, legal_targets
from tests.engine.runtime.bpmn.simulator import BoundRun, RaceRun, Scope, Simulation, TaskRun
from tests.engine.runtime.bpmn.votes import STANCES, Ballot

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RETURNS, WITHDRAWALS = 0.15, 0.08
MIXES = [Weights(vote=2), Weights(parallel=5, inclusive=6, loop=6, xor=2), Weights(bound=6, race=3, sub=3, many=3, call=3, vote=3)]


def compile_block(seed: int, weights: Weights) -> tuple[CompiledProcess, Simulation]:
    """A random process, compiled and simulated from the same blocks."""
    block = Generator(seed, weights).process()
    drawing = Drawing()
    xml = drawing.process("main", block)

    def resolve(name: str) -> CompiledProcess | None:
        return compile_process(drawing.calls[name.split(".")[1]], name=name, resolve=resolve, strict=False)

    return compile_process(xml, name="demo.main", resolve=resolve, strict=False), Simulation(block, {})


def walk(seed: int, weights: Weights, most: int = 60) -> int:
    """Walk one process with random acts and compare after each; how many acts there were."""
    process, simulation = compile_block(seed, weights)
    chance = random.Random(seed * 7 + 1)
    machine = Machine.start(process, {}, now=NOW)
    before: tuple[bytes, Simulation] | None = None
    for step in range(most):
        moved = machine.advance(now=NOW)
        assert not moved.errors, (seed, step, moved.errors[0].message)
        machine.check_invariants()
        machine = Machine.load(process, machine.dump(), now=NOW)
        waits = machine.waits()
        here = [("task", w.node, w.index) for w in waits.user_tasks] + [(w.kind, w.node, w.index) for w in waits.subscriptions]
        here += [("timer", w.node, w.index) for w in waits.timers]
        there = simulation.waits()
        assert Counter(here) == Counter(wait for wait, _ in there), (seed, step)
        assert machine.completed == simulation.over, (seed, step)
        counts = {name: value for name, value in simulation.facts.items() if name.startswith("n_")}
        assert {name: value for name, value in machine.facts().items() if name.startswith("n_")} == counts, (seed, step)
        if not there:
            return step
        if before is not None:
            machine, simulation, before = Machine.load(process, before[0], now=NOW), before[1], None
            continue
        if chance.random() < WITHDRAWALS:
            before = machine.dump(), copy.deepcopy(simulation)
        act(machine, chance, there, simulation)
    return most


def act(machine: Machine, chance: random.Random, there: list, simulation: Simulation) -> None:
    """One random act on both sides."""
    wait, run = chance.choice(there)
    if isinstance(run, TaskRun) and chance.random() < RETURNS and come_back(machine, chance, wait, run, simulation):
        return
    waits = machine.waits()
    if wait[0] == "signal":
        machine.signal("alarm", now=NOW)
        sound_alarm(simulation)
    elif isinstance(run, BoundRun | RaceRun):
        found = next(w for w in [*waits.subscriptions, *waits.timers] if (w.node, w.index) == wait[1:])
        if wait[0] == "timer":
            machine.fire_timer(found.engine_id, now=NOW)
        else:
            machine.deliver("message", found.node, {}, found.engine_id, now=NOW)
        run.fire(wait[1])
    elif isinstance(run, Ballot):
        stance = chance.choice(STANCES)
        machine.complete(next(w.engine_id for w in waits.user_tasks if (w.node, w.index) == wait[1:]), {"outcome": stance}, now=NOW)
        run.complete(stance)
    elif isinstance(run, TaskRun):
        found_task = next(w for w in waits.user_tasks if (w.node, w.index) == wait[1:])
        facts = {name: chance.randint(0, 2) for name in FACTS}
        machine.complete(found_task.engine_id, facts, now=NOW)
        run.complete(facts)


def sound_alarm(simulation: Simulation) -> None:
    """Fire everything that waits for the signal now, what is around before what is inside."""
    hearing = [(wait, run, chain_to(simulation.root, run)) for wait, run in simulation.waits() if wait[0] == "signal"]
    for wait, run, chain in sorted(hearing, key=lambda item: len(item[2] or [])):
        assert isinstance(run, BoundRun | RaceRun)
        if chain_to(simulation.root, run) is not None and chain is not None:
            run.fire(wait[1])


def come_back(machine: Machine, chance: random.Random, wait: tuple, run: TaskRun, simulation: Simulation) -> bool:
    """A direct return on both sides to any target that both call legal; False when there is none."""
    chain = chain_to(simulation.root, run)
    assert chain is not None
    first = max(number for number, item in enumerate(chain) if isinstance(item, Scope) and item.process)
    process = chain[first]
    assert isinstance(process, Scope)
    found = next(w for w in machine.waits().user_tasks if (w.node, w.index) == wait[1:])
    expected = legal_targets(process.block, wait[1])
    assert set(machine.process.process_of(found.process).targets[wait[1]]) == expected, wait
    if not expected:
        return False
    target = chance.choice(sorted(expected))
    machine.jump([found.engine_id], target, scope=found.scope, now=NOW)
    bring_back(process, chain[first:], target)
    return True


@pytest.mark.parametrize("start", range(0, 500, 50))
def test_500_random_processes_run_as_the_simulator_says(start: int) -> None:
    for seed in range(start, start + 50):
        walk(seed, MIXES[seed % len(MIXES)])


@pytest.mark.prove
@pytest.mark.parametrize("start", range(1000, 11_000, 250))
def test_10000_random_processes_run_as_the_simulator_says(start: int) -> None:
    for seed in range(start, start + 250):
        walk(seed, MIXES[seed % len(MIXES)], most=120)
