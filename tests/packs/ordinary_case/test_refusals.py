"""What an ordinary case refuses: ranges, dates, rights that lapsed; and who is replaced by a recusal."""
from __future__ import annotations

from datetime import timedelta

import pytest

from engine.decisions import compile_dmn
from engine.kernel.errors import Invalid
from engine.kernel.settings import ROOT
from tests.packs.ordinary_case import answers
from tests.packs.ordinary_case.case import OrdinaryCase


@pytest.mark.requirement("PEN-1200")
def test_fine_law_and_kind_of_handling_are_checked(case: OrdinaryCase) -> None:
    case.do("officer", "investigate", "finish", {"progress": "已查清。"})
    for wrong, field in (
        ({"fine": "80000.00"}, "fine_reason"), ({"fine": "100.00"}, "fine_reason"), ({"law_version": "food_safety_2018"}, "law_version"),
        ({"happened_on": "2020-01-01"}, "law_version"), ({"handling": "pause"}, "handling"), ({"discretion": "price_tag_light", "fine": "1000.00"}, "discretion"),
    ):
        case.refused("officer", "draft", answers.report() | wrong, field)
    case.chain(answers.report(fine="30000.00", fine_reason="主动召回，减轻处罚。"))
    case.refused("officer", "prepare_notice", answers.notice(hearing=True), "hearing")


def test_the_range_of_the_fine_comes_from_the_step_and_the_amount_it_counts_from(case: OrdinaryCase) -> None:
    case.do("officer", "investigate", "finish", {"progress": "已查清。"})
    large = {"discretion": "food_expired_large_light", "base_amount": "20000.00", "fine": "250000.00"}
    case.refused("officer", "draft", answers.report() | large | {"fine": "300000.00"}, "fine_reason")
    case.do("officer", "draft", "submit", answers.report() | large)


@pytest.mark.requirement("PEN-1171")
def test_the_report_goes_through_joint_review_and_back_to_the_staff(case: OrdinaryCase) -> None:
    case.do("officer", "investigate", "finish", {"progress": "已查清。"})
    case.do("officer", "draft", "submit", answers.report())
    case.do("head", "office_review")
    case.do("staff", "section_review")
    case.do("section_head", "section_head_review", "joint", {"joint_unit": str(case.bureau.units["quality_section"])})
    case.do("joint_staff", "joint_staff_review")
    case.do("joint_head", "joint_head_review", "return", opinion="证据不足。")
    assert (case.waiting(), case.holders("section_review")) == ({"section_review"}, {"staff"})


def test_a_hearing_asked_for_too_late_is_not_taken(case: OrdinaryCase) -> None:
    case.investigated(discretion="food_expired_small_heavy", fine="100000.00")
    case.notified(hearing=True)
    late = {"wants": "hearing", "statement": "要求听证。", "received_on": (case.today + timedelta(days=30)).isoformat(), "attachments": case.proof()}
    case.refused("officer", "record_reply", late, "received_on")
    case.silent()
    assert "arrange" not in case.waiting()


def test_an_officer_who_must_withdraw_is_replaced(case: OrdinaryCase) -> None:
    other = str(case.actor("other_officer").person_id)
    case.matter("officer", "ordinary_case.recusal", {
        "applicant_kind": "party", "applicant": "白晓棠", "target": str(case.actor("officer_two").person_id), "target_post": "officer", "reason": "有直接利害关系。",
    })
    assert case.holders("decide") == {"chief"}
    case.refused("chief", "decide", {"decided_reason": "属实。"}, "replacement", outcome="recuse")
    case.do("chief", "decide", "recuse", {"replacement": other, "decided_reason": "属实。"})
    (row,) = case.records("case_filing__penalty_case")
    assert str(row["officer_two"]) == other
    case.matter("officer", "ordinary_case.recusal", {
        "applicant_kind": "party", "applicant": "白晓棠", "target": str(case.actor("chief").person_id), "target_post": "agency_head", "reason": "有利害关系。",
    })
    assert case.holders("decide_together") == {"legal_head"}
    case.do("legal_head", "decide_together", "stay", {"discussion": "一致认为不需要回避。", "decided_reason": "没有利害关系。"})
    assert case.waiting() == {"investigate"}


def test_a_suspended_case_goes_back_to_the_state_it_was_in(case: OrdinaryCase) -> None:
    case.investigated()
    case.matter("officer", "case_matters.case_suspend", {"suspension_ground": "testing", "reason": "等待检验结果。"})
    case.approve()
    assert (case.case()["state"], case.clock_row("case_filing.case_handling")["state"]) == ("clock_suspended", "suspended")
    case.matter("officer", "case_matters.case_resume", {"ended_on": case.today.isoformat(), "reason": "结果已出。"})
    case.approve()
    assert (case.case()["state"], case.clock_row("case_filing.case_handling")["state"]) == ("notifying", "running")
    with pytest.raises(Invalid):
        case.matter("officer", "case_matters.case_extension", {"extension_days": 400, "reason": "过长。"})


def test_a_decision_is_not_graver_than_the_notice(case: OrdinaryCase) -> None:
    case.investigated()
    case.notified()
    case.silent()
    case.evidence_is()
    told = case.refused("officer", "draft", answers.decision(fine="60000.00"), "fine")
    assert "重新告知" in told
    case.refused("officer", "draft", answers.decision(penalty_kinds=["fine", "revoke_licence"]), "penalty_kinds")
    case.do("officer", "draft", "submit", answers.decision(fine="50000.00"))


@pytest.mark.parametrize(("grounds", "heard", "needed"), [
    (["public_interest"], False, True), (["major_rights"], False, True), (["complex"], False, True), (["statutory"], False, True), ([], True, True), ([], False, False),
])
def test_any_of_four_grounds_asks_for_legal_review(grounds: list[str], heard: bool, needed: bool) -> None:
    model = compile_dmn((ROOT / "processes/ordinary_case/decisions/legal_review.dmn").read_bytes())
    assert model.evaluate("legal_review", {"grounds": grounds, "heard": heard})["needed"] is needed


def test_a_decision_after_the_clock_has_run_out_is_refused_and_names_the_rule(case: OrdinaryCase) -> None:
    case.investigated()
    case.notified()
    case.silent()
    due = case.due()
    assert due is not None
    case.evidence_is()
    case.do("officer", "draft", "submit", answers.decision())
    for login, node in (("head", "office_review"), ("staff", "section_review")):
        case.do(login, node)
    case.do("section_head", "section_head_review", "joint", {"joint_unit": str(case.bureau.units["quality_section"])})
    for login, node in (("joint_staff", "joint_staff_review"), ("joint_head", "joint_head_review")):
        case.do(login, node)
    case.go_to(due + timedelta(days=1))
    with pytest.raises(Invalid, match=r"“案件办理期限”已于 .* 届满（《市场监督管理行政处罚程序规定》第六十四条第一款），不能再作出处罚决定"):
        case.do("chief", "agency_approval")
    assert case.case()["state"] == "deciding"
    case.go_to(due)
    case.do("chief", "agency_approval")
    assert case.case()["state"] == "serving"
