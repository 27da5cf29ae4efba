from __future__ import annotations

from tests.engine.runtime.bpmn.drafts import compiled, line
from tests.engine.runtime.bpmn.driver import Driver


def test_a_message_beside_a_body_withdraws_all_of_it(diagram) -> None:
    run = diagram()
    assert run.open == ["a", "b"]
    run.hear("withdraw")
    assert run.open == ["tidy_up"]
    assert sorted(run.step.cancelled) == ["a", "b", "body", "inner"]


def test_a_called_process_sees_only_its_parameters(diagram) -> None:
    run = diagram({"money": 30, "unit_id": "u1"})
    wait = run.waits.user_tasks[0]
    assert (wait.node, wait.process, wait.scope) == ("review", "demo.callee", "approve")
    assert wait.facts == {"case_id": "case-1", "unit_id": "u1", "form": "demo.paper", "amount": 60, "urgent": True, "mode": "plain"}
    assert run.machine.wait_attributes(wait)["form"] == "demo.paper"
    run.do("review", outcome="agree", secret=1)
    assert run.open == ["done"]
    assert run.machine.facts() == {"case_id": "case-1", "unit_id": "u1", "money": 30, "approved": True}
    assert run.flows == [
        "start_to_approve", "approve/start_to_review", "approve/review_to_note", "approve/note_to_end", "approve_to_choose", "choose_to_done",
    ]


def test_a_transaction_that_is_cancelled_undoes_what_was_done(diagram) -> None:
    run = diagram()
    run.do("book")
    run.do("pay", outcome="stop")
    assert run.open == ["unbook"]
    run.do("unbook")
    assert run.open == ["after"]


def test_compensation_undoes_in_reverse_order(diagram) -> None:
    run = diagram()
    run.do("a")
    run.do("b")
    assert run.open == ["un_b"]
    run.do("un_b")
    assert run.open == ["un_a"]
    run.do("un_a")
    assert run.open == ["after"]


def test_compensation_of_one_activity_leaves_the_others(diagram) -> None:
    run = diagram()
    run.do("a")
    run.do("b")
    assert run.open == ["un_a"]
    run.do("un_a")
    assert run.open == ["after"]


BOOKING = (
    '<subProcess id="booking"><startEvent id="bs"/>{handler}<userTask id="book" gc:role="r"/><userTask id="pay" gc:role="r"/>'
    '<boundaryEvent id="cb" attachedToRef="book"><compensateEventDefinition/></boundaryEvent><userTask id="unbook" isForCompensation="true" gc:role="r"/>'
    '<boundaryEvent id="cp" attachedToRef="pay"><compensateEventDefinition/></boundaryEvent><userTask id="unpay" isForCompensation="true" gc:role="r"/>'
    '<association id="a1" sourceRef="cb" targetRef="unbook"/><association id="a2" sourceRef="cp" targetRef="unpay"/>'
) + line("bs", "book", "pay") + "</subProcess>"
UNDO = '<intermediateThrowEvent id="undo"><compensateEventDefinition activityRef="booking"/></intermediateThrowEvent>'


def undone(handler: str) -> Driver:
    body = '<startEvent id="s"/>' + BOOKING.format(handler=handler) + '<userTask id="ask" gc:role="r"/>' + UNDO + '<userTask id="after" gc:role="r"/>'
    run = Driver(compiled(body + line("s", "booking", "ask", "undo", "after"), strict=False))
    for node in ("book", "pay", "ask"):
        run.do(node)
    return run


def test_a_completed_sub_process_is_undone_from_the_inside() -> None:
    run = undone("")
    assert run.open == ["unpay"]
    run.do("unpay")
    assert run.open == ["unbook"]
    run.do("unbook")
    assert run.open == ["after"]


def test_a_compensation_event_sub_process_undoes_its_body_in_its_own_way() -> None:
    run = undone(
        '<subProcess id="way" triggeredByEvent="true"><startEvent id="ws"><compensateEventDefinition/></startEvent><userTask id="talk" gc:role="r"/>'
        '<intermediateThrowEvent id="only"><compensateEventDefinition activityRef="book"/></intermediateThrowEvent>' + line("ws", "talk", "only") + "</subProcess>"
    )
    assert run.open == ["talk"]
    run.do("talk")
    assert run.open == ["unbook"]
    run.do("unbook")
    assert run.open == ["after"]


def test_an_activity_that_never_completed_is_not_undone() -> None:
    body = '<startEvent id="s"/>' + BOOKING.format(handler="") + '<boundaryEvent id="stop" attachedToRef="booking"><signalEventDefinition signalRef="x"/></boundaryEvent>'
    run = Driver(compiled(body + UNDO + '<userTask id="after" gc:role="r"/>' + line("s", "booking") + line("stop", "undo", "after"), outside='<signal id="x" name="stop"/>'))
    run.do("book")
    run.machine.signal("stop", now=run.now)
    run.go_on()
    assert run.open == ["after"]


def test_a_call_to_a_global_task_is_that_task() -> None:
    outside = '<globalUserTask id="gt" name="全局复核" gc:role="checker"/>'
    run = Driver(compiled('<startEvent id="s"/><callActivity id="c" calledElement="gt"/>' + line("s", "c"), outside=outside))
    assert run.open == ["c"]
    assert (run.waits.user_tasks[0].title, run.process.nodes["c"].attributes["role"]) == ("全局复核", "checker")
