from __future__ import annotations

import pytest

from engine.runtime.bpmn.errors import NotWaiting
from engine.runtime.bpmn.machine import Machine
from tests.engine.runtime.bpmn.drafts import compiled, findings, line
from tests.engine.runtime.bpmn.driver import NOW, Driver, load


def test_a_boundary_timer_interrupts_its_task(diagram) -> None:
    run = diagram()
    timer = run.waits.timers[0]
    assert (timer.beside, timer.due_at.isoformat()) == ("work", "2026-03-05T01:00:00+00:00")
    run.tick("late")
    assert run.open == ["remind"]
    assert run.step.cancelled == ["work"]
    assert run.waits.timers == []


def test_a_boundary_goes_with_its_task(diagram) -> None:
    run = diagram(name="a_boundary_timer_interrupts_its_task")
    timer = run.waits.timers[0]
    run.do("work")
    assert run.machine.completed
    with pytest.raises(NotWaiting):
        run.machine.fire_timer(timer.engine_id)


def test_a_boundary_that_does_not_interrupt_fires_every_time(diagram) -> None:
    run = diagram()
    run.hear("ask")
    run.hear("ask")
    assert run.open == ["answer", "answer", "work"]
    run.do("work")
    assert not run.machine.completed
    run.do("answer")
    run.do("answer")
    assert run.machine.completed


def test_a_cycle_beside_a_task_repeats_as_often_as_it_says(diagram) -> None:
    run = diagram()
    run.tick("remind")
    run.tick("remind")
    assert run.machine.facts()["n"] == 2
    assert run.waits.timers == []
    assert run.open == ["work"]


def test_an_interrupting_cycle_interrupts(diagram) -> None:
    run = diagram()
    assert run.waits.timers[0].cycle
    run.tick("late")
    assert run.open == ["remind"]
    assert run.waits.timers == []


def test_a_timer_can_be_a_feel_value(diagram) -> None:
    run = diagram({"due_on": "2026-05-01"})
    assert run.waits.timers[0].due_at.isoformat() == "2026-04-30T16:00:00+00:00"
    run.tick("wait")
    assert run.open == ["go_on"]


def test_a_timer_without_a_time_is_parked_and_can_be_repaired(diagram) -> None:
    run = diagram({"due_on": "下周"}, name="a_timer_can_be_a_feel_value")
    parked = run.waits.parked[0]
    assert parked.kind == "timer"
    assert "下周" in parked.message
    run.machine.write(parked.engine_id, {"due_on": "2026-05-01"})
    run.machine.retry(parked.engine_id)
    run.go_on()
    assert run.waits.timers[0].due_at.year == 2026


def test_a_suspended_clock_moves_its_timer(diagram) -> None:
    run = diagram({"due_on": "2026-05-01"}, name="a_timer_can_be_a_feel_value")
    timer = run.waits.timers[0]
    run.machine.reschedule_timer(timer.engine_id, NOW)
    run.go_on()
    assert run.waits.timers[0].due_at == NOW


def test_a_message_brings_facts(diagram) -> None:
    run = diagram()
    listener = run.waits.subscriptions[0]
    assert (listener.kind, listener.name, listener.correlation) == ("message", "reply", "case-1")
    run.hear("reply", verdict="yes", noise="x")
    assert run.open == ["go_on"]
    assert run.machine.facts()["verdict"] == "yes"
    assert "noise" not in run.machine.facts()


def test_a_message_for_something_else_changes_nothing(diagram) -> None:
    run = diagram(name="a_message_brings_facts")
    with pytest.raises(NotWaiting):
        run.machine.deliver("message", "other", {}, run.waits.subscriptions[0].engine_id)
    assert len(run.waits.subscriptions) == 1


def test_a_signal_reaches_every_branch_that_waits(diagram) -> None:
    run = diagram()
    run.do("work")
    assert run.open == ["after_one", "after_two"]
    assert [item["name"] for item in run.thrown] == ["stop"]


def test_an_error_is_caught_by_the_nearest_boundary_only(diagram) -> None:
    run = diagram()
    run.do("try_left")
    assert run.open == ["repair_left", "try_right"]
    run.do("try_right")
    assert run.open == ["repair_left"]


def test_a_handler_error_goes_to_its_boundary(diagram) -> None:
    run = diagram()
    assert run.machine.fail(run.waits.services[0].engine_id, "other") is False
    assert run.machine.fail(run.waits.services[0].engine_id, "refused", message="对方拒收") is True
    run.go_on()
    assert run.open == ["repair"]
    facts = run.waits.user_tasks[0].facts
    assert (facts["error_code"], facts["error_message"]) == ("refused", "对方拒收")


def test_an_uncaught_error_parks_the_end_event(diagram) -> None:
    run = diagram()
    run.do("work")
    assert run.step.errors[0].kind == "error_uncaught"
    assert run.waits.parked[0].node == "failed"


def test_an_escalation_goes_on_beside(diagram) -> None:
    run = diagram()
    run.do("work")
    assert run.open == ["look", "more"]
    run.do("more")
    run.do("look")
    assert run.machine.completed


def test_terminate_ends_only_its_own_body(diagram) -> None:
    run = diagram()
    run.do("a")
    assert run.open == ["after"]


def test_a_conditional_event_fires_when_its_condition_becomes_true(diagram) -> None:
    run = diagram()
    assert run.open == ["work"]
    run.do("work", amount=11)
    assert run.open == ["after"]


def test_links_are_followed(diagram) -> None:
    run = diagram()
    run.do("work")
    assert run.open == ["after"]
    assert run.step.nodes == ["out", "far_in", "after"]


def test_a_message_can_start_a_process(diagram) -> None:
    assert diagram().open == ["register"]
    assert diagram(start_event="by_message").open == ["confirm"]


def test_an_event_sub_process_runs_beside_its_scope(diagram) -> None:
    first, second = diagram(), diagram()
    for run in (first, second):
        run.hear("ask")
        run.hear("ask")
        assert run.open == ["answer", "answer", "work"]
        run.do("work")
        assert run.waits.subscriptions == [] or run.open
        run.do("answer")
        run.do("answer")
        assert run.machine.completed


def test_an_interrupting_event_sub_process_replaces_its_scope(diagram) -> None:
    run = diagram()
    run.hear("withdraw")
    assert run.open == ["tidy_up"]
    assert run.waits.subscriptions == []
    run.do("tidy_up")
    assert run.machine.completed


def test_an_event_sub_process_catches_errors_of_its_scope(diagram) -> None:
    run = diagram()
    assert run.machine.fail(run.waits.services[0].engine_id, "refused")
    run.go_on()
    assert run.open == ["repair"]


def test_a_timer_event_sub_process_does_not_keep_a_process_alive(diagram) -> None:
    run = diagram()
    assert len(run.waits.timers) == 1
    run.tick("due")
    assert run.open == ["remind", "work"]
    run.do("remind")
    run.do("work")
    assert run.machine.completed


def test_one_spec_serves_many_instances_at_once() -> None:
    process = load("an_event_sub_process_runs_beside_its_scope")
    machines = [Machine.start(process, {}, now=NOW) for _ in range(3)]
    for machine in machines:
        machine.advance()
    machines[0].deliver("message", "ask", {}, machines[0].waits().subscriptions[0].engine_id)
    machines[0].advance()
    assert [len(machine.waits().user_tasks) for machine in machines] == [2, 1, 1]


START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'
TWO = '<signalEventDefinition signalRef="x"/><messageEventDefinition messageRef="m"/>'
NAMED = '<signal id="x" name="stop"/><message id="m" name="reply"/>'


def user(name: str) -> str:
    return f'<userTask id="{name}" gc:role="r"/>'


@pytest.mark.parametrize("happens", ["stop", "reply"])
def test_an_event_with_several_triggers_takes_the_first(happens) -> None:
    body = START + f'<intermediateCatchEvent id="c">{TWO}</intermediateCatchEvent>' + user("after") + line("s", "c", "after")
    run = Driver(compiled(body, outside=NAMED))
    assert len(run.waits.subscriptions) == 2
    run.hear(happens)
    assert run.open == ["after"]
    assert run.waits.subscriptions == []
    assert run.flows == ["s_c", "c_after"]


def test_an_event_that_needs_all_its_triggers_waits_for_all() -> None:
    body = START + f'<intermediateCatchEvent id="c" parallelMultiple="true">{TWO}</intermediateCatchEvent>' + user("after") + line("s", "c", "after")
    run = Driver(compiled(body, outside=NAMED))
    run.hear("reply")
    assert run.open == []
    run.hear("stop")
    assert run.open == ["after"]


def test_a_boundary_with_several_triggers_interrupts_by_either() -> None:
    body = START + user("work") + f'<boundaryEvent id="b" attachedToRef="work">{TWO}</boundaryEvent>' + user("after") + line("s", "work") + line("b", "after")
    run = Driver(compiled(body, outside=NAMED))
    run.hear("stop")
    assert run.open == ["after"]
    assert run.waits.subscriptions == []


def test_a_throw_with_several_results_throws_them_all() -> None:
    body = START + f'<endEvent id="e">{TWO}<terminateEventDefinition/></endEvent>' + line("s", "e")
    run = Driver(compiled(body, outside=NAMED))
    assert [item["name"] for item in run.thrown] == ["stop", "reply"]
    assert run.machine.completed


def test_an_event_definition_that_is_referred_to_counts() -> None:
    body = START + '<intermediateCatchEvent id="c"><eventDefinitionRef>d</eventDefinitionRef></intermediateCatchEvent>' + END + line("s", "c", "e")
    shared = '<signalEventDefinition id="d" signalRef="x"/>'
    assert Driver(compiled(body, outside=NAMED + shared)).waits.subscriptions[0].name == "stop"
    assert ("c", "events") in [(item["element"], item["rule"]) for item in findings(body)]


def test_a_signal_end_event_is_thrown() -> None:
    run = Driver(compiled(START + '<endEvent id="e"><signalEventDefinition signalRef="x"/></endEvent>' + line("s", "e"), outside=NAMED))
    assert [(item["kind"], item["name"]) for item in run.thrown] == [("signal", "stop")]
    assert run.machine.completed


def test_a_message_end_event_carries_its_inputs() -> None:
    sent = '<extensionElements><gc:input name="verdict" value="=answer"/></extensionElements><messageEventDefinition messageRef="m"/>'
    run = Driver(compiled(START + f'<endEvent id="e">{sent}</endEvent>' + line("s", "e"), outside=NAMED), {"answer": "yes"})
    assert run.thrown[0]["payload"] == {"verdict": "yes"}


def test_a_send_and_a_receive_task_are_messages() -> None:
    body = START + '<sendTask id="t" messageRef="m"/><receiveTask id="c" messageRef="m" gc:correlation="case_id"/>' + user("after") + line("s", "t", "c", "after")
    run = Driver(compiled(body, outside=NAMED))
    assert run.thrown[0]["name"] == "reply"
    assert run.waits.subscriptions[0].correlation == "case-1"
    run.hear("reply")
    assert run.open == ["after"]


def test_an_escalation_event_sub_process_hears_its_scope() -> None:
    body = (
        START + '<intermediateThrowEvent id="t"><escalationEventDefinition escalationRef="es"/></intermediateThrowEvent>' + user("work") + line("s", "t", "work")
        + '<subProcess id="h" triggeredByEvent="true"><startEvent id="hs" isInterrupting="false"><escalationEventDefinition escalationRef="es"/></startEvent>'
        + user("look") + line("hs", "look") + "</subProcess>"
    )
    run = Driver(compiled(body, outside='<escalation id="es" escalationCode="late"/>'))
    assert run.open == ["look", "work"]


def test_a_conditional_boundary_interrupts_when_a_fact_changes() -> None:
    body = (
        START + '<parallelGateway id="g"/>' + user("work") + user("other") + line("s", "g", "work") + line("g", "other") + user("after")
        + '<boundaryEvent id="b" attachedToRef="work"><conditionalEventDefinition><condition>amount &gt; 10</condition></conditionalEventDefinition></boundaryEvent>'
        + line("b", "after")
    )
    run = Driver(compiled(body), {"amount": 1})
    run.do("other", amount=11)
    assert run.open == ["after"]


def test_a_timer_can_start_a_process() -> None:
    body = '<startEvent id="s" gc:unit="city"><timerEventDefinition><timeCycle>R/P1D</timeCycle></timerEventDefinition></startEvent>' + user("work") + line("s", "work")
    assert Driver(compiled(body)).open == ["work"]
