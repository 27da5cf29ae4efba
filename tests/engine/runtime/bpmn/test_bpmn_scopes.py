from __future__ import annotations


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
