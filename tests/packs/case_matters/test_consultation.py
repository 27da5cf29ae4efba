"""处罚请示: the head of the office may ask for a joint review and then goes on himself; the head of the city bureau decides."""
from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.access.staffing import create_account, create_person, give_post
from engine.documents.queries import signatures_of
from engine.documents.seals import create_personal_seal
from tests.packs.filed import CaseWalker
from tests.town import SINCE, UNTIL

PAPER = {
    "consultation_title": "关于某公司虚假宣传如何定性的请示", "facts": "经查，当事人发布了两则广告。", "question": "是否按一个违法行为处理。",
    "proposal": "拟按一个违法行为处理。",
}
JOINT = ["joint_staff_review", "joint_head_review", "submit_on"]


def hire(case: CaseWalker, login: str, name: str, unit: str, post: str) -> None:
    with case.app.db.begin() as connection:
        id = create_person(connection, name=name, pinyin=login, at=case.at)
        give_post(connection, person_id=id, unit_id=case.town.units[unit], code=post, title=post, valid_from=SINCE, main=True)
        create_account(connection, person_id=id, login=login, password_hash="-", at=case.at, must_change=False)
        create_personal_seal(case.app, connection, person_id=id, pin=None, valid_from=SINCE, valid_until=UNTIL, at=case.at, demo=True)
    case.bureau.actors[login] = case.town.actor(login)


@pytest.fixture
def consulting(case: CaseWalker) -> CaseWalker:
    """The case with the paper handed in, and somebody at the head of the city bureau."""
    hire(case, "city_head", "方知微", "city", "bureau_head")
    case.matter("officer", "case_matters.penalty_consultation", PAPER)
    return case


def ask_jointly(case: CaseWalker) -> None:
    case.do("head", "office_review", "joint", {"joint_unit": str(case.bureau.units["quality_section"])})


def signed_at(case: CaseWalker) -> set[str]:
    case.run_jobs()
    paper: Any = case.documents()[-1]
    assert (paper["state"], paper["number"], paper["issued_at"].date()) == ("issued", f"沪市监云请〔{case.at.year}〕0001号", date(2026, 11, 20))
    with case.app.db.connect() as connection:
        return {one.anchor for one in signatures_of(connection, document_id=paper["id"], rev=paper["rev"])}


@pytest.mark.requirement("PEN-1193")
def test_after_the_joint_review_whoever_asked_for_it_goes_on(consulting: CaseWalker) -> None:
    case = consulting
    ask_jointly(case)
    assert case.holders("joint_staff_review") == {"joint_staff"}
    case.do("joint_staff", "joint_staff_review", opinion="建议按一个违法行为处理。")
    case.do("joint_head", "joint_head_review", opinion="同意经办人意见。")
    assert case.holders("submit_on") == {"head"}
    case.approve(("head", "submit_on"), ("section_head", "section_head_review"))
    assert case.holders("city_approval") == {"city_head"}
    case.do("city_head", "city_approval", opinion="同意按一个违法行为处理。")

    assert case.holders("view_reply") == {"officer"}
    case.do("officer", "view_reply", "submit", {"arrangement": "按批复办理。"})
    assert case.waiting() == set()
    assert signed_at(case) == {"draft", "office_review", "section_head_review", "city_approval", *JOINT}


def test_a_department_of_the_city_bureau_may_review_jointly(consulting: CaseWalker) -> None:
    case = consulting
    hire(case, "city_joint", "宋怀川", "city_section", "section_staff")
    case.do("head", "office_review", "joint", {"joint_unit": str(case.bureau.units["city_section"])})
    assert case.holders("joint_staff_review") == {"city_joint"}


@pytest.mark.requirement("PEN-1193")
def test_without_joint_review_it_goes_straight_to_the_section(consulting: CaseWalker) -> None:
    case = consulting
    case.approve(("head", "office_review"), ("section_head", "section_head_review"))
    case.do("city_head", "city_approval", opinion="同意。")

    assert case.waiting() == {"view_reply"}
    assert signed_at(case) == {"draft", "office_review", "section_head_review", "city_approval"}


@pytest.mark.requirement("PEN-1193")
def test_the_head_of_the_joint_section_returns_it_to_whoever_asked(consulting: CaseWalker) -> None:
    case = consulting
    ask_jointly(case)
    case.do("joint_staff", "joint_staff_review", opinion="材料不足。")

    case.do("joint_head", "joint_head_review", "return", opinion="请补充证据后再提请。")

    assert (case.waiting(), case.holders("office_review")) == ({"office_review"}, {"head"})


@pytest.mark.requirement("PEN-1193")
@pytest.mark.parametrize("steps", [0, 1, 2])
def test_head_section_and_city_return_it_to_the_officer(consulting: CaseWalker, steps: int) -> None:
    case = consulting
    desks = [("head", "office_review"), ("section_head", "section_head_review"), ("city_head", "city_approval")]
    case.approve(*desks[:steps]) if steps else None
    login, node = desks[steps]
    assert [target.node for target in case.targets(login, node)] == ["draft"]

    case.back(login, node, "draft")

    assert (case.waiting(), case.holders("draft")) == ({"draft"}, {"officer"})
