"""The ways of an ordinary case from filing to the archive."""
from __future__ import annotations

from datetime import timedelta

import pytest

from tests.packs.case_matters.answers import application
from tests.packs.ordinary_case import answers
from tests.packs.ordinary_case.case import OrdinaryCase

HEAVY = {"discretion": "food_expired_small_heavy", "fine": "100000.00"}


def titles(case: OrdinaryCase) -> list[str]:
    return [paper["title"] for paper in case.documents()]


def test_a_case_in_which_the_party_is_silent_goes_to_the_archive(case: OrdinaryCase) -> None:
    assert case.waiting() == {"investigate"}
    assert case.holders("investigate") == {"officer"}
    case.investigated()
    assert case.case()["state"] == "notifying"
    case.notified()
    case.silent()
    case.decided()
    assert case.case()["state"] == "serving"
    case.served()
    case.executed()
    assert case.waiting() == set()
    case.published()
    case.closed()
    assert case.case()["state"] == "closed"
    case.archived()

    assert (case.case()["state"], case.waiting(), case.incidents()) == ("archived", set(), [])
    (row,) = case.records("ordinary_case__penalty")
    assert (row["handling"], str(row["fine"]), row["decision_number"]) == ("penalty", "50000.00", "沪市监云罚〔2026〕0001号")
    assert row["closing_kind"] == "executed"
    assert {one["state"] for one in case.clocks()} <= {"met", "expired"}


@pytest.mark.requirement("PEN-1173", "PEN-1175")
def test_a_hearing_in_public_leads_to_legal_review_and_may_reopen_the_case(case: OrdinaryCase) -> None:
    case.investigated(**HEAVY)
    case.notified(hearing=True)
    case.answered("hearing")
    assert (case.case()["state"], case.holders("arrange")) == ("hearing", {"legal_staff"})
    before = case.due()
    case.heard("uphold", public=True)
    assert before is not None
    # From the summons, on the day that doesn't count anyway, to the hearing on the eighth day after it.
    assert case.due() == before + timedelta(days=8)
    assert case.waiting() == {"legal_review"}
    case.reviewed_by_law("reinvestigate")
    assert (case.waiting(), case.case()["state"]) == ({"investigate"}, "investigating")

    case.investigated(**HEAVY)
    case.notified(hearing=True)
    case.answered("waive")
    case.evidence_is(False)
    assert case.waiting() == {"investigate"}
    assert titles(case).count("行政处罚听证告知书") == 2


@pytest.mark.requirement("PEN-1158", "PEN-1174")
def test_a_tenable_statement_must_be_adopted_and_a_grave_case_is_discussed(case: OrdinaryCase) -> None:
    case.investigated(complex=True, legal_grounds=["complex"])
    case.notified()
    case.answered("statement")
    assert case.holders("review") == {"legal_staff"}
    case.refused("legal_staff", "review", {**answers.review("change"), "verdict": "uphold"}, "verdict")
    case.do("legal_staff", "review", "submit", answers.review("uphold"))
    case.back("legal_head", "confirm_review", "review")
    case.statement_reviewed("change")
    case.refused("legal_staff", "legal_review", {**answers.legal("reinvestigate"), "conclusion": "agree"}, "conclusion")
    case.reviewed_by_law()
    case.evidence_is()
    assert case.waiting() == {"discuss"}
    case.do("officer", "discuss", "submit", answers.discussion(case.today))
    case.back("chief", "confirm_discussion", "discuss")
    case.discussed()
    case.do("officer", "draft", "submit", answers.decision(fine="30000.00", fine_reason="采纳当事人的意见，减轻处罚。"))
    for login, node in (("head", "office_review"), ("staff", "section_review")):
        case.do(login, node)
    case.do("section_head", "section_head_review", "joint", {"joint_unit": str(case.bureau.units["quality_section"])})
    case.do("joint_staff", "joint_staff_review", "return", opinion="理由不足。")
    assert case.waiting() == {"section_review"}
    case.do("staff", "section_review")
    case.do("section_head", "section_head_review", "joint", {"joint_unit": str(case.bureau.units["quality_section"])})
    for login, node in (("joint_staff", "joint_staff_review"), ("joint_head", "joint_head_review")):
        case.do(login, node)
    assert {"section_head_review", "office_review", "draft"} <= {one.node for one in case.targets("chief", "agency_approval")}
    case.do("chief", "agency_approval")

    (row,) = case.records("ordinary_case__penalty")
    assert (str(row["fine"]), row["heard"]) == ("30000.00", False)
    assert {"复核意见书", "法制审核意见", "行政处罚案件集体讨论笔录", "行政处罚决定书"} <= set(titles(case))


def test_a_refused_hearing_and_a_review_that_reopens(case: OrdinaryCase) -> None:
    case.investigated(**HEAVY)
    case.notified(hearing=True)
    case.answered("both")
    case.heard("uphold", accepted=False)
    assert case.waiting() == {"evidence_gate"}
    case.evidence_is(False)
    case.investigated()
    case.notified()
    case.answered("statement")
    case.statement_reviewed("reopen")
    assert (case.waiting(), case.case()["state"]) == ({"investigate"}, "investigating")


def test_no_penalty_is_a_decision_that_is_served(case: OrdinaryCase) -> None:
    case.investigated("no_penalty")
    case.do("officer", "draft", "submit", answers.NO_PENALTY)
    for login, node in (("head", "office_review"), ("staff", "section_review")):
        case.do(login, node)
    case.do("section_head", "section_head_review", "joint", {"joint_unit": str(case.bureau.units["quality_section"])})
    for login, node in (("joint_staff", "joint_staff_review"), ("joint_head", "joint_head_review")):
        case.do(login, node)
    case.do("chief", "agency_approval", "disapprove", opinion="应当处罚。")
    assert case.waiting() == {"investigate"}
    case.investigated("no_penalty")
    case.chain(answers.NO_PENALTY)
    case.served()
    case.closed("no_penalty")
    case.archived()
    assert case.case()["state"] == "archived"
    assert "不予行政处罚决定书" in titles(case)


def test_a_transfer_waits_for_the_other_authority(case: OrdinaryCase) -> None:
    case.investigated("transfer")
    case.chain(answers.TRANSFER)
    assert case.waiting() == {"record_receipt"}
    case.do("officer", "record_receipt", "submit", {"received_on": case.today.isoformat(), "receiver": "王一二"})
    assert case.case()["state"] == "closing"
    case.closed("transferred")
    assert case.records("ordinary_case__penalty")[0]["handling"] == "transfer"


def test_what_is_no_penalty_and_no_transfer_ends_the_investigation(case: OrdinaryCase) -> None:
    case.investigated("no_violation")
    assert (case.waiting(), case.case()["state"]) == ({"draft"}, "closing")
    case.refused("officer", "draft", {**answers.closing("terminated"), "goods_done": False}, "goods_done")
    case.do("officer", "draft", "submit", answers.closing("terminated"))
    case.back("head", "office_review", "draft")
    case.closed("terminated")
    case.do("officer", "make_archive", "submit", answers.archive(case.today))
    case.back("archivist", "check_archive", "make_archive")
    case.archived()
    assert {one["state"] for one in case.clocks()} == {"met"}


def test_an_approved_termination_takes_the_case_to_its_end(case: OrdinaryCase) -> None:
    case.matter("officer", "case_matters.investigation_terminate", application(case, "investigation_terminate"))
    case.approve()
    case.deliver()
    assert "investigate" not in case.waiting()
    case.closed("terminated")
    case.archived()
    assert case.case()["state"] == "archived"


def test_a_deferred_publicity_waits_until_its_day(case: OrdinaryCase) -> None:
    case.investigated()
    case.notified()
    case.silent()
    case.decided()
    later = case.today + timedelta(days=40)
    case.matter("officer", "case_matters.publicity_deferral", {**application(case, "publicity_deferral"), "deferred_until": later.isoformat()})
    case.approve()
    case.published()
    (row,) = case.records("case_matters__publicity")
    assert row["published_on"] is None
    case.go_to(later)
    (row,) = case.records("case_matters__publicity")
    assert row["published_on"] == later
