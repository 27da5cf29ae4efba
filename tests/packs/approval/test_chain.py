"""The shared chains: return policies, with and without joint review, taking an act back."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.kernel.errors import Conflict, Invalid
from engine.runtime.deploy_file import deploy_file
from engine.runtime.withdraw_act import withdraw_act
from tests.packs.case_filing.clues import apply_for_filing, register, up_to_the_agency_head
from tests.packs.walk import Walker

PROCESS = "case_filing.clue_extension"
ANSWERS: dict[str, Any] = {"extension_days": 15, "reason": "需要等待检验结果。"}


def call_the_chain(walk: Walker, root: Path, **inputs: str) -> None:
    """Put a version of clue_extension into force that calls approval.chain with ``inputs``, and hand in an application."""
    text = (root / "processes" / "case_filing" / "clue_extension.bpmn").read_text(encoding="utf-8")
    text = text.replace('calledElement="approval.short_chain"', 'calledElement="approval.chain"').replace('<gc:input name="return_policy" value="direct"/>', "")
    given = "".join(f'<gc:input name="{name}" value="{value}"/>' for name, value in inputs.items())
    text = text.replace('<gc:input name="seal"', given + '<gc:input name="seal"')
    analyst = replace(walk.actor("officer"), rights=frozenset({"analyst"}))
    register(walk)
    deploy_file(walk.app, actor=analyst, pack="case_filing", filename="clue_extension.bpmn", content=text.encode(), note="试", at=walk.at)
    walk.app.library.refresh(now=True)
    walk.matter("officer", PROCESS, ANSWERS)


def to_the_section_head(walk: Walker) -> None:
    walk.do("office_head", "office_review")
    walk.do("staff", "section_review")


def nodes(walk: Walker, login: str, node: str) -> list[str]:
    return [target.node for target in walk.targets(login, node)]


def test_the_applicant_policy_offers_only_the_applicant(walk: Walker, content_root: Path) -> None:
    call_the_chain(walk, content_root, return_policy="applicant", joint_review="none")
    to_the_section_head(walk)

    assert nodes(walk, "section_head", "section_head_review") == ["draft"]


def test_the_stepwise_policy_offers_only_the_step_before(walk: Walker, content_root: Path) -> None:
    call_the_chain(walk, content_root, return_policy="stepwise", joint_review="none")
    to_the_section_head(walk)

    assert nodes(walk, "section_head", "section_head_review") == ["section_review"]


def test_the_direct_policy_offers_every_lower_step_nearest_first(walk: Walker, content_root: Path) -> None:
    call_the_chain(walk, content_root, return_policy="direct", joint_review="none")
    to_the_section_head(walk)

    assert nodes(walk, "section_head", "section_head_review") == ["section_review", "office_review", "draft"]


def test_without_joint_review_the_section_head_passes_it_on(walk: Walker, content_root: Path) -> None:
    call_the_chain(walk, content_root, joint_review="none")
    to_the_section_head(walk)

    with pytest.raises(Invalid, match="不能选“joint”"):
        walk.do("section_head", "section_head_review", "joint", {"joint_unit": str(walk.bureau.units["YP-ZH"])})
    walk.do("section_head", "section_head_review", "approve")

    assert walk.waiting() == {"verify", "agency_approval"}


def test_required_joint_review_cannot_be_skipped(walk: Walker, content_root: Path) -> None:
    call_the_chain(walk, content_root, joint_review="required")
    to_the_section_head(walk)

    with pytest.raises(Invalid, match="不能选“approve”"):
        walk.do("section_head", "section_head_review", "approve")


def test_joint_review_needs_its_section(walk: Walker, content_root: Path) -> None:
    call_the_chain(walk, content_root, joint_review="optional")
    to_the_section_head(walk)

    with pytest.raises(Invalid) as refused:
        walk.do("section_head", "section_head_review", "joint")

    assert set(refused.value.fields) == {"joint_unit"}


def test_the_chosen_section_reviews(walk: Walker, content_root: Path) -> None:
    call_the_chain(walk, content_root, joint_review="optional")
    to_the_section_head(walk)

    walk.do("section_head", "section_head_review", "joint", {"joint_unit": str(walk.bureau.units["YP-ZH"])})

    assert walk.holders("joint_staff_review") == {"joint_staff"}


def test_a_return_and_a_refusal_need_a_reason(walk: Walker) -> None:
    apply_for_filing(walk)
    up_to_the_agency_head(walk)

    with pytest.raises(Invalid):
        walk.back("agency_head", "agency_approval", "draft", why=" ")
    with pytest.raises(Invalid):
        walk.do("agency_head", "agency_approval", "disapprove", opinion="")

    assert walk.waiting() == {"agency_approval"}


def test_an_act_is_taken_back_while_nobody_has_gone_on(walk: Walker) -> None:
    apply_for_filing(walk)
    handed_in = walk.last
    assert handed_in is not None

    withdraw_act(walk.app, actor=walk.actor("officer"), act_id=handed_in.act_id, key="withdraw-1", at=walk.at)

    assert walk.waiting() == {"draft"}
    assert {paper["state"] for paper in walk.documents()} <= {"void"}


def test_an_act_that_others_built_on_stays(walk: Walker) -> None:
    apply_for_filing(walk)
    handed_in = walk.last
    assert handed_in is not None
    walk.do("office_head", "office_review")

    with pytest.raises(Conflict):
        withdraw_act(walk.app, actor=walk.actor("officer"), act_id=handed_in.act_id, key="withdraw-2", at=walk.at)

    assert walk.waiting() == {"section_review"}


def test_a_return_makes_the_draft_of_the_approval_form_void(walk: Walker) -> None:
    apply_for_filing(walk)
    up_to_the_agency_head(walk)

    walk.back("agency_head", "agency_approval", "draft")

    assert [paper["state"] for paper in walk.documents()] == ["void"]


def test_a_stranger_may_not_act_on_a_step_of_the_chain(walk: Walker) -> None:
    apply_for_filing(walk)

    with pytest.raises(Exception, match="不在您手里|没有"):
        walk.do("stranger", "office_review")

    assert walk.waiting() == {"office_review"}
