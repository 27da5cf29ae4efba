from __future__ import annotations

import pytest

from engine.runtime.bpmn.errors import BrokenState, FactRefused, IllegalTarget, NotWaiting
from engine.runtime.bpmn.machine import Machine
from tests.engine.runtime.bpmn.driver import NOW, load


def test_a_service_task_waits_for_its_result(diagram) -> None:
    run = diagram({"party": "甲公司"})
    wait = run.waits.services[0]
    assert (wait.handler, wait.inputs) == ("demo.do", {"who": "甲公司", "how": "fast"})
    run.do("ask", answer=42, other="dropped")
    assert run.open == ["read"]
    assert run.machine.facts() == {"case_id": "case-1", "party": "甲公司", "answer": 42}


def test_a_rule_task_is_decided_by_the_hook_or_waits(diagram) -> None:
    run = diagram({"area": 3})
    assert run.waits.services[0].decision == "demo.fines"
    asked = []

    def decide(name, facts):
        asked.append((name, facts["area"]))
        return {"fine": 300}

    run = diagram({"area": 3}, decide=decide)
    assert asked == [("demo.fines", 3)]
    assert run.machine.facts()["fine"] == 300


def test_a_task_is_done_once(diagram) -> None:
    run = diagram(name="a_boundary_timer_interrupts_its_task")
    engine_id = run.waits.user_tasks[0].engine_id
    run.do("work")
    for act in (lambda: run.machine.complete(engine_id, {}), lambda: run.machine.complete("not-an-id", {})):
        with pytest.raises(NotWaiting):
            act()


@pytest.mark.parametrize("value", ["长" * 1000, {"deep": ["x" * 3000]}, object(), float("nan"), 2**70])
def test_facts_are_small_json_values(diagram, value) -> None:
    run = diagram(name="a_boundary_timer_interrupts_its_task")
    with pytest.raises(FactRefused):
        run.machine.complete(run.waits.user_tasks[0].engine_id, {"text": value})


def test_returns_never_break_into_a_parallel_block(diagram) -> None:
    run = diagram()
    assert run.process.targets == {"draft": [], "a1": ["draft"], "a2": ["draft", "a1"], "b1": ["draft"], "approve": ["draft"]}
    run.do("draft")
    run.do("a1")
    a2 = next(wait for wait in run.waits.user_tasks if wait.node == "a2")
    run.machine.jump([a2.engine_id], "a1", now=run.now)
    run.go_on()
    assert run.open == ["a1", "b1"]
    run.do("a1")
    run.do("b1")
    run.do("a2")
    approve = run.waits.user_tasks[0]
    with pytest.raises(IllegalTarget):
        run.machine.jump([approve.engine_id], "a1")
    run.machine.jump([approve.engine_id], "draft")
    run.go_on()
    assert run.open == ["draft"]
    run.do("draft")
    run.do("b1")
    a1 = run.waits.user_tasks[0]
    run.machine.jump([a1.engine_id], "draft")
    run.go_on()
    for node in ("draft", "a1", "a2", "b1", "approve"):
        run.do(node)
    assert run.machine.completed


def test_a_return_out_of_a_body_cancels_the_body(diagram) -> None:
    run = diagram()
    assert run.process.targets["y"] == ["draft", "x"]
    run.do("draft")
    run.do("x")
    assert len(run.waits.timers) == 1
    run.machine.jump([run.waits.user_tasks[0].engine_id], "x")
    run.go_on()
    assert (run.open, run.waits.timers) == (["x"], [])
    run.do("x")
    run.machine.jump([run.waits.user_tasks[0].engine_id], "draft")
    run.go_on()
    assert run.open == ["draft"]
    for node in ("draft", "x", "y"):
        run.do(node)
    assert run.machine.completed


def test_a_loop_costs_the_same_in_every_round(diagram) -> None:
    run = diagram()
    sizes, tokens = [], []
    for number in range(334):
        if number % 50 == 0:
            run.tick("tick")
        for node in ("work", "left", "right"):
            run.do(node, outcome="again")
        tokens.append(len(run.machine.tokens()))
        sizes.append(len(run.machine.dump()))
    assert set(tokens) == {2}
    assert max(sizes[1:]) - min(sizes[1:]) <= 16
    assert max(sizes) < 400


def test_attributes_are_evaluated_at_the_wait(diagram) -> None:
    run = diagram({"form": "demo.paper", "amount": 50, "unit_id": "u7"})
    attributes = run.machine.wait_attributes(run.waits.user_tasks[0])
    assert attributes["form"] == "demo.paper"
    assert attributes["role"] == "demo.head"
    assert attributes["assignee"] == {"visited": "draft"}
    assert attributes["unit"] == "u7"
    assert attributes["policy"] == "stepwise"
    assert attributes["returns"] == []
    assert attributes["fields"] == {"cause": "read"}
    assert [outcome["value"] for outcome in attributes["outcomes"]] == ["agree"]
    assert attributes["shows"] == [{"form": "demo.paper", "node": "draft"}]


def test_a_state_that_does_not_fit_the_process_is_never_loaded(diagram) -> None:
    state = diagram(name="a_boundary_timer_interrupts_its_task").machine.dump()
    with pytest.raises(BrokenState):
        Machine.load(load("links_are_followed"), state, now=NOW)


def test_a_broken_state_is_named(diagram) -> None:
    run = diagram(name="a_boundary_timer_interrupts_its_task")
    top = run.machine._top
    for task in list(top.tasks.values()):
        task.internal_data.pop("due", None)
    with pytest.raises(BrokenState, match="timer has no time"):
        run.machine.check_invariants()
