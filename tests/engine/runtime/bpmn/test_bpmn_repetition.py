from __future__ import annotations

import pytest


def test_a_vote_ends_as_soon_as_it_is_decided(diagram) -> None:
    run = diagram({"voters": ["p1", "p2", "p3", "p4", "p5"]})
    assert run.open == ["vote"] * 5
    assignees = [run.machine.wait_attributes(wait)["assignee"] for wait in run.waits.user_tasks]
    assert assignees == ["p1", "p2", "p3", "p4", "p5"]
    run.do("vote", 4, outcome="agree")
    run.do("vote", 0, outcome="refuse")
    run.do("vote", 2, outcome="agree")
    assert run.open == ["vote", "vote"]
    run.do("vote", 1, outcome="agree")
    assert run.open == ["after"]
    assert run.machine.facts()["votes"] == ["refuse", "agree", "agree", "agree"]


def test_opinions_one_after_the_other(diagram) -> None:
    run = diagram({"signers": ["p1", None, "p3"]})
    for index in range(3):
        assert [wait.index for wait in run.waits.user_tasks] == [index]
        run.do("sign", opinion=f"意见{index}")
    assert run.open == ["after"]
    assert run.machine.facts()["words"] == ["意见0", "意见1", "意见2"]


def test_instances_of_a_body_keep_their_facts_apart(diagram) -> None:
    run = diagram({"units": ["u1", "u2"]})
    run.do("ask", 1, given=5)
    run.do("ask", 0, given=2)
    run.do("check", 0)
    run.do("check", 1)
    assert run.open == ["after"]
    assert run.machine.facts() == {"case_id": "case-1", "units": ["u1", "u2"], "sums": [4, 10]}


def test_an_empty_collection_passes_at_once(diagram) -> None:
    run = diagram({"signers": []})
    assert run.open == ["after"]
    assert run.machine.facts()["words"] == []


def test_a_boundary_beside_many_ends_all_of_them(diagram) -> None:
    run = diagram()
    run.do("sign")
    run.tick("late")
    assert run.open == ["remind"]


def test_a_standard_loop_repeats_while_its_condition_holds(diagram) -> None:
    run = diagram()
    run.do("work", outcome="again")
    run.do("work", outcome="enough")
    assert run.open == ["after"]
    run = diagram()
    for _ in range(3):
        run.do("work", outcome="again")
    assert run.open == ["after"]


@pytest.mark.parametrize(("n", "words"), [(100_001, "上限 100000 项"), (-1, "不是非负整数"), (None, "不是非负整数")])
def test_a_number_of_instances_that_makes_no_sense_is_parked(diagram, n, words) -> None:
    run = diagram({"n": n}, name="many_instances")
    assert words in run.waits.parked[0].message


def test_above_fifty_parallel_instances_become_cases_of_their_own(diagram) -> None:
    run = diagram({"n": 51}, name="many_instances")
    assert (run.open, [(w.node, w.total) for w in run.waits.fanouts]) == ([], [("sign", 51)])
    run = diagram({"n": 50}, name="many_instances")
    assert (len(run.open), run.waits.fanouts) == (50, [])
