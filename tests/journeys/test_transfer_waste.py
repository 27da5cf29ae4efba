"""A construction-waste case goes to another district, back, down another way, and its result up again: every kind of return, as seen on the screens."""
from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from integrations.case_system.simulator import make_server
from tests.journeys.office import NARROW, Desk, Office
from tests.packs.walk import Walker
from tests.town import Town

pytestmark = pytest.mark.browser
TITLE = "运输车辆在两区交界处倾倒工程渣土"


@pytest.fixture
def office(squads: Walker, chromium: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """The squads at their screens, with the case system on a socket."""
    server = make_server()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    monkeypatch.setenv("CONNECTOR_CASE_SYSTEM_URL", f"http://127.0.0.1:{server.server_port}")
    opened = Office(Town(squads.app, units=squads.bureau.units), chromium)
    opened.open()
    yield opened
    opened.close()
    server.shutdown()
    server.server_close()
    assert opened.troubles == []


@pytest.mark.requirement("CMD-173")
@pytest.mark.requirement("CMD-174")
def test_a_case_is_transferred_with_every_kind_of_return(office: Office) -> None:
    apply(office.sit("a1_officer"))
    review_with_returns(office)
    hand_out_with_returns(office)
    dispose_on_the_phone(office)
    review_the_result_with_returns(office)

    officer = office.sit("a1_officer")
    officer.visit("/desk?box=sent").page.get_by_role("link", name=TITLE).first.click()
    expect(officer.page.locator(".facts")).to_contain_text("已办结")
    read_the_journey(officer)


def apply(desk: Desk) -> None:
    page = desk.visit("/start/construction_waste_transfer/waste_case_transfer").page
    page.get_by_text("跨区移交", exact=True).click()
    page.locator("[data-field=target_district] [role=combobox]").click()
    expect(page.locator("[role=option]:visible")).to_have_count(2)
    desk.choose("target_district", "云浦")
    page.get_by_label("移交理由").fill("倾倒地点在临川区一侧，由违法行为发生地管辖。")
    page.get_by_label("案件名称").fill(TITLE)
    fill_place(desk)
    page.get_by_label("涉嫌违法行为").select_option(label="擅自倾倒、堆放建筑垃圾")
    page.get_by_label("基本情况").fill("巡查发现一辆自卸货车在路口东侧空地倾倒工程渣土约十二吨。")
    desk.button("提交审核").click()
    expect(page.locator(".errsum")).to_contain_text("这就是本区")
    desk.choose("target_district", "临川")
    desk.press("提交审核")
    expect(page.locator(".note-bar")).to_contain_text("周启衡")


def fill_place(desk: Desk) -> None:
    page = desk.page
    with page.expect_response(re.compile("/live$")):
        page.locator("[name='data.place.district']").select_option(label="静安区")
    expect(page.locator("[name='data.place.street'] option").nth(1)).to_be_attached()
    desk.choose("place", "江宁路")
    page.locator("[name='data.place.detail']").fill("沪太路口东侧空地")


def review_with_returns(office: Office) -> None:
    """Back to the applicant, who improves it; back from the city straight to the squad; a reviewer who says no is not tried here."""
    squad = office.sit("a1_head").take(TITLE)
    squad.button("退回提交人").click()
    expect(squad.page.locator("#op-err")).to_be_visible()
    squad.say("请写明与区界的距离。")
    squad.press("退回提交人")

    officer = office.sit("a1_officer").take(TITLE)
    expect(officer.page.locator(".say").first).to_contain_text("请写明与区界的距离。")
    expect(officer.button("删除申请")).to_be_visible()
    officer.page.get_by_label("移交理由").fill("倾倒地点在临川区一侧，距区界约五十米。")
    officer.press("提交审核")

    office.sit("a1_head").take(TITLE).press("审核通过")
    office.sit("a_head").take(TITLE).press("审核通过")
    city = office.sit("city_head").take(TITLE)
    send_back(city, "周启衡", "请核实倾倒地点。")
    for login in ("a1_head", "a_head", "city_head"):
        office.sit(login).take(TITLE).press("审核通过")


def send_back(desk: Desk, to: str, why: str) -> None:
    page = desk.page
    page.locator(".actbar summary", has_text="退回").click()
    page.get_by_label(re.compile(to)).check()
    page.locator("#whyback").fill(why)
    with page.expect_navigation():
        page.get_by_role("button", name=f"退回给 {to}").click()
    expect(page.locator(".note-bar.ok")).to_contain_text(to)


def hand_out_with_returns(office: Office) -> None:
    """Each level sends it back one level before it goes down; the officer hands it back from the phone."""
    city = office.sit("city_staff").take(TITLE)
    expect(city.page.locator("[data-field=district] [role=combobox]")).to_have_value("临川区城市管理行政执法局")
    city.press("派发区局")
    returned(office.sit("b_staff").take(TITLE), "退回市局", "请附位置图。")
    office.sit("city_staff").take(TITLE).press("派发区局")
    dispatch(office.sit("b_staff").take(TITLE), "squad", "二中队", "派发中队")
    returned(office.sit("b2_head").take(TITLE), "退回区局", "地点属于一中队。")
    dispatch(office.sit("b_staff").take(TITLE), "squad", "一中队", "派发中队")
    dispatch(office.sit("b1_head").take(TITLE), "officer", "许闻笛", "派发队员")
    returned(office.sit("b1_officer", NARROW).take(TITLE), "退回中队", "轮值指挥中心，请另派。")
    dispatch(office.sit("b1_head").take(TITLE), "officer", "罗知远", "派发队员")
    office.sit("b1_second", NARROW).take(TITLE).press("接收")
    returned(office.sit("b1_second", NARROW).take(TITLE), "退回中队重新派发", "当事人是亲属，申请回避。")
    dispatch(office.sit("b1_head").take(TITLE), "officer", "许闻笛", "派发队员")
    office.sit("b1_officer", NARROW).take(TITLE).press("接收")


def dispatch(desk: Desk, field: str, typed: str, button: str) -> None:
    desk.choose(field, typed)
    desk.press(button)


def returned(desk: Desk, button: str, why: str) -> None:
    desk.say(why)
    desk.press(button)


def dispose_on_the_phone(office: Office) -> None:
    """A number that the case system does not know comes back with the reason; then the right one."""
    desk = office.sit("b1_officer", NARROW).take(TITLE)
    page = desk.page
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    page.get_by_label("处置结果").select_option(label="已立案查处")
    page.get_by_label("处置情况").fill("现场清点渣土约十二吨，当事人到场确认，已立案。")
    page.get_by_role("textbox", name="案件编号").fill("沪城管临罚〔2026〕000000号")
    desk.press("提交处置结果")
    office.work()
    desk.visit("/notices")
    expect(page.locator("main")).to_contain_text("没有案件 沪城管临罚〔2026〕000000号")
    desk.take("案件编号没有关联上")
    page.get_by_role("textbox", name="案件编号").fill("沪城管临罚〔2026〕000123号")
    desk.press("提交处置结果")
    office.work()


def review_the_result_with_returns(office: Office) -> None:
    """From the squad to the officer, from the city straight to the district, then through."""
    returned(office.sit("b1_head").take(TITLE), "退回提交人", "请补充清运后的照片。")
    office.sit("b1_officer", NARROW).take(TITLE).press("提交处置结果")
    office.sit("b1_head").take(TITLE).press("审核通过")
    office.sit("b_head").take(TITLE).press("审核通过")
    send_back(office.sit("city_head").take(TITLE), "韩一舟", "请核对处置日期。")
    office.sit("b_head").take(TITLE).press("审核通过")
    office.sit("city_head").take(TITLE).press("审核通过")


def read_the_journey(desk: Desk) -> None:
    """Each hop with unit, person, times and stay; the returns stand out."""
    page = desk.page
    page.get_by_role("tab", name="流转").click()
    rows = page.locator("#pane-journey tbody tr")
    expect(rows.first).to_contain_text("填写移交申请")
    assert rows.count() >= 25
    for words in ("市局执法监督处", "临川区一中队", "临川区二中队", "许闻笛", "罗知远", "轮值指挥中心，请另派。"):
        expect(page.locator("#pane-journey")).to_contain_text(words)
    expect(page.locator("#pane-journey .st[data-s=late]").first).to_be_visible()
    expect(page.locator("#pane-journey p.meta")).to_contain_text("共停留")
