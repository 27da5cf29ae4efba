"""From a clue to a filed case, along every branch and every return."""
from __future__ import annotations

import pytest
from sqlalchemy import select

from engine.documents.queries import signatures_of
from engine.storage.tables.cases import case_file
from tests.packs.case_filing.clues import (
    HANDLING,
    apply_for_filing,
    ask_for_joint_review,
    filing,
    merge_filing,
    no_filing,
    register,
    up_to_joint_review,
    up_to_the_agency_head,
)
from tests.packs.walk import Walker

FILING_DOCUMENT = "case_filing.filing_approval"
STEPS = ["draft", "office_review", "section_review", "section_head_review", "joint_staff_review", "joint_head_review", "agency_approval"]


@pytest.mark.requirement("PEN-1168")
def test_a_registered_clue_has_number_state_and_a_clock_of_fifteen_working_days(walk: Walker) -> None:
    register(walk)

    clue, (clock,) = walk.case(), walk.clocks()
    assert (clue["number"], clue["state_title"]) == ("沪市监云线〔2026〕0001号", "已登记")
    assert (clock["day_kind"], clock["amount"], clock["due_on"].isoformat()) == ("working_day", 15, "2026-12-10")
    assert walk.waiting() == {"verify"}


@pytest.mark.requirement("PEN-1170")
def test_an_approved_filing_opens_a_case_under_investigation(walk: Walker) -> None:
    apply_for_filing(walk)
    up_to_the_agency_head(walk)

    done = walk.do("agency_head", "agency_approval", "approve", opinion="同意立案。")

    filed = walk.case(walk.links()["became"])
    assert done.completed
    assert (filed["kind"], filed["state_title"], filed["number"]) == ("case_filing.case", "调查中", "沪市监云案〔2026〕0001号")
    assert walk.case()["state_title"] == "已立案"
    assert [clock["state"] for clock in walk.clocks()] == ["met"]


@pytest.mark.requirement("PEN-1168")
def test_the_approval_form_is_numbered_signed_and_sealed(walk: Walker) -> None:
    apply_for_filing(walk)
    up_to_the_agency_head(walk)
    walk.do("agency_head", "agency_approval", "approve", opinion="同意立案。")

    walk.run_jobs()

    (paper,) = walk.documents()
    assert (paper["template"], paper["state"], paper["number"]) == (FILING_DOCUMENT, "issued", "沪市监云立〔2026〕0001号")
    assert paper["sealed_sm3"]
    with walk.app.db.connect() as connection:
        signed = signatures_of(connection, document_id=paper["id"], rev=paper["rev"])
    assert sorted(one.anchor for one in signed) == sorted([*STEPS, "seal"])
    assert [one.seal_title for one in signed if one.kind == "unit"] == ["执法专用章"]


@pytest.mark.requirement("PEN-1170")
def test_every_step_of_the_chain_is_with_the_role_the_rule_names(walk: Walker) -> None:
    apply_for_filing(walk)
    seen = [walk.holders("office_review")]
    walk.do("office_head", "office_review")
    seen.append(walk.holders("section_review"))
    walk.do("staff", "section_review")
    seen.append(walk.holders("section_head_review"))
    ask_for_joint_review(walk)
    seen.append(walk.holders("joint_staff_review"))
    walk.do("joint_staff", "joint_staff_review")
    seen.append(walk.holders("joint_head_review"))
    walk.do("joint_head", "joint_head_review")
    seen.append(walk.holders("agency_approval"))

    assert seen == [{"office_head"}, {"staff", "joint_staff"}, {"section_head", "joint_head"}, {"joint_staff"}, {"joint_head"}, {"agency_head"}]


@pytest.mark.requirement("PEN-1170")
@pytest.mark.parametrize("by", ["joint_staff", "joint_head"])
def test_a_return_from_joint_review_goes_to_the_section_staff_who_handles_it_again(walk: Walker, by: str) -> None:
    apply_for_filing(walk)
    up_to_joint_review(walk)
    if by == "joint_head":
        walk.do("joint_staff", "joint_staff_review")

    walk.do(by, f"{by}_review", "return", opinion="请补充抽样情况。")

    assert walk.waiting() == {"section_review"}
    assert walk.holders("section_review") == {"staff"}
    walk.do("staff", "section_review", opinion="已补充。")
    ask_for_joint_review(walk)
    assert walk.waiting() == {"joint_staff_review"}


@pytest.mark.parametrize(("to", "holder"), [("draft", "officer"), ("office_review", "office_head"), ("section_head_review", "section_head")])
def test_the_agency_head_returns_directly_to_any_of_three(walk: Walker, to: str, holder: str) -> None:
    apply_for_filing(walk)
    up_to_the_agency_head(walk)
    assert {target.node for target in walk.targets("agency_head", "agency_approval")} == {"draft", "office_review", "section_head_review"}

    walk.back("agency_head", "agency_approval", to)

    assert walk.waiting() == {to}
    assert walk.holders(to) == {holder}


def test_after_a_return_to_the_officer_the_whole_chain_is_walked_again(walk: Walker) -> None:
    apply_for_filing(walk)
    up_to_the_agency_head(walk)
    walk.back("agency_head", "agency_approval", "draft")

    walk.do("officer", "draft", "submit", filing(walk), "已补充。")
    up_to_the_agency_head(walk)
    walk.do("agency_head", "agency_approval", "approve")

    issued = [paper for paper in walk.documents() if paper["state"] == "issued"]
    assert walk.case()["state_title"] == "已立案"
    assert len(issued) == 1


@pytest.mark.parametrize(("login", "node", "steps"), [("office_head", "office_review", {"draft"}), ("staff", "section_review", {"draft", "office_review"})])
def test_lower_steps_return_to_those_before_them(walk: Walker, login: str, node: str, steps: set[str]) -> None:
    apply_for_filing(walk)
    if node == "section_review":
        walk.do("office_head", "office_review")

    assert {target.node for target in walk.targets(login, node)} == steps


def test_a_refusal_ends_the_approval_and_the_officer_handles_the_clue_again(walk: Walker) -> None:
    apply_for_filing(walk)
    up_to_the_agency_head(walk)

    walk.do("agency_head", "agency_approval", "disapprove", opinion="证据不足，不同意立案。")

    assert walk.waiting() == {"verify"}
    assert walk.holders("verify") == {"officer"}
    assert walk.case()["state_title"] == "已登记"
    assert walk.links() == {}


def test_an_officer_may_give_up_the_application_and_decide_otherwise(walk: Walker) -> None:
    apply_for_filing(walk)
    walk.back("office_head", "office_review", "draft")

    walk.do("officer", "draft", "abandon", opinion="改为不予立案。")

    assert walk.waiting() == {"verify"}


@pytest.mark.requirement("PEN-1170")
def test_not_filing_a_clue_needs_the_same_approval(walk: Walker) -> None:
    register(walk)
    walk.do("officer", "verify", "no_filing", {key: HANDLING[key] for key in ("verified_on", "findings", "category")})
    walk.do("officer", "draft", "submit", no_filing())
    up_to_the_agency_head(walk)
    walk.do("agency_head", "agency_approval", "approve")

    assert walk.case()["state_title"] == "不予立案"
    assert walk.case()["closed_at"] is not None
    assert [(paper["state"], paper["number"]) for paper in walk.documents()] == [("issued", "沪市监云不立〔2026〕0001号")]


@pytest.mark.requirement("PEN-1168")
def test_a_clue_may_be_merged_into_a_filed_case(walk: Walker, app, bureau) -> None:  # type: ignore[no-untyped-def]
    apply_for_filing(walk)
    up_to_the_agency_head(walk)
    walk.do("agency_head", "agency_approval", "approve")
    filed = walk.links()["became"]
    second = Walker(app, bureau)
    register(second)
    second.do("officer", "verify", "merge", HANDLING)

    second.do("officer", "draft", "submit", merge_filing(str(filed)))
    up_to_the_agency_head(second)
    second.do("agency_head", "agency_approval", "approve")

    assert second.case()["state_title"] == "已并案"
    assert second.links() == {"merged_into": filed}


def test_the_filed_case_has_its_own_record(walk: Walker, app) -> None:  # type: ignore[no-untyped-def]
    apply_for_filing(walk)
    up_to_the_agency_head(walk)
    walk.do("agency_head", "agency_approval", "approve")

    with app.db.connect() as connection:
        row = connection.exec_driver_sql("SELECT cause, violation, domain FROM reg.case_filing__penalty_case").one()
        assert tuple(row) == ("经营超过保质期的食品", "food_expired", "food_safety")
        assert connection.scalar(select(case_file.c.title).where(case_file.c.id == walk.links()["became"])) == "经营超过保质期的食品"
