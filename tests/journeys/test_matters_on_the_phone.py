"""Every page of filing, data correction, assignment, consultation and other matters at the width of a phone: nothing to push sideways, and the button of the step does it.

The approvals are pressed; what officers write into the forms is handed in by the runtime after the page was looked at.
"""
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from engine.access.sessions import open_session
from engine.access.staffing import create_account, create_person, create_unit, give_post
from engine.documents.seals import create_personal_seal, create_unit_seal, grant_seal
from engine.storage.tables.organisation import account
from engine.web.guard import COOKIE
from tests.journeys.office import NARROW, Desk, Office
from tests.packs.case_assignment.test_assignment import CITY, PAPER, follow, id_of, proof
from tests.packs.case_filing.clues import HANDLING, REGISTRATION, filing, merge_filing, no_filing
from tests.packs.case_matters.answers import application
from tests.packs.case_matters.test_consultation import PAPER as CONSULTATION
from tests.packs.filed import CaseWalker, filed_case
from tests.packs.walk import Bureau, Walker
from tests.town import SINCE, UNTIL

pytestmark = [pytest.mark.browser, pytest.mark.prove]


@dataclass
class Phone:
    """One phone that its users hand on: ``look`` opens a step, ``press`` does it, both as ``login``."""

    office: Office
    page: Page
    holder: str = ""

    def of(self, login: str) -> Desk:
        if login != self.holder:
            app = self.office.town.app
            with app.db.begin() as connection:
                account_id = connection.scalar(select(account.c.id).where(account.c.login == login))
                assert account_id is not None
                token = open_session(connection, account_id=account_id, post_id=None, agent="phone", at=app.clock.now()).token
            self.page.context.add_cookies([{"name": COOKIE, "value": token, "url": self.office.url}])
            self.holder = login
        return Desk(self.office, login, self.page)

    def open(self, login: str, path: str) -> Page:
        """The page, with nothing beyond its right edge."""
        page = self.of(login).visit(path).page
        page.wait_for_load_state()
        wide = page.evaluate("""[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1
          && !e.closest('.table-scroll, .scroll, [style*=overflow], pre')).map(e => e.tagName + '.' + e.className).slice(0, 3)""")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), (page.url, wide)
        return page

    def look(self, walk: Walker, login: str, node: str) -> Page:
        page = self.open(login, f"/tasks/{walk.task(node)['id']}")
        expect(page.locator(".outcomes button").first).to_be_visible()
        return page

    def press(self, walk: Walker, login: str, node: str, button: str, opinion: str = "同意。", fill: Mapping[str, str] | None = None) -> None:
        page, desk = self.look(walk, login, node), self.of(login)
        for name, text in (fill or {}).items():
            page.locator(f"[name='data.{name}']").fill(text)
        if opinion:
            desk.say(opinion)
        desk.press(button)

    def write(self, walk: Walker, login: str, node: str, data: Mapping[str, Any], outcome: str = "submit") -> None:
        """The officer looks at the form; its answers are ``data``."""
        self.look(walk, login, node)
        walk.do(login, node, outcome, data)


@pytest.fixture
def phone(office: Office) -> Phone:
    return Phone(office, office.stranger(NARROW))


def hire(town: Any, login: str, name: str, unit: str, post: str) -> None:
    at = town.app.clock.now()
    with town.app.db.begin() as connection:
        id = create_person(connection, name=name, pinyin=login, at=at)
        give_post(connection, person_id=id, unit_id=town.units[unit], code=post, title=post, valid_from=SINCE, main=True)
        create_account(connection, person_id=id, login=login, password_hash="-", at=at, must_change=False)
        create_personal_seal(town.app, connection, person_id=id, pin=None, valid_from=SINCE, valid_until=UNTIL, at=at, demo=True)


def applied(phone: Phone, case: CaseWalker, process: str) -> None:
    """The application looked at and handed in."""
    page = phone.open("officer", f"/cases/{case.case_id}/matters/case_matters/{process}")
    expect(page.get_by_role("button", name=re.compile("^发起"))).to_be_visible()
    case.matter("officer", f"case_matters.{process}", application(case, process) if process != "penalty_consultation" else CONSULTATION)


@pytest.mark.requirement("PEN-1145")
def test_another_matter_is_reviewed_and_decided_on_the_phone_and_all_see_how(phone: Phone) -> None:
    case = filed_case(phone.office.town)
    page = phone.open("officer", f"/cases/{case.case_id}/matters/case_matters/other_matter_approval")
    page.get_by_role("button", name=re.compile("^发起")).click()
    expect(page.locator("#work")).to_be_visible()
    phone.press(case, "officer", "draft", "提交审核", "请审批。", {"matter_title": "延长证据保存期限", "content": "请批准延长先行登记保存的期限。"})
    phone.look(case, "head", "office_review")
    case.back("head", "office_review", "draft", "请写明依据。")
    phone.press(case, "officer", "draft", "提交审核", "已补充。")
    phone.press(case, "head", "office_review", "初审通过")
    phone.look(case, "section_head", "section_head_review")
    case.back("section_head", "section_head_review", "draft", "请写明期限。")
    phone.press(case, "officer", "draft", "提交审核", "已补充。")
    phone.press(case, "head", "office_review", "初审通过")
    phone.press(case, "section_head", "section_head_review", "审核通过")
    phone.press(case, "chief", "agency_approval", "不同意", "不符合规定。")
    for login in ("officer", "head", "section_head", "chief"):
        expect(phone.open(login, f"/cases/{case.case_id}").locator("main")).to_contain_text("不符合规定。")


@pytest.mark.requirement("PEN-1140")
def test_a_correction_goes_through_its_eight_pages_on_the_phone(phone: Phone) -> None:
    case = filed_case(phone.office.town)
    applied(phone, case, "data_correction")
    phone.press(case, "head", "office_review", "初审通过")
    phone.press(case, "staff", "section_accept", "接受")
    phone.write(case, "section_head", "section_dispatch", {"reviewer": str(case.actor("staff").person_id)}, "dispatch")
    phone.press(case, "staff", "section_review", "退回重新分派", "请另派他人。")
    phone.write(case, "section_head", "section_dispatch", {"reviewer": str(case.actor("staff").person_id)}, "dispatch")
    phone.press(case, "staff", "section_review", "审核通过")
    phone.press(case, "section_head", "section_confirm", "确认")
    phone.press(case, "chief", "agency_approval", "批准")
    phone.write(case, "officer", "enter", {"cause": "销售不合格产品", "domain": "product_quality"})
    phone.press(case, "head", "verify", "核对无误，生效")
    assert (case.waiting(), case.records("case_filing__penalty_case")[0]["cause"]) == (set(), "销售不合格产品")


@pytest.mark.requirement("PEN-1142")
def test_a_consultation_goes_to_the_city_and_its_reply_is_read_on_the_phone(phone: Phone) -> None:
    town = phone.office.town
    hire(town, "city_head", "方知微", "city", "bureau_head")
    hire(town, "city_joint", "宋怀川", "city_section", "section_staff")
    hire(town, "city_joint_head", "柳明棠", "city_section", "section_head")
    case = filed_case(town)
    case.bureau.actors |= {login: town.actor(login) for login in ("city_head", "city_joint", "city_joint_head")}
    applied(phone, case, "penalty_consultation")
    phone.look(case, "head", "office_review")
    case.back("head", "office_review", "draft", "请补充事实。")
    phone.press(case, "officer", "draft", "报送审核", "已补充。")
    for verdict in ("退回提请会审的人", "出具会审意见"):
        phone.write(case, "head", "office_review", {"joint_unit": str(town.units["city_section"])}, "joint")
        phone.press(case, "city_joint", "joint_staff_review", "提出会审意见", "建议按一个违法行为处理。")
        phone.press(case, "city_joint_head", "joint_head_review", verdict, "请写明数额。")
    phone.press(case, "head", "submit_on", "继续报批")
    phone.press(case, "section_head", "section_head_review", "同意" if phone.look(case, "section_head", "section_head_review").locator(".outcomes").get_by_role("button", name=re.compile("^同意")).count() else "审核通过")
    phone.press(case, "city_head", "city_approval", "同意", "同意按一个违法行为处理。")
    page = phone.look(case, "officer", "view_reply")
    expect(page.locator("main")).to_contain_text("同意按一个违法行为处理。")
    case.do("officer", "view_reply", "submit", {"arrangement": "按批复办理。"})
    assert case.waiting() == set()


def found_city(town: Any) -> Walker:
    """The city's departments with their people and its seal."""
    at = town.app.clock.now()
    with town.app.db.begin() as connection:
        town.units["city_food"] = create_unit(
            connection, parent_id=town.units["city"], bureau="market_regulation", kind="section", code="city_food", name="市局食品处", short_name="食品处", number_word="", at=at)
        seal = create_unit_seal(town.app, connection, unit_id=town.units["city"], kind="unit_official", valid_from=SINCE, valid_until=UNTIL, at=at, demo=True)
        grant_seal(connection, seal_id=seal, valid_from=SINCE, post="bureau_head")
    for login, name, unit, post in CITY:
        hire(town, login, name, unit, post)
    logins = ("officer", "head", "staff", "section_head", "chief", "other_officer", "other_head", *(row[0] for row in CITY))
    return Walker(town.app, Bureau(units=town.units, actors={login: town.actor(login) for login in logins}))


@pytest.mark.requirement("PEN-1141")
def test_an_assignment_is_asked_for_drafted_reviewed_approved_and_taken_over_on_the_phone(phone: Phone) -> None:
    town = phone.office.town
    walk = found_city(town)
    phone.open("staff", "/start/case_assignment/case_assignment")
    walk.start("staff", "case_assignment.case_assignment", {
        "title": "某公司涉嫌虚假宣传", "city_unit": str(town.units["city_section"]), "district_unit": str(town.units["district"]), "agreed": "negotiated",
        "agreed_on": "2026-11-19", "matter": "网店宣称产品能治病。", "reason": "违法行为发生地在本区。", "attachments": proof(walk),
    })
    phone.press(walk, "section_head", "office_review", "审核通过，报市局")
    phone.write(walk, "city_chief", "city_dispatch", {"city_officer": id_of(walk, "city_clerk")})
    for verdict in ("不通过，退回经办人修改", "会审通过，报市局领导"):
        phone.write(walk, "city_clerk", "draft_paper", PAPER)
        phone.write(walk, "city_chief", "city_review", {"joint_unit": str(town.units["city_food"])})
        phone.write(walk, "city_joint_chief", "joint_dispatch", {"joint_officer": id_of(walk, "city_joint")})
        phone.press(walk, "city_joint", "joint_opinion", "提出会审意见", "请写明报告期限。")
        phone.press(walk, "city_joint_chief", "joint_review", verdict, "请补充。")
    phone.press(walk, "city_head", "city_approval", "不予批准", "请补充法律依据。")
    phone.write(walk, "city_clerk", "draft_paper", {**PAPER, "requirements": "请依据广告法核查处理。"})
    phone.write(walk, "city_chief", "city_review", {"joint_unit": str(town.units["city_food"])})
    phone.write(walk, "city_joint_chief", "joint_dispatch", {"joint_officer": id_of(walk, "city_joint")})
    phone.press(walk, "city_joint", "joint_opinion", "提出会审意见", "已补充。")
    phone.press(walk, "city_joint_chief", "joint_review", "会审通过，报市局领导", "同意。")
    phone.press(walk, "city_head", "city_approval", "批准")
    assert walk.case()["state"] == "approved"
    phone.write(walk, "city_clerk", "final_paper", {**PAPER, "report_by": "2027-01-31"})
    phone.office.work()
    phone.write(walk, "staff", "take_over", {"station": str(town.units["station_two"]), "assigned_on": "2026-11-20", "received_on": "2026-11-20"})
    clue = follow(walk)
    phone.write(clue, "other_head", "appoint", {"officer": id_of(walk, "other_officer"), "received_on": "2026-11-20"})
    phone.look(clue, "other_officer", "verify")


@pytest.mark.requirement("PEN-1134")
def test_filing_no_filing_and_merging_are_applied_for_and_approved_on_the_phone(phone: Phone) -> None:
    town = phone.office.town
    logins = ("officer", "officer_two", "head", "staff", "section_head", "joint_staff", "joint_head", "chief")
    filed: UUID | None = None
    for outcome in ("file", "no_filing", "merge"):
        walk = Walker(town.app, Bureau(units=town.units, actors={login: town.actor(login) for login in logins}))
        walk.bureau.actors["second"] = town.actor("officer_two")
        walk.start("officer", "case_filing.clue_intake", REGISTRATION)
        phone.write(walk, "officer", "verify", HANDLING, outcome)
        given = {"file": lambda: filing(walk), "no_filing": no_filing, "merge": lambda: merge_filing(str(filed))}[outcome]()  # noqa: B023
        phone.write(walk, "officer", "draft", given)
        phone.press(walk, "head", "office_review", "审核通过")
        phone.press(walk, "staff", "section_review", "初审通过")
        phone.write(walk, "section_head", "section_head_review", {"joint_unit": str(town.units["quality_section"])}, "joint")
        phone.press(walk, "joint_staff", "joint_staff_review", "会审通过")
        phone.press(walk, "joint_head", "joint_head_review", "会审通过")
        phone.press(walk, "chief", "agency_approval", "同意")
        filed = filed or walk.links()["became"]
        assert walk.waiting() == set()
