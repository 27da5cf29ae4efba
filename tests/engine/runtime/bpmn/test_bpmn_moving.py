"""Running instances on another version: each kind of change by hand, then random processes, walks and edits."""
from __future__ import annotations

import copy
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.runtime.bpmn.deploy import CompiledProcess, compile_process
from engine.runtime.bpmn.machine import Machine
from engine.runtime.bpmn.moving.rebind import rebind
from engine.runtime.bpmn.moving.verdict import Verdict
from tests.engine.runtime.bpmn.drafts import draft, flow, line
from tests.engine.runtime.bpmn.random_blocks import FACTS, Block, Drawing, Generator, Weights

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
TIMER = '<boundaryEvent id="late" attachedToRef="a"{more}><timerEventDefinition><timeDuration>{time}</timeDuration></timerEventDefinition></boundaryEvent>'
PLAIN = '<startEvent id="s"/><userTask id="a" name="核查" gc:form="f"/><userTask id="b" name="审核"/><endEvent id="e"/>' + line("s", "a", "b", "e")


def made(body: str, *, called: dict[str, bytes] | None = None, outside: str = "") -> CompiledProcess:
    def resolve(name: str) -> CompiledProcess | None:
        return compile_process((called or {})[name.split(".")[1]], name=name, resolve=resolve, strict=False)

    return compile_process(draft(body, outside=outside), name="demo.p", resolve=resolve, strict=False)


def started(process: CompiledProcess, **facts: Any) -> Machine:
    machine = Machine.start(process, {"case_id": "1", **facts}, now=NOW)
    machine.advance(now=NOW)
    return Machine.load(process, machine.dump(), now=NOW)


def move(machine: Machine, process: CompiledProcess, **mapping: str) -> Verdict:
    before = machine.dump()
    verdict = rebind(machine, process, mapping={f"demo.p:{old}": new for old, new in mapping.items()}, now=LATER)
    assert machine.dump() == before
    if verdict.machine is not None:
        verdict.machine.check_invariants()
    return verdict


def open_at(verdict: Verdict) -> list[tuple[str, str]]:
    assert verdict.machine is not None, verdict.obstacles or verdict.needs
    return sorted((wait.node, wait.engine_id) for wait in verdict.machine.waits().user_tasks)


def test_a_renamed_task_needs_its_new_name_and_is_offered_the_one_alike() -> None:
    machine = started(made(PLAIN))
    verdict = move(machine, made(PLAIN.replace('"a"', '"check"')))
    assert (verdict.word, verdict.machine, [(need.key, need.suggested) for need in verdict.needs]) == ("mapping", None, [("demo.p:a", "check")])
    mapped = move(machine, made(PLAIN.replace('"a"', '"check"')), a="check")
    assert open_at(mapped) == [("check", machine.waits().user_tasks[0].engine_id)] and mapped.moves[0].to == "check"
    wrong = move(machine, made(PLAIN.replace('"a"', '"check"')), a="s")
    assert wrong.word == "refused" and wrong.obstacles[0].element == "a" and wrong.machine is None


def test_a_removed_task_is_refused_by_name_when_nothing_is_like_it() -> None:
    verdict = move(started(made(PLAIN)), made('<startEvent id="s"/><serviceTask id="x" gc:handler="h"/><endEvent id="e"/>' + line("s", "x", "e")))
    assert verdict.word == "refused" and verdict.obstacles[0].element == "a" and "核查" in verdict.obstacles[0].message


def test_a_task_moves_into_a_body_and_out_of_it_with_its_token() -> None:
    inside = '<startEvent id="s"/><subProcess id="sub"><startEvent id="s2"/><userTask id="a" gc:form="f"/><endEvent id="e2"/>' + line("s2", "a", "e2") + (
        '</subProcess><userTask id="b"/><endEvent id="e"/>') + line("s", "sub", "b", "e")
    machine = started(made(PLAIN))
    there = move(machine, made(inside))
    assert [node for node, _ in open_at(there)] == ["a"]
    assert there.machine is not None
    back = rebind(there.machine, made(PLAIN), now=LATER)
    assert open_at(back) == open_at(move(machine, made(PLAIN)))
    there.machine.complete(open_at(there)[0][1], {}, now=LATER)
    there.machine.advance(now=LATER)
    assert [wait.node for wait in there.machine.waits().user_tasks] == ["b"]


def test_a_boundary_added_to_a_live_task_is_armed_a_kept_one_keeps_its_time() -> None:
    with_timer = PLAIN.replace("<endEvent", TIMER.format(time="P5D", more="") + "<endEvent") + flow("late", "e")
    added = move(started(made(PLAIN)), made(with_timer))
    assert added.machine is not None
    assert [(wait.node, wait.due_at) for wait in added.machine.waits().timers] == [("late", LATER + timedelta(days=5))]
    machine = started(made(with_timer))
    kept = move(machine, made(with_timer.replace('name="核查"', 'name="核实"')))
    longer = move(machine, made(with_timer.replace("P5D", "P8D")))
    assert kept.machine is not None and longer.machine is not None
    assert kept.machine.waits().timers[0].due_at == NOW + timedelta(days=5) and longer.machine.waits().timers[0].due_at == NOW + timedelta(days=8)
    dropped = move(machine, made(PLAIN))
    assert dropped.machine is not None and dropped.machine.waits().timers == []
    added.machine.fire_timer(added.machine.waits().timers[0].engine_id, now=LATER)
    added.machine.advance(now=LATER)
    assert added.machine.completed


def test_a_changed_condition_decides_from_then_on() -> None:
    gateway = PLAIN.replace('<userTask id="b" name="审核"/>', '<exclusiveGateway id="g" default="g_e"/><userTask id="b"/>').replace(line("s", "a", "b", "e"), line("s", "a", "g", "e"))
    first, second = (made(gateway + flow("g", "b", f"x {sign} 1") + flow("b", "e")) for sign in ("=", "!="))
    verdict = move(started(first), second)
    assert verdict.machine is not None
    verdict.machine.complete(open_at(verdict)[0][1], {"x": 2}, now=LATER)
    verdict.machine.advance(now=LATER)
    assert [wait.node for wait in verdict.machine.waits().user_tasks] == ["b"]


def test_a_branch_that_nobody_is_on_is_refused() -> None:
    split = '<startEvent id="s"/><parallelGateway id="g"/>{tasks}<parallelGateway id="j"/><endEvent id="e"/>' + line("s", "g", "a", "j", "e") + line("g", "b", "j")
    two = split.format(tasks='<userTask id="a"/><userTask id="b"/>')
    three = split.format(tasks='<userTask id="a"/><userTask id="b"/><userTask id="c"/>') + line("g", "c", "j")
    verdict = move(started(made(two)), made(three))
    assert verdict.word == "refused" and verdict.obstacles[0].element == "j" and "永远等下去" in verdict.obstacles[0].message
    assert move(started(made(two)), made(PLAIN)).word == "refused"
    assert move(started(made(PLAIN)), made(two)).obstacles[0].element == "j"


def test_a_changed_callee_maps_the_steps_inside_it() -> None:
    body = '<startEvent id="s"/><callActivity id="call" calledElement="{name}"/><endEvent id="e"/>' + line("s", "call", "e")
    inner = {name: draft('<startEvent id="s"/><userTask id="{t}" gc:form="f"/><endEvent id="e"/>'.replace("{t}", task) + line("s", task, "e")).replace(b'id="p"', f'id="{name}"'.encode())
             for name, task in (("one", "a"), ("two", "a"), ("three", "z"))}
    machine = started(made(body.format(name="one"), called=inner))
    same = move(machine, made(body.format(name="two"), called=inner))
    assert same.machine is not None and [(wait.process, wait.scope, wait.node) for wait in same.machine.waits().user_tasks] == [("demo.two", "call", "a")]
    other = made(body.format(name="three"), called=inner)
    need = rebind(machine, other, now=LATER).needs[0]
    assert (need.key, need.suggested) == ("demo.one:a", "z")
    mapped = rebind(machine, other, mapping={"demo.one:a": "z"}, now=LATER)
    assert [(wait.process, wait.node) for wait in mapped.machine.waits().user_tasks] == [("demo.three", "z")]  # type: ignore[union-attr]


def test_votes_and_instances_of_a_repeated_step_stay() -> None:
    many = PLAIN.replace('<userTask id="a" name="核查" gc:form="f"/>', '<userTask id="a" gc:form="f"><multiInstanceLoopCharacteristics gc:results="r"><loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics></userTask>')
    machine = started(made(many))
    machine.complete(machine.waits().user_tasks[1].engine_id, {"outcome": "agree"}, now=NOW)
    machine.advance(now=NOW)
    verdict = move(machine, made(many.replace('name="审核"', 'name="批准"')))
    assert open_at(verdict) == sorted((wait.node, wait.engine_id) for wait in machine.waits().user_tasks) and verdict.machine is not None
    for _, id in open_at(verdict):
        verdict.machine.complete(id, {"outcome": "agree"}, now=LATER)
    verdict.machine.advance(now=LATER)
    assert verdict.machine.facts()["r"] == ["agree"] * 3 and [wait.node for wait in verdict.machine.waits().user_tasks] == ["b"]
    assert move(machine, made(PLAIN)).obstacles[0].element == "a"


def test_a_fact_that_its_new_type_cannot_hold_is_named() -> None:
    facts = '<extensionElements><gc:fact name="x" type="{type}" title="金额"/></extensionElements>'
    machine = started(made(facts.format(type="text") + PLAIN), x="三千")
    verdict = move(machine, made(facts.format(type="number") + PLAIN))
    assert verdict.word == "refused" and verdict.obstacles[0].element == "x" and "金额" in verdict.obstacles[0].message
    needed = '<extensionElements><gc:parameter name="y" required="true" title="依据"/></extensionElements>'
    assert "依据" in move(machine, made(needed + PLAIN)).obstacles[0].message
    given = '<extensionElements><gc:parameter name="y" type="number" default="3"/></extensionElements>'
    filled = move(machine, made(given + PLAIN))
    assert filled.machine is not None and filled.machine.facts()["y"] == 3


class Edit:
    """One random change to a tree of blocks; ``word`` tells which."""

    def __init__(self, seed: int, tree: Block, generator: Generator) -> None:
        self.random, self.tree, self.generator = random.Random(seed), copy.deepcopy(tree), generator
        places = [(block, number) for block in self._all(self.tree) if block.kind in ("seq", "and", "or", "xor", "sub") for number in range(len(block.children))]
        self.parent, self.number = self.random.choice(places)
        self.word = self.random.choice(["rename", "drop", "insert", "wrap", "unwrap", "bound", "swap", "time", "shuffle", "kind"])
        getattr(self, self.word)()

    def _all(self, block: Block) -> list[Block]:
        return [block, *(inner for child in block.children for inner in self._all(child))]

    @property
    def chosen(self) -> Block:
        return self.parent.children[self.number]

    def put(self, block: Block) -> None:
        self.parent.children[self.number] = block

    def fresh(self) -> Block:
        return Block("task", self.generator.name("n"))

    def rename(self) -> None:
        tasks = [block for block in self._all(self.tree) if block.kind == "task"]
        if tasks:
            self.random.choice(tasks).id = self.generator.name("renamed")

    def drop(self) -> None:
        if self.parent.kind == "seq" and len(self.parent.children) > 1:
            del self.parent.children[self.number]
        else:
            self.put(self.fresh())

    def insert(self) -> None:
        self.put(Block("seq", self.generator.name("seq"), [self.fresh(), self.chosen] if self.random.random() < 0.5 else [self.chosen, self.fresh()]))

    def wrap(self) -> None:
        kind = self.random.choice(["sub", "and", "xor", "call"])
        inner = Block("seq", self.generator.name("seq"), [self.chosen])
        if kind in ("sub", "call"):
            self.put(Block(kind, self.generator.name(kind), [inner]))
        else:
            other = Block("seq", self.generator.name("seq"), [self.fresh()])
            self.put(Block(kind, self.generator.name(kind), [inner, other], ["x0"]))

    def unwrap(self) -> None:
        subs = [block for block in self._all(self.tree) if block.kind in ("sub", "call") and block.children]
        if subs:
            chosen = self.random.choice(subs)
            parent = next((block for block in self._all(self.tree) if any(child is chosen for child in block.children) and block.kind == "seq"), None)
            if parent is not None:
                parent.children[[child is chosen for child in parent.children].index(True)] = chosen.children[0]

    def bound(self) -> None:
        if self.chosen.kind in ("task", "sub"):
            handler = Block("seq", self.generator.name("seq"), [self.fresh()])
            self.put(Block("bound", self.generator.name("b"), [self.chosen, handler], interrupting=self.random.random() < 0.5, by=self.random.choice(["timer", "message", "signal"])))

    def swap(self) -> None:
        """Take boundary events away, or change what they wait for."""
        bounds = [block for block in self._all(self.tree) if block.kind == "bound"]
        if bounds:
            chosen = self.random.choice(bounds)
            chosen.by = self.random.choice(["timer", "message", "cycle"])
            chosen.interrupting = True

    def time(self) -> None:
        self.shuffle()

    def shuffle(self) -> None:
        self.random.shuffle(self.parent.children)

    def kind(self) -> None:
        splits = [block for block in self._all(self.tree) if block.kind in ("and", "xor", "or")]
        if splits:
            chosen = self.random.choice(splits)
            chosen.kind = self.random.choice(["and", "xor", "or"])
            chosen.facts = chosen.facts or ["x0"] * (len(chosen.children) - 1)


def compiled(tree: Block) -> CompiledProcess:
    drawing = Drawing()
    xml = drawing.process("main", tree)

    def resolve(name: str) -> CompiledProcess | None:
        return compile_process(drawing.calls[name.split(".")[1]], name=name, resolve=resolve, strict=False)

    return compile_process(xml, name="demo.main", resolve=resolve, strict=False)


def step(machine: Machine, chance: random.Random) -> bool:
    """One random act; False when nothing waits."""
    waits = machine.waits()
    there = [*waits.user_tasks, *waits.subscriptions, *waits.timers]
    if not there:
        return False
    chosen = chance.choice(waits.user_tasks or there) if chance.random() < 0.7 else chance.choice(there)
    if chosen in waits.user_tasks:
        machine.complete(chosen.engine_id, {name: chance.randint(0, 2) for name in FACTS}, now=LATER)
    elif chosen in waits.timers:
        machine.fire_timer(chosen.engine_id, now=LATER)
    else:
        listener = next(wait for wait in waits.subscriptions if wait.engine_id == chosen.engine_id)
        machine.deliver(listener.kind, listener.name, {}, listener.engine_id, now=LATER)
    assert not machine.advance(now=LATER).errors
    machine.check_invariants()
    return True


def one_story(seed: int) -> str:
    """A random process, walked a while, edited, moved: what fits goes on to its end, what doesn't stays as it was. The verdict."""
    chance, generator = random.Random(seed), Generator(seed, Weights(bound=4, sub=3, call=2, many=2, race=2))
    tree = generator.process()
    old = compiled(tree)
    machine = Machine.start(old, dict.fromkeys(FACTS, 0), now=NOW)
    machine.advance(now=NOW)
    for _ in range(chance.randint(0, 8)):
        if machine.completed or not step(machine, chance):
            break
    if machine.completed:
        return "over"
    machine = Machine.load(old, machine.dump(), now=LATER)
    edit = Edit(seed * 3 + 1, tree, generator)
    new = compiled(edit.tree)
    before = machine.dump()
    verdict = rebind(machine, new, now=LATER)
    if verdict.needs and not verdict.obstacles:
        verdict = rebind(machine, new, mapping={need.key: need.suggested or need.choices[0][0] for need in verdict.needs}, now=LATER)
    assert machine.dump() == before, (seed, edit.word)
    assert (verdict.machine is not None) == (verdict.word == "fits"), (seed, edit.word)
    if verdict.machine is None:
        assert all(item.message for item in verdict.obstacles) and (verdict.obstacles or verdict.needs)
        return verdict.word
    assert {wait.engine_id for wait in verdict.machine.waits().user_tasks} == {wait.engine_id for wait in machine.waits().user_tasks}, (seed, edit.word)
    due = {wait.engine_id: wait.due_at for wait in machine.waits().timers}
    assert all(due[wait.engine_id] == wait.due_at for wait in verdict.machine.waits().timers if wait.engine_id in due and not wait.cycle), (seed, edit.word)
    moved = Machine.load(new, verdict.machine.dump(), now=LATER)
    for _ in range(400):  # a diagram may loop for longer; it must never stand still
        if moved.completed:
            break
        assert step(moved, chance), (seed, edit.word, moved.tokens())
    return "fits"


def test_random_cases_on_random_new_versions_go_on_to_their_end_or_stay_as_they_were() -> None:
    found = Counter(one_story(seed) for seed in range(80))
    assert found["fits"] > 20 and found["refused"] > 1, found


@pytest.mark.prove
def test_thousands_of_random_migrations() -> None:
    found = Counter(one_story(seed) for seed in range(1_000, 6_000))
    assert found["fits"] > 1_000 and found["refused"] > 100, found
