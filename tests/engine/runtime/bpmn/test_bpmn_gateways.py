from __future__ import annotations

import pytest

from engine.runtime.bpmn.errors import IllegalTarget


@pytest.mark.parametrize(("amount", "task"), [(500, "high"), (50, "middle"), (5, "low")])
def test_an_exclusive_gateway_takes_the_first_flow_that_holds(diagram, amount, task) -> None:
    run = diagram({"amount": amount}, name="an_exclusive_gateway_takes_the_first_flow_that_holds")
    assert run.open == [task]
    assert run.flows == ["start_to_choose", f"choose_to_{task}"]


def test_no_match_and_no_default_parks_the_token_with_a_message(diagram) -> None:
    run = diagram()
    run.do("ask", kind="c")
    error = run.step.errors[0]
    assert error.element == "choose"
    assert "没有一个分支的条件成立" in error.message
    assert run.waits.parked[0].engine_id == error.engine_id
    run.machine.write(error.engine_id, {"kind": "b"})
    run.machine.retry(error.engine_id)
    run.go_on()
    assert run.open == ["b"]
    assert run.waits.parked == []


def test_a_parked_gateway_is_skipped_by_naming_a_branch(diagram) -> None:
    run = diagram(name="no_match_and_no_default_parks_the_token_with_a_message")
    run.do("ask", kind="c")
    parked = run.waits.parked[0].engine_id
    with pytest.raises(IllegalTarget):
        run.machine.skip(parked)
    run.machine.skip(parked, flow="choose_to_a")
    run.go_on()
    assert run.open == ["a"]


def test_a_condition_without_a_result_is_an_error_not_a_no(diagram) -> None:
    run = diagram()
    assert run.open == []
    assert [error.element for error in run.step.errors] == ["choose"]
    assert "amount > 100" in run.waits.parked[0].message


def test_a_parallel_join_waits_for_every_branch_in_every_round(diagram) -> None:
    run = diagram()
    for first, second in (("left", "right"), ("right", "left"), ("left", "right")):
        run.do(first, outcome="return")
        assert run.open == [second]
        run.do(second, outcome="return")
        assert run.open == ["left", "right"]
    run.do("left", outcome="agree")
    run.do("right", outcome="agree")
    assert run.machine.completed


def test_an_inclusive_join_waits_for_those_that_can_still_come(diagram) -> None:
    run = diagram({"x": 1, "y": 1})
    for first, second in (("a", "b"), ("b", "a")):
        assert run.open == ["a", "b"]
        run.do(first, outcome="return")
        assert run.open == [second]
        run.do(second, outcome="return")
    run.do("a", outcome="return")
    run.do("b", outcome="return", x=0, y=0)
    assert run.open == ["c"]
    run.do("c", outcome="agree")
    assert run.machine.completed


def test_an_inclusive_join_goes_on_when_a_branch_ends_elsewhere(diagram) -> None:
    run = diagram({"x": 1, "y": 1})
    run.do("a")
    assert run.open == ["b"]
    run.do("b", outcome="leave")
    assert run.open == ["after"]


@pytest.mark.parametrize(("x", "tasks"), [(1, ["left", "right", "third"]), (0, ["left", "right"])])
def test_several_flows_out_of_a_task_all_go(diagram, x, tasks) -> None:
    run = diagram({"x": x}, name="several_flows_out_of_a_task_all_go")
    run.do("first")
    assert run.open == tasks
    assert "gc_split_first" not in run.step.nodes
    assert run.flows[1:] == [f"first_to_{task}" for task in tasks]


@pytest.mark.parametrize(("event", "task"), [("short", "after_short"), ("long", "after_long"), ("reply", "after_reply")])
def test_an_event_gateway_takes_what_happens_first(diagram, event, task) -> None:
    run = diagram(name="an_event_gateway_takes_what_happens_first")
    assert [wait.due_at.day for wait in run.waits.timers] == [3, 11]
    if event == "reply":
        run.hear("reply")
    else:
        run.tick(event)
    assert run.open == [task]
    assert run.waits.timers == []
    assert run.waits.subscriptions == []
    assert run.flows == ["start_to_race", f"race_to_{event}", f"{event}_to_{task}"]
