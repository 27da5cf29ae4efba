"""Every matter returns as its row says, carries the signatures of its steps, and ends when it is refused."""
from __future__ import annotations

from typing import Any

import pytest

from engine.documents.queries import signatures_of
from engine.kernel.errors import Conflict, Invalid
from tests.packs.case_matters.answers import DISPATCH, application, dispatch, hand_in, to_the_chief_by_dispatch
from tests.packs.filed import CaseWalker

FOUR = ["draft", "office_review", "section_head_review", "agency_approval"]
SEVEN = ["draft", "office_review", "section_accept", "section_dispatch", "section_review", "section_confirm", "agency_approval"]


def row(process: str, *ids: str) -> Any:
    return pytest.param(process, marks=[pytest.mark.requirement(id) for id in ids], id=process)


DIRECT = [row("case_extension", "PEN-1176"), row("case_further_extension", "PEN-1177")]
APPLICANT = [
    row("case_suspend", "PEN-1178"), row("case_resume", "PEN-1179"), row("change_handling_office", "PEN-1180"), row("investigation_terminate", "PEN-1181"),
    row("investigation_suspend", "PEN-1182"), row("publicity_deferral", "PEN-1184"), row("assist_investigation"),
]
DISPATCHED = [row("investigation_resume", "PEN-1183", "PEN-1189"), row("data_correction", "PEN-1191")]


def nodes(case: CaseWalker, login: str, node: str) -> list[str]:
    return [target.node for target in case.targets(login, node)]


@pytest.mark.parametrize("process", DIRECT)
def test_a_return_may_go_directly_to_any_lower_step(case: CaseWalker, process: str) -> None:
    hand_in(case, process)
    assert nodes(case, "head", "office_review") == ["draft"]
    case.do("head", "office_review")
    assert nodes(case, "section_head", "section_head_review") == ["office_review", "draft"]
    case.do("section_head", "section_head_review")
    assert nodes(case, "chief", "agency_approval") == ["section_head_review", "office_review", "draft"]

    case.back("chief", "agency_approval", "office_review")
    assert case.holders("office_review") == {"head"}
    case.to_the_chief()
    case.back("chief", "agency_approval", "draft")
    assert (case.waiting(), case.holders("draft")) == ({"draft"}, {"officer"})
    case.do("officer", "draft", "submit", application(case, process))
    case.do("head", "office_review")
    case.back("section_head", "section_head_review", "draft")
    assert case.waiting() == {"draft"}


@pytest.mark.parametrize("process", APPLICANT)
def test_every_return_goes_to_the_officer(case: CaseWalker, process: str) -> None:
    hand_in(case, process)
    back = [("head", "office_review"), ("section_head", "section_head_review"), ("chief", "agency_approval")]
    for number, (login, node) in enumerate(back):
        for earlier in back[:number]:
            case.do(*earlier)
        assert nodes(case, login, node) == ["draft"]
        case.back(login, node, "draft")
        assert (case.waiting(), case.holders("draft")) == ({"draft"}, {"officer"})
        case.do("officer", "draft", "submit", application(case, process))
    assert case.waiting() == {"office_review"}


@pytest.mark.parametrize("process", DISPATCHED)
def test_every_return_of_a_dispatched_review_goes_to_the_officer(case: CaseWalker, process: str) -> None:
    hand_in(case, process)
    assert nodes(case, "head", "office_review") == ["draft"]
    case.approve(*DISPATCH)
    dispatch(case)
    assert nodes(case, "staff", "section_review") == ["draft"]
    case.do("staff", "section_review")
    assert nodes(case, "section_head", "section_confirm") == ["draft"]
    case.do("section_head", "section_confirm")
    assert nodes(case, "chief", "agency_approval") == ["draft"]

    case.back("chief", "agency_approval", "draft", why="证明材料不足，不予批准。")

    assert (case.waiting(), case.holders("draft")) == ({"draft"}, {"officer"})
    assert any("不予批准" in text or "退回" in text for text in case.notices("officer"))
    with pytest.raises(Invalid):
        case.do("officer", "draft", "submit", {})


@pytest.mark.parametrize("process", DISPATCHED)
def test_the_section_takes_on_dispatches_and_dispatches_again(case: CaseWalker, process: str) -> None:
    hand_in(case, process)
    case.do("head", "office_review")
    assert case.holders("section_accept") == {"staff", "joint_staff"}
    case.do("staff", "section_accept")
    with pytest.raises(Invalid, match="不能承接"):
        dispatch(case, to="other_officer")
    dispatch(case, to="staff")
    assert case.holders("section_review") == {"staff"}

    case.do("staff", "section_review", "hand_back", opinion="本周外出，请另行分派。")
    assert case.holders("section_dispatch") == {"section_head"}
    dispatch(case, to="joint_staff")

    assert case.holders("section_review") == {"joint_staff"}
    case.do("joint_staff", "section_review")
    assert case.holders("section_confirm") == {"section_head"}


@pytest.mark.parametrize("process", [*DIRECT, *APPLICANT, *DISPATCHED, row("other_matter_approval", "PEN-1196")])
def test_the_form_is_signed_at_every_step_and_sealed(case: CaseWalker, process: str) -> None:
    hand_in(case, process)
    steps = FOUR
    if process in ("investigation_resume", "data_correction"):
        steps = SEVEN
        to_the_chief_by_dispatch(case)
        case.do("chief", "agency_approval")
    else:
        case.approve()
    case.run_jobs()

    paper = [one for one in case.documents() if not one["template"].endswith("letter")][-1]
    with case.app.db.connect() as connection:
        signed = signatures_of(connection, document_id=paper["id"], rev=paper["rev"])
    assert (paper["state"], bool(paper["number"]), bool(paper["sealed_sm3"])) == ("issued", True, True)
    assert sorted(one.anchor for one in signed) == sorted([*steps, "seal"])


@pytest.mark.parametrize("process", [*DIRECT, *APPLICANT, row("other_matter_approval", "PEN-1196")])
def test_a_refusal_ends_it_and_changes_nothing(case: CaseWalker, process: str) -> None:
    hand_in(case, process)
    case.to_the_chief()
    before = (case.case()["state"], case.case()["unit_id"], case.due())

    case.do("chief", "agency_approval", "disapprove", opinion="理由不充分。")

    assert case.waiting() == set()
    assert (case.case()["state"], case.case()["unit_id"], case.due()) == before
    assert case.records("case_matters__publicity") == []


def test_a_matter_is_asked_for_in_the_right_state_and_once(case: CaseWalker) -> None:
    with pytest.raises(Conflict, match="不能发起"):
        case.matter("officer", "case_matters.case_resume", application(case, "case_resume"))
    hand_in(case, "case_suspend")
    with pytest.raises(Conflict, match="已有一件"):
        hand_in(case, "case_suspend")
