"""Elements that need only a line each: tasks, starts, lanes, repetition of calls."""
from __future__ import annotations

import pytest

from tests.engine.runtime.bpmn.drafts import compiled, flow, line
from tests.engine.runtime.bpmn.driver import NOW, Driver, load

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'


def user(name: str, inside: str = "") -> str:
    return f'<userTask id="{name}" gc:role="r">{inside}</userTask>'


def test_a_plain_and_a_manual_task_wait_for_a_person() -> None:
    run = Driver(compiled(START + '<task id="a"/><manualTask id="b"/>' + END + line("s", "a", "b", "e")))
    for node in ("a", "b"):
        assert run.open == [node]
        run.do(node)
    assert run.machine.completed


def test_a_script_task_assigns_in_order_or_not_at_all() -> None:
    sets = '<extensionElements><gc:set fact="n" value="n + 1"/><gc:set fact="twice" value="{}"/></extensionElements>'
    body = START + '<scriptTask id="t">' + sets + "</scriptTask>" + END + line("s", "t", "e")
    assert Driver(compiled(body.format("n * 2")), {"n": 1}).machine.facts() == {"case_id": "case-1", "n": 2, "twice": 4}
    failed = Driver(compiled(body.format("n + text")), {"n": 1, "text": "x"})
    assert (failed.waits.parked[0].node, failed.machine.facts()["n"]) == ("t", 1)


def test_a_service_whose_inputs_fail_is_parked_and_can_be_retried() -> None:
    body = START + '<serviceTask id="t" gc:handler="h"><extensionElements><gc:input name="x" value="=n + 1"/></extensionElements></serviceTask>' + line("s", "t")
    run = Driver(compiled(body), {"n": "one"})
    parked = run.waits.parked[0]
    assert (parked.node, run.waits.services) == ("t", [])
    run.machine.write(parked.engine_id, {"n": 1})
    run.machine.retry(parked.engine_id)
    run.go_on()
    assert run.waits.services[0].inputs == {"x": 2}


def test_a_diagram_without_a_start_begins_at_its_first_elements() -> None:
    run = Driver(compiled(user("a") + user("b") + END + line("a", "e") + line("b", "e")))
    assert run.open == ["a", "b"]
    assert run.step.nodes == ["a", "b"]


def test_a_sub_process_without_start_and_end_runs() -> None:
    run = Driver(compiled(START + f'<subProcess id="p1">{user("a")}</subProcess>' + user("after") + line("s", "p1", "after")))
    run.do("a")
    assert run.open == ["after"]


def test_several_flows_out_of_a_start_all_go() -> None:
    assert Driver(compiled(START + user("a") + user("b") + line("s", "a") + line("s", "b"))).open == ["a", "b"]


def test_the_innermost_lane_names_the_node() -> None:
    lanes = '<laneSet><lane id="l" name="科室"><flowNodeRef>p1</flowNodeRef></lane></laneSet>'
    process = compiled(lanes + START + f'<subProcess id="p1">{user("a")}</subProcess>' + line("s", "p1"))
    assert (process.nodes["p1"].lane, process.nodes["a"].lane) == ("科室", "科室")


def test_a_call_is_made_once_per_item() -> None:
    inside = (
        '<extensionElements><gc:input name="form" value="demo.paper"/><gc:input name="amount" value="=sum"/><gc:output name="verdict" fact="v"/></extensionElements>'
        '<multiInstanceLoopCharacteristics gc:collection="sums" gc:item="sum"/>'
    )
    process = compiled(START + f'<callActivity id="c" calledElement="callee">{inside}</callActivity>' + user("after") + line("s", "c", "after"), resolve=lambda name: load("callee"))
    run = Driver(process, {"sums": [3, 4]})
    assert [wait.facts["amount"] for wait in run.waits.user_tasks] == [3, 4]
    for _ in range(2):
        run.do("review", outcome="agree")
    assert run.open == ["after"]


@pytest.mark.parametrize(("order", "left"), [("parallel", ["a"]), ("sequential", [])])
def test_enough_answers_end_the_rest(order, left) -> None:
    sequential = ' isSequential="true"' if order == "sequential" else ""
    many = (
        f'<multiInstanceLoopCharacteristics{sequential} gc:collection="people" gc:item="one" gc:results="answers">'
        '<completionCondition>completed &gt;= 2</completionCondition></multiInstanceLoopCharacteristics>'
    )
    body = f'<subProcess id="p1">{user("a")}{many}</subProcess>' + user("after")
    run = Driver(compiled(START + body + line("s", "p1", "after")), {"people": ["x", "y", "z"]})
    run.do("a", outcome="agree")
    run.do("a", outcome="refuse")
    assert run.open == ["after"]
    assert run.machine.facts()["answers"] == ["agree", "refuse"]


def test_a_sibling_never_hears_an_escalation() -> None:
    def body(name: str, throws: str) -> str:
        boundary = f'<boundaryEvent id="{name}_b" attachedToRef="{name}"><escalationEventDefinition escalationRef="es"/></boundaryEvent>'
        inside = user(f"{name}_work") + throws
        return f'<subProcess id="{name}"><startEvent id="{name}_s"/>{inside}</subProcess>' + boundary + user(f"{name}_look") + line(f"{name}_b", f"{name}_look")

    throw = '<endEvent id="t"><escalationEventDefinition escalationRef="es"/></endEvent>' + line("left_s", "left_work", "t")
    text = START + '<parallelGateway id="g"/>' + body("left", throw) + body("right", line("right_s", "right_work")) + line("s", "g", "left") + line("g", "right")
    run = Driver(compiled(text, outside='<escalation id="es" escalationCode="late"/>'))
    run.do("left_work")
    assert run.open == ["left_look", "right_work"]


def test_a_message_reaches_the_instance_with_its_key_only() -> None:
    catch = '<intermediateCatchEvent id="c" gc:correlation="number"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>'
    process = compiled(START + catch + END + line("s", "c", "e"), outside='<message id="m" name="reply"/>')
    assert [Driver(process, {"number": number}).waits.subscriptions[0].correlation for number in (7, "x")] == ["7", "x"]
    assert "没有值" in Driver(process, {"number": None}).waits.parked[0].message


def test_a_parallel_join_beside_a_race_keeps_its_count() -> None:
    text = (
        START + '<parallelGateway id="g"/><eventBasedGateway id="race"/>'
        '<intermediateCatchEvent id="m1"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>'
        '<intermediateCatchEvent id="t1"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></intermediateCatchEvent>'
        '<exclusiveGateway id="met"/><parallelGateway id="j"/>' + user("a") + user("after")
        + line("s", "g", "race", "m1", "met", "j", "after") + line("race", "t1", "met") + line("g", "a", "j")
    )
    run = Driver(compiled(text, outside='<message id="m" name="reply"/>'))
    run.tick("t1")
    assert run.open == ["a"]
    run.do("a")
    assert run.open == ["after"]


def test_terminate_ends_the_whole_process() -> None:
    body = START + '<parallelGateway id="g"/>' + user("a") + user("b") + '<endEvent id="t"><terminateEventDefinition/></endEvent>' + line("s", "g", "a", "t") + line("g", "b")
    run = Driver(compiled(body))
    run.do("a")
    assert run.machine.completed
    assert run.step.cancelled == ["b"]


def test_a_conditional_flow_beside_a_default_out_of_a_task() -> None:
    body = START + '<userTask id="a" gc:role="r" default="a_b"/>' + user("b") + user("c") + line("s", "a", "b") + flow("a", "c", "x = 1")
    for x, task in ((1, "c"), (2, "b")):
        run = Driver(compiled(body), {"x": x})
        run.do("a")
        assert run.open == [task]


def test_a_date_starts_nothing_late_twice() -> None:
    body = START + user("a") + (
        '<boundaryEvent id="b" attachedToRef="a" cancelActivity="false"><timerEventDefinition><timeDate>2020-01-01</timeDate></timerEventDefinition></boundaryEvent>'
    ) + user("late") + line("s", "a") + line("b", "late")
    run = Driver(compiled(body))
    assert run.waits.timers[0].due_at < NOW
    run.tick("b")
    assert run.open == ["a", "late"]
    assert run.waits.timers == []
