"""The shared dispatch and review as a caller sets them: other levels, other beginnings, other ways back."""
from __future__ import annotations

from dataclasses import replace

import pytest

from engine.kernel.errors import GuichengError, Invalid
from engine.runtime.deploy_file import deploy_file
from tests.packs.construction_waste_transfer.tickets import PROCESS, person, request
from tests.packs.walk import Walker

CALLER = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:gc="urn:guicheng:bpmn:1" targetNamespace="urn:x">
  <bpmn:process id="waste_case_transfer" name="派发一张工单" isExecutable="true">
    <bpmn:extensionElements><gc:fact name="{result}" type="text"/></bpmn:extensionElements>
    <bpmn:startEvent id="begin"/>
    <bpmn:userTask id="apply" name="填单" gc:form="transfer_request" gc:role="applicant"><bpmn:extensionElements><gc:outcome value="submit" title="提交"/></bpmn:extensionElements></bpmn:userTask>
    <bpmn:callActivity id="call" name="调用" calledElement="dispatch.{called}"><bpmn:extensionElements>{inputs}<gc:output name="{result}" fact="{result}"/></bpmn:extensionElements></bpmn:callActivity>
    <bpmn:userTask id="finish" name="看结果" gc:form="transfer_request" gc:role="applicant" gc:title='=string({result})'><bpmn:extensionElements><gc:outcome value="submit" title="知道了"/></bpmn:extensionElements></bpmn:userTask>
    <bpmn:endEvent id="over"/>
    <bpmn:sequenceFlow id="a" sourceRef="begin" targetRef="apply"/><bpmn:sequenceFlow id="b" sourceRef="apply" targetRef="call"/>
    <bpmn:sequenceFlow id="c" sourceRef="call" targetRef="finish"/><bpmn:sequenceFlow id="d" sourceRef="finish" targetRef="over"/>
  </bpmn:process>
</bpmn:definitions>"""


@pytest.fixture
def walk(squads: Walker) -> Walker:
    return squads


def call(walk: Walker, called: str, result: str = "dispatched", **inputs: object) -> None:
    """Start a caller of ``called`` with ``inputs``; units by their code."""
    given = "".join(f'<gc:input name="{name}" value="{walk.bureau.units.get(str(value), value)}"/>' for name, value in inputs.items())
    parts = {"called": called, "inputs": given, "result": result}
    text = CALLER
    for name, part in parts.items():
        text = text.replace(f"{{{name}}}", part)
    analyst = replace(walk.actor("city_head"), rights=frozenset({"analyst"}))
    deploy_file(walk.app, actor=analyst, pack="construction_waste_transfer", filename="waste_case_transfer.bpmn", content=text.encode(), note="试", at=walk.at)
    walk.start("a1_officer", PROCESS, request(walk))


def review(walk: Walker, **inputs: object) -> None:
    call(walk, "three_level_review", "verdict", **inputs)


def test_a_dispatch_that_begins_and_ends_at_the_squad(walk: Walker) -> None:
    call(walk, "three_level_dispatch", from_level="squad", top_level="squad", squad_unit="CG-B-2", district_unit="CG-B")
    assert walk.holders("squad_dispatch") == {"b2_head"}
    with pytest.raises(Invalid):
        walk.do("b2_head", "squad_dispatch", "send_back")
    walk.do("b2_head", "squad_dispatch", "decline", opinion="不派。")
    assert walk.task("finish")["title"] == "false"


def test_what_the_squad_of_a_later_round_sends_back_goes_on_upwards(walk: Walker) -> None:
    call(walk, "three_level_dispatch", from_level="squad", top_level="city", squad_unit="CG-B-2", district_unit="CG-B")
    walk.do("b2_head", "squad_dispatch", "send_back", opinion="不归我们。")
    walk.do("b_staff", "district_dispatch", "send_back", opinion="不归我们。")
    assert walk.holders("city_dispatch") == {"city_staff"}


def test_everybody_needs_a_reason_to_send_back(walk: Walker) -> None:
    call(walk, "three_level_dispatch", from_level="district", top_level="city", district_unit="CG-B")
    with pytest.raises(Invalid):
        walk.do("b_staff", "district_dispatch", "send_back", opinion="")


def test_the_step_of_another_district_is_nobody_elses(walk: Walker) -> None:
    call(walk, "three_level_dispatch", from_level="district", top_level="city", district_unit="CG-B")
    with pytest.raises(GuichengError):
        walk.do("a_staff", "district_dispatch", "dispatch", {"squad": str(walk.bureau.units["CG-B-1"])})
    walk.do("b_staff", "district_dispatch", "dispatch", {"squad": str(walk.bureau.units["CG-B-1"])})
    walk.do("b1_head", "squad_dispatch", "dispatch", {"officer": person(walk, "b1_officer"), "helpers": "罗知远"})
    walk.do("b1_officer", "officer_accept", "accept")
    assert walk.task("finish")["title"] == "true"


@pytest.mark.parametrize(
    ("levels", "nodes"),
    [((True, True, True), ["squad_review", "district_review", "city_review"]), ((False, True, False), ["district_review"]), ((True, False, True), ["squad_review", "city_review"]), ((False, False, False), [])],
)
def test_only_the_levels_that_the_caller_names_review(walk: Walker, levels: tuple[bool, bool, bool], nodes: list[str]) -> None:
    names = ("squad_level", "district_level", "city_level")
    review(walk, squad_unit="CG-B-1", district_unit="CG-B", **{name: f"={str(level).lower()}" for name, level in zip(names, levels, strict=True)})
    who = {"squad_review": "b1_head", "district_review": "b_head", "city_review": "city_head"}
    for node in nodes:
        assert walk.waiting() == {node}
        walk.do(who[node], node)
    assert walk.task("finish")["title"] == "approve"


def test_without_the_callers_leave_nobody_refuses(walk: Walker) -> None:
    review(walk)
    with pytest.raises(Invalid):
        walk.do("a1_head", "squad_review", "refuse", opinion="不同意。")
    walk.do("a1_head", "squad_review", "send_back", opinion="请改。")
    assert walk.task("finish")["title"] == "send_back"


def test_with_no_returns_among_reviewers_only_the_submitter_gets_it_back(walk: Walker) -> None:
    review(walk, return_policy="none")
    walk.do("a1_head", "squad_review")
    assert walk.targets("a_head", "district_review") == []


def test_each_step_has_the_term_that_the_caller_gives(walk: Walker) -> None:
    review(walk, due="5 working_day")
    assert str(walk.task("squad_review")["due_on"]) == "2026-11-27"
