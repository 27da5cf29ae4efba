"""A district's points come from Excel, the year is assessed, the report goes out: everything on the pages, the districts on their phones."""
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import xlsxwriter
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from engine.storage.tables.organisation import account
from tests.journeys.office import NARROW, Desk, Office
from tests.packs.oversight.orders import give_seals
from tests.packs.walk import Walker
from tests.town import Town

pytestmark = pytest.mark.browser
HEADS = ("点位名称", "违建类别", "处置状态", "属地街镇", "地址", "建筑面积（平方米）", "发现日期")
ROUND = "2026年拆违工作考核"


@pytest.fixture
def office(squads: Walker, chromium: Browser) -> Iterator[Office]:
    give_seals(squads)
    with squads.app.db.begin() as connection:
        known = connection.scalar(select(account.c.password_hash).where(account.c.login == "city_works"))
        connection.execute(update(account).where(account.c.login == "city_boss").values(password_hash=known))
    opened = Office(Town(squads.app, units=squads.bureau.units), chromium)
    opened.open()
    yield opened
    opened.close()
    assert opened.troubles == []


def well(page: Page) -> None:
    """Nothing sideways, nothing that axe finds."""
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_from_an_excel_file_to_the_yearly_report(office: Office, tmp_path: Path) -> None:
    street = office.sit("a1_street")
    street.visit("/registers/illegal_building/point/import").page.locator("#file").set_input_files(points(tmp_path / "points.xlsx"))
    street.page.get_by_role("button", name="上传检查").click()
    office.work()
    street.page.reload()
    street.page.get_by_role("button", name="全部导入 3 行").click()
    office.work()

    city = office.sit("city_works")
    city.visit("/start/illegal_building_assessment/demolition_assessment").page.get_by_label("考核年度").fill("2026")
    city.page.get_by_label("名称").fill(ROUND)
    city.press("开始")
    score(city)
    city.take(ROUND).press("打齐了")
    office.sit("city_chief").take(ROUND).press("同意公示")
    office.work()
    for login in ("a_works", "b_works"):
        district = office.sit(login, size=NARROW)
        district.take(ROUND).page.get_by_role("link", name="打开评分表").click()
        expect(district.page.get_by_role("heading", level=1)).to_contain_text("分")
        well(district.page)
        district.take(ROUND).press("没有异议")
    office.work()
    city.take(ROUND).press("定下结果")

    city.take(ROUND).page.get_by_role("link", name="打开报告").click()
    expect(city.page.locator(".paper-view")).to_contain_text("全年登记违法建筑 3 处")
    well(city.page)
    address = city.page.url.removeprefix(office.url)
    city.take(ROUND).press("送审")
    office.sit("city_chief").take(ROUND).press("审核通过")
    office.sit("city_boss").take(ROUND).press("签发")
    office.work()
    reader = office.sit("a_works", size=NARROW)
    expect(reader.visit(address).page.get_by_role("link", name="PDF")).to_be_visible()
    well(reader.page)
    expect(city.visit(address).page.get_by_text(re.compile("1 人已读"))).to_be_visible()


def points(path: Path) -> Path:
    """Three points as a street types them."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADS)
        for n in range(1, 4):
            sheet.write_row(n, 0, (f"东街道 {n} 号楼顶搭建", "新增违建", "待处置", "云浦区东街道拆违办", f"东街道某路 {n} 号", 20 + n, "2026-03-0" + str(n)))
    return path


def score(city: Desk) -> None:
    """Full marks for A, nine for B, with a ground."""
    city.visit("/assessments").page.get_by_role("link", name=ROUND).click()
    well(city.page)
    city.page.get_by_role("link", name="组织推进").click()
    for field, value in zip(city.page.locator("input[name^='s.']").all(), ("10", "9"), strict=True):
        field.fill(value)
    city.page.get_by_role("button", name="保存得分").click()
    expect(city.page.get_by_text("没有给满分，请写明依据").first).to_be_visible()
    for field in city.page.locator("input[name^='w.']").all():
        field.fill("见例会记录")
    city.page.get_by_role("button", name="保存得分").click()
    expect(city.page.get_by_text("分已打齐")).to_be_visible()
