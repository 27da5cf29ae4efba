"""会签 in every mode: decided as early as it can be, counted, and null votes are no agreement."""
from __future__ import annotations

from typing import Any

import pytest

from engine.kernel.errors import DeployRefused
from engine.runtime.bpmn.deploy import compile_process
from tests.engine.runtime.bpmn.driver import Driver

PEOPLE = ["p1", "p2", "p3", "p4", "p5"]
HEAVY = [{"person": "p1", "weight": 3}, {"person": "p2", "weight": 1}, {"person": "p3", "weight": 1}]


def xml(rule: str, extra: str = "") -> bytes:
    return f"""<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:gc="urn:guicheng:bpmn:1" targetNamespace="urn:guicheng:test">
  <bpmn:process id="meeting" isExecutable="true">
    <bpmn:extensionElements><gc:fact name="members"/></bpmn:extensionElements>
    <bpmn:startEvent id="start"/>
    <bpmn:userTask id="vote" name="集体讨论"><bpmn:extensionElements><gc:countersign {rule}/>
      <gc:outcome value="agree" title="同意"/><gc:outcome value="disagree" title="不同意"/><gc:outcome value="abstain" title="弃权"/></bpmn:extensionElements>{extra}</bpmn:userTask>
    <bpmn:exclusiveGateway id="passed" default="passed_to_refused"/>
    <bpmn:userTask id="decide" gc:role="clerk"/><bpmn:userTask id="refused" gc:role="clerk"/>
    <bpmn:sequenceFlow id="start_to_vote" sourceRef="start" targetRef="vote"/>
    <bpmn:sequenceFlow id="vote_to_passed" sourceRef="vote" targetRef="passed"/>
    <bpmn:sequenceFlow id="passed_to_decide" sourceRef="passed" targetRef="decide"><bpmn:conditionExpression>=agreed</bpmn:conditionExpression></bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="passed_to_refused" sourceRef="passed" targetRef="refused"/>
  </bpmn:process></bpmn:definitions>""".encode()


def run(rule: str, members: Any = PEOPLE) -> Driver:
    process = compile_process(xml(f'people="=members" {rule}'), name="demo.meeting", resolve=lambda name: None, strict=False)
    return Driver(process, {"members": members})


def cast(driver: Driver, *stances: str) -> Driver:
    """The votes in the order of the people, as long as the task is open; ``-`` leaves one out."""
    for index, stance in enumerate(stances):
        if stance != "-":
            driver.do("vote", index, outcome={"+": "agree", "x": "disagree", "0": "abstain"}[stance])
    return driver


@pytest.mark.parametrize(("rule", "votes", "ends", "agreed"), [
    ('mode="all"', "+++++", "decide", True), ('mode="all"', "+0", "refused", False), ('mode="all"', "x", "refused", False),
    ('mode="ratio"', "+++", "decide", True), ('mode="ratio"', "+xx0", "refused", False), ('mode="ratio" threshold="0.8"', "++++", "decide", True),
    ('mode="ratio" threshold="0.8"', "xx", "refused", False), ('mode="count" threshold="2"', "x+-+", "decide", True),
    ('mode="count" threshold="4"', "xx", "refused", False), ('mode="veto"', "+0+++", "decide", True), ('mode="veto"', "++x", "refused", False),
    ('mode="veto"', "00000", "refused", False),
])
def test_a_vote_is_decided_as_early_as_it_can_be(rule: str, votes: str, ends: str, agreed: bool) -> None:
    driver = cast(run(rule), *votes)
    assert driver.open == [ends]
    facts = driver.machine.facts()
    counted = [facts[name] for name in ("agreed", "votes_for", "votes_against", "votes_abstain")]
    assert counted == [agreed, votes.count("+"), votes.count("x"), votes.count("0")]
    assert driver.flows[-2:] == ["vote_to_passed", f"passed_to_{ends}"]


@pytest.mark.parametrize(("rule", "votes"), [('mode="all"', "++++"), ('mode="ratio"', "++xx"), ('mode="count" threshold="2"', "+xxx"), ('mode="veto"', "++++")])
def test_nobody_is_spared_a_vote_that_counts(rule: str, votes: str) -> None:
    assert cast(run(rule), *votes).open == ["vote"]


def test_one_after_the_other_stops_at_the_first_refusal() -> None:
    driver = run('mode="sequential"')
    assert [driver.machine.wait_attributes(wait)["assignee"] for wait in driver.waits.user_tasks] == ["p1"]
    cast(driver, "+")
    assert [driver.machine.wait_attributes(wait)["assignee"] for wait in driver.waits.user_tasks] == ["p2"]
    driver.do("vote", outcome="disagree")
    assert driver.open == ["refused"]


def test_weights_count() -> None:
    driver = run('mode="weighted"', HEAVY)
    assert [driver.machine.wait_attributes(wait)["assignee"] for wait in driver.waits.user_tasks] == ["p1", "p2", "p3"]
    assert cast(driver, "+").open == ["decide"]
    assert driver.machine.facts()["votes_for"] == 3
    assert cast(run('mode="weighted" threshold="0.9"', HEAVY), "+", "x").open == ["refused"]
    assert cast(run('mode="weighted"', HEAVY), "-", "+", "+").open == ["vote"]


@pytest.mark.parametrize("mode", ["all", "ratio", "veto", "sequential", "weighted", "count"])
def test_nobody_to_ask_is_no_agreement(mode: str) -> None:
    assert run(f'mode="{mode}" threshold="1"', []).open == ["refused"]


def test_a_prefix_keeps_the_counts_of_two_countersigns_apart() -> None:
    process = compile_process(
        xml('mode="all" people="=members" prefix="panel_"').replace(b"=agreed", b"=panel_agreed"), name="demo.meeting", resolve=lambda name: None, strict=False,
    )
    driver = cast(Driver(process, {"members": ["p1", "p2"]}), "+", "+")
    assert driver.open == ["decide"] and driver.machine.facts()["panel_votes_for"] == 2


@pytest.mark.parametrize(("rule", "extra", "word"), [
    ('mode="most" people="=members"', "", "不认识"), ('mode="all"', "", "由谁会签"), ('mode="count" people="=members"', "", "要几票"),
    ('mode="all" people="=members" agree="yes"', "", "算作同意"), ('mode="all" people="=members"', '<bpmn:multiInstanceLoopCharacteristics gc:collection="=members"/>', "只留一项"),
])
def test_a_countersign_that_says_too_little_is_refused(rule: str, extra: str, word: str) -> None:
    with pytest.raises(DeployRefused) as refused:
        compile_process(xml(rule, extra), name="demo.meeting", resolve=lambda name: None, strict=False)
    assert any(word in found["message"] for found in refused.value.findings)
