"""Two ordinary cases to 结案, one through a hearing, one in silence after an announcement: what decides them is pressed in a browser.

The party acts at the width of a phone. Steps that decide nothing are done through the runtime, and the clock passes the days.
"""
from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from engine.kernel.clock import FixedClock
from integrations.real_name.simulator import make_server
from tests.journeys.office import NARROW, Desk, Office
from tests.packs.ordinary_case import answers
from tests.packs.ordinary_case.case import OrdinaryCase, ordinary_case
from tests.packs.ordinary_case.test_ways import HEAVY
from tests.packs.serving_documents.conftest import ServedCase
from tests.packs.serving_documents.test_online import code_of

pytestmark = pytest.mark.browser
TITLE = "经营超过保质期的食品"
PASSWORD = "Mailang-2026"


class Case(OrdinaryCase):
    """An ordinary case whose deciding steps are done at ``office``."""

    office: Office

    def decides(self, login: str, *words: str, size: tuple[int, int] = (1440, 900)) -> Desk:
        """``login``, newly signed in as the day has passed, takes the step and presses the button."""
        desk = Desk(self.office, login, self.office.stranger(size))
        desk.sign_in()
        desk.take(TITLE)
        for button in words:
            desk.press(button)
        desk.page.context.close()
        return desk

    def chain(self, data: dict[str, object], *, returned: bool = False) -> None:
        """As in a case of the runtime, but the chief decides at the screen."""
        self.do("officer", "draft", "submit", data)
        for login, node in (("head", "office_review"), ("staff", "section_review")):
            self.do(login, node)
        self.do("section_head", "section_head_review", "joint", {"joint_unit": str(self.bureau.units["quality_section"])})
        for login, node in (("joint_staff", "joint_staff_review"), ("joint_head", "joint_head_review")):
            self.do(login, node)
        self.decides("chief", "同意")

    def closes(self) -> None:
        """Paid, published on its day, closed by the chief on a phone, archived by the archivist; the case page says so."""
        self.executed()
        self.published()
        self.do("officer", "draft", "submit", answers.closing("executed"))
        self.to_the_chief()
        self.decides("chief", "同意", size=NARROW)
        assert self.case()["state"] == "closed"
        self.archived()
        desk = Desk(self.office, "officer", self.office.stranger())
        desk.sign_in()
        expect(desk.visit(f"/cases/{self.case_id}").page.locator("body")).to_contain_text("已归档")
        desk.page.context.close()
        assert (self.waiting(), self.incidents()) == (set(), [])
        assert {one["state"] for one in self.clocks()} <= {"met", "expired"}


@pytest.fixture
def case(office: Office, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    server = make_server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("CONNECTOR_REAL_NAME_URL", f"http://127.0.0.1:{server.server_port}")
    plain = ordinary_case(office.town, clock)
    made = Case(plain.app, plain.bureau)
    made.town, made.case_id, made.clock, made.office = plain.town, plain.case_id, clock, office
    made.run_jobs = office.work  # type: ignore[method-assign]
    yield made
    server.shutdown()
    server.server_close()


def test_a_hearing_that_the_party_asks_for_on_a_phone(case: Case) -> None:
    case.investigated(**HEAVY)
    case.do("officer", "prepare_notice", "submit", answers.notice(hearing=True))
    case.decides("chief", "同意")
    case.office.work()
    case.do("officer", "choose_route", "submit", {"route": "online"})
    case.office.work()

    page = as_the_party(case)
    sign_the_receipt(page)
    ask_for_a_hearing(page)
    page.context.close()

    assert (case.case()["state"], case.waiting()) == ("hearing", {"arrange"})
    case.hearing_arranged()
    case.wait(8)
    case.hearing_held("uphold")
    case.reviewed_by_law()
    case.decided(**HEAVY)
    case.served()
    case.closes()


def as_the_party(case: Case) -> Page:
    """Somebody who represents the factory signs up on a phone with the code on the paper."""
    page = case.office.stranger(NARROW)
    page.goto(f"{case.office.url}/party/code/{code_of(case)}")  # type: ignore[arg-type]
    page.get_by_role("link", name="第一次来，实名注册").click()
    for name, value in {"name": "白晓棠", "identifier": "110101199003070003", "phone": "13800138000", "password": PASSWORD, "again": PASSWORD}.items():
        page.locator(f"[name={name}]").fill(value)
    page.get_by_role("button", name="下一步：核验身份").click()
    sent = re.search(r"是 (\d{6})", page.locator(".told").inner_text())
    assert sent
    page.locator("[name=code]").fill(sent.group(1))
    page.get_by_role("button", name="确定").click()
    expect(page.get_by_role("heading", name="输入签收码")).to_be_visible()
    page.get_by_role("button", name="确定").click()
    expect(page.get_by_role("heading", name="等您办的")).to_be_visible()
    return page


def sign_the_receipt(page: Page) -> None:
    page.get_by_role("link", name=re.compile("线上签收")).first.click()
    page.get_by_label("是", exact=True).first.check(force=True)
    page.locator("[name='data.address']").fill("云浦区汀兰路 45 号")
    page.get_by_label("是", exact=True).last.check(force=True)
    submit(page, "签收")


def ask_for_a_hearing(page: Page) -> None:
    page.get_by_role("link", name=re.compile("您要不要陈述")).first.click()
    page.locator("label").filter(has_text=re.compile("^要求听证$")).click()
    page.locator("[name='data.statement']").fill("罚款数额过高，要求听证。" * 100)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    submit(page, "提交")


def submit(page: Page, words: str) -> None:
    page.get_by_role("button", name=words, exact=True).click()
    page.locator("dialog[open] button[value=yes]").click()
    expect(page.locator("p.told")).to_contain_text("已经提交", timeout=30_000)


def test_a_party_that_cannot_be_found_is_served_by_announcement_and_stays_silent(case: Case) -> None:
    case.investigated()
    case.do("officer", "prepare_notice", "submit", answers.notice())
    case.decides("chief", "同意")
    case.seal()
    case.do("officer", "choose_route", "submit", {"route": "offline"})
    case.do("officer", "serve_offline", "unreachable", {}, opinion="登记地址已无人经营，电话停机。")
    case.do("officer", "apply_announcement", "submit", {"ground": "missing", "course": "两次上门、一次邮寄均未送达。", "content": "请于公告期内到本局领取。"})
    case.do("head", "review_announcement", "approve", {"comment": "同意。"})
    pick_the_posting(case)
    posted = {"published_on": case.today.isoformat(), "posted_by": "顾明川、程砚白", "places": "本局公告栏；受送达人住所地", "photos": ServedCase.picture(case)}  # type: ignore[arg-type]
    case.do("officer", "record_posting", "submit", posted)

    end = next(row for row in case.clocks() if "announcement" in row["clock"])["due_on"]
    case.go_to(end)
    assert case.case()["state"] == "notifying" and "reply_online" not in case.waiting()
    case.go_to(end + timedelta(days=1))
    assert case.records("serving_documents__service_record")[0]["served_on"] == end
    case.silent()
    assert "evidence_gate" in case.waiting()
    case.decided()
    case.served()
    case.closes()


def pick_the_posting(case: Case) -> None:
    """The approver picks how to announce."""
    desk = Desk(case.office, "chief", case.office.stranger())
    desk.sign_in()
    desk.take(TITLE)
    desk.page.get_by_label("张贴公告", exact=True).check(force=True)
    desk.press("同意")
    desk.page.context.close()
