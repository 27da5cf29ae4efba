"""Illegal buildings on a phone: reported with photos, moved, taken out, verified in the field, checked, corrected, queried, counted, urged."""
from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from engine.storage.tables.cases import attachment
from engine.storage.tables.organisation import account
from engine.storage.tables.runtime import task
from tests.journeys.office import NARROW, Desk, Office
from tests.packs.illegal_building.points import items, make, point, record, records
from tests.packs.illegal_building_overview.test_overview import SUBJECTS
from tests.packs.oversight.orders import Overseer, give_seals
from tests.packs.walk import Walker
from tests.town import Town

pytestmark = pytest.mark.browser
POINT, SAMPLE, SUPERVISED = "illegal_building.point", "illegal_building_sampling.sample_case", "/registers/oversight/oversight_case"
LIST = "/registers/illegal_building/point"


@pytest.fixture
def walk(squads: Walker) -> Overseer:
    give_seals(squads)
    with squads.app.db.begin() as connection:
        known = connection.scalar(select(account.c.password_hash).where(account.c.login == "city_works"))
        connection.execute(update(account).where(account.c.login == "a_boss").values(password_hash=known))
    return Overseer(squads.app, squads.bureau)


@pytest.fixture
def office(walk: Overseer, chromium: Browser) -> Iterator[Office]:
    opened = Office(Town(walk.app, units=walk.bureau.units), chromium)
    opened.open()
    yield opened
    opened.close()
    assert opened.troubles == []


@cache
def taken() -> bytes:
    """A picture wider than what is kept, as a phone takes it."""
    made = io.BytesIO()
    Image.frombytes("RGB", (65, 49), Random(7).randbytes(65 * 49 * 3)).resize((2600, 1960)).save(made, "JPEG", quality=80)
    return made.getvalue()


def photo(path: Path) -> Path:
    path.write_bytes(taken() + path.name.encode())
    return path


def well(page: Page, *, look: bool = False) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url
    if look:
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def fill(page: Page, **values: str) -> None:
    for field, value in values.items():
        page.locator(f"[data-field={field}] input:not([type=hidden]):not([type=radio]), [data-field={field}] textarea").first.fill(value)


def add_photo(page: Page, path: Path) -> None:
    page.locator("[data-field=photos] [data-pick]").set_input_files(path)
    expect(page.locator("[data-field=photos] .shots li a.shot")).to_have_count(page.locator("[data-field=photos] .shots li:not(.picker)").count())
    expect(page.locator("[data-field=photos] [data-busy]")).to_have_count(0)


def send(desk: Desk, words: str = "提交") -> None:
    with desk.page.expect_navigation():
        desk.button(words).click()
        if desk.page.locator("dialog[open]").count():
            desk.page.locator("dialog[open] button[value=yes]").click()


@pytest.mark.requirement("CMD-038")
@pytest.mark.requirement("CMD-039")
def test_a_point_is_reported_moved_verified_and_taken_out_on_the_phone(office: Office, walk: Overseer, tmp_path: Path) -> None:
    street = office.sit("a1_street", size=NARROW)
    page = street.visit("/start/illegal_building/point_intake").page
    fill(page, title="叶家宅路 12 号楼顶搭建", found_on="2027-01-01")
    add_photo(page, photo(tmp_path / "东侧.jpg"))
    add_photo(page, photo(tmp_path / "西侧.jpg"))
    street.button("登记").click()
    expect(page.locator("[data-field=found_on] .err")).to_contain_text("不能晚于今天")
    for missing in ("kind", "address", "area"):
        expect(page.locator(f"[data-field={missing}] .err")).to_be_visible()
    page.get_by_text("新增违建", exact=True).first.click()
    fill(page, found_on="2026-11-18", address="东街道某路 12 号", area="36.5", location="121.4500")
    page.get_by_label("纬度", exact=True).fill("31.2300")
    well(page, look=True)
    send(street, "登记")
    id = records(walk, POINT)[-1]["id"]
    with walk.app.db.connect() as connection:
        stored = Image.open(walk.app.blobs.path(connection.scalars(select(attachment.c.sm3).where(attachment.c.record_id == id)).first()))
    assert max(stored.size) <= 2560

    page = street.visit(f"{LIST}?q=叶家宅路").page
    page.get_by_role("link", name=re.compile("叶家宅路")).first.click()
    expect(page.locator("img[alt='东侧.jpg']")).to_be_visible()
    well(page)
    page.get_by_role("link", name="申请修改").click()
    fill(page, reason="位置偏了三十米。", location="121.4512")
    page.get_by_label("纬度", exact=True).fill("31.2311")
    send(street)
    approve(walk)
    assert record(walk, POINT, id)["location"]["lon"] == pytest.approx(121.4512)

    page = street.visit(f"/start/illegal_building/field_check?f.point={id}").page
    page.locator("[data-field=finding]").get_by_text("与登记相符").click() if page.locator("[data-field=finding] label").count() > 1 else page.locator("[data-field=finding] select").select_option("same")
    fill(page, opinion="东侧一张拍错了，换一张。")
    page.locator("[data-field=held] li").filter(has_text="东侧.jpg").get_by_label("删去").check()
    add_photo(page, photo(tmp_path / "正面.jpg"))
    well(page)
    send(street)
    approve(walk)
    assert [one["name"] for one in record(walk, POINT, id)["photos"]] == ["西侧.jpg", "正面.jpg"]
    page = street.visit(f"{LIST}/{id}").page
    expect(page.get_by_text("已删去的照片和材料（1）")).to_be_visible()

    page.get_by_role("link", name="申请修改").click()
    page.get_by_text("删除", exact=True).first.click()
    fill(page, reason="与另一处重复。")
    send(street)
    approve(walk)
    expect(street.visit(f"{LIST}?q=叶家宅路").page.get_by_role("link", name=re.compile("叶家宅路 12 号"))).to_have_count(0)


def approve(walk: Walker) -> None:
    with walk.app.db.connect() as connection:
        walk.case_id = connection.scalar(select(task.c.case_id).where(task.c.node == "district_review", task.c.status == "open"))
    walk.do("a_chief", "district_review")


@pytest.mark.requirement("CMD-040")
@pytest.mark.requirement("CMD-041")
def test_opinions_of_checks_are_given_corrected_and_taken_out_on_the_phone(office: Office, walk: Overseer, tmp_path: Path) -> None:
    sampled(walk)
    city = office.sit("city_works", size=NARROW)
    page = city.visit("/registers/illegal_building_sampling/sample_case").page
    well(page)
    page.get_by_role("link", name=re.compile("西侧加建")).last.click()
    expect(page.locator("#work, dl.kv").first).to_be_visible()
    page = city.visit(f"/cases/{walk.case_id}").page
    (page.locator("[data-field=finding] select").select_option("real") if page.locator("[data-field=finding] select").count() else page.locator("[data-field=finding] label").get_by_text("属实").first.click())
    fill(page, situation="残留已清。", opinion="同意结案。")
    add_photo(page, photo(tmp_path / "核查.jpg"))
    add_photo(page, photo(tmp_path / "多余.jpg"))
    send(city)
    correct(city, walk.case_id, opinion="同意结案，照片已核。", drop="多余.jpg")
    (kept,) = records(walk, SAMPLE)
    assert (kept["opinion"], [one["name"] for one in kept["photos"]]) == ("同意结案，照片已核。", ["核查.jpg"])
    take_out(city, walk.case_id)
    (kept,) = records(walk, SAMPLE)
    assert (kept["opinion"], kept["photos"], kept["finding"]) == (None, None, "real")

    supervised(walk)
    page = city.visit(f"/cases/{walk.case_id}").page
    fill(page, checkers="温如岚", check_words="北侧残留两米。", opinion="继续督办。")
    add_photo(page, photo(tmp_path / "督办.jpg"))
    send(city, "处置不彻底")
    correct(city, walk.case_id, opinion="限五日拆除到位。", drop="督办.jpg")
    (check,) = walk.table("oversight_check")
    assert (check["opinion"], check["photos"], check["counted"]) == ("限五日拆除到位。", None, True)
    take_out(city, walk.case_id)
    assert walk.table("oversight_check")[0]["opinion"] is None


def correct(desk: Desk, case_id: Any, *, opinion: str, drop: str) -> None:
    page = desk.visit(f"/cases/{case_id}?tab=forms").page
    page.get_by_role("link", name="现场核查").first.click()
    page.get_by_role("link", name="更正").click()
    fill(page, opinion=opinion)
    page.locator("[data-field=photos] .shots li").filter(has=page.locator(f"a[aria-label*='{drop}']")).locator("[data-remove-upload]").click()
    page.get_by_role("textbox", name="为什么更正").fill("照片传错了。")
    well(page, look=opinion.startswith("同意"))
    with page.expect_navigation():
        page.get_by_role("button", name="保存更正").click()
    expect(page.locator(".note-bar.ok")).to_contain_text("已更正")


def take_out(desk: Desk, case_id: Any) -> None:
    page = desk.visit(f"/cases/{case_id}?tab=forms").page
    page.get_by_role("link", name="现场核查").first.click()
    page.get_by_role("link", name="更正").click()
    page.get_by_text("删除这份意见").click()
    page.get_by_label("为什么删除").fill("不是这一处。")
    with page.expect_navigation():
        page.get_by_role("button", name="删除", exact=True).click()
    expect(page.locator(".note-bar.ok")).to_contain_text("已删除")


def sampled(walk: Overseer) -> None:
    point(walk, status="filed")
    standard = make(walk, "illegal_building_sampling.standard", unit="CG-CW", title="标准", kind="stock", statuses=["filed"], number=1, **{"from": "2026-01-01"})
    walk.start("city_works", "illegal_building_sampling.sampling", {"title": "抽样", "standard": str(standard)})
    walk.do("city_works", "screen", "confirm", {})
    (walk.case_id,) = items(walk)


def supervised(walk: Overseer) -> None:
    walk.start("city_works", "illegal_building_oversight.city_oversight", {"point": str(point(walk)), "title": "西侧加建督办", "why": "市民反映。"})
    walk.do("city_works", "decide", "submit", walk.order(level="city", target="CG-A"))
    walk.do("city_boss", "sign", "issue")
    walk.reply(who="a_works")


@pytest.mark.requirement("CMD-056", "CMD-057", "CMD-058", "CMD-059")
def test_queries_figures_and_urging_on_the_phone(office: Office, walk: Overseer) -> None:
    for kind in ("new", "stock"):
        point(walk, kind=kind, title=f"{kind} 一处", area=30)
    for level, who, boss, target in (("city", "city_works", "city_boss", "CG-A"), ("district", "a_works", "a_boss", "CG-A-J1")):
        walk.start(who, f"illegal_building_oversight.{level}_oversight", {"point": str(point(walk)), "title": f"{level} 督办", "why": "市民反映。"})
        walk.do(who, "decide", "submit", walk.order(level=level, target=target, subject=f"{level} 督办"))
        walk.do(boss, "sign", "issue")
    city = office.sit("city_works", size=NARROW)
    page = city.visit("/dashboards/illegal_building_overview/board").page
    assert page.locator(".tile h2").all_inner_texts()[:7] == list(SUBJECTS)
    well(page)
    for title, kind in (("新增违建", "new"), ("存量违建", "stock")):
        page = city.visit("/dashboards/illegal_building_overview/queries").page
        page.get_by_role("link", name=title).click()
        expect(page.get_by_text(f"{kind} 一处")).to_be_visible()
        page.get_by_role("link", name="统计", exact=True).first.click()
        expect(page.locator("table")).to_contain_text("3" if kind == "stock" else "1")
        well(page)
    page = city.visit(f"{SUPERVISED}?f.level=district&f.state=waiting").page
    expect(page.get_by_text("city 督办")).to_have_count(0)
    well(page, look=True)
    page.locator(f"tbody a[href*='{SUPERVISED}/']").first.click()
    page.get_by_text("催办", exact=True).first.click()
    page.get_by_label("催办内容").fill("请三日内回复。")
    with page.expect_navigation():
        page.get_by_role("button", name="催办承办人").click()
    expect(page.locator(".note-bar.ok")).to_contain_text("已催办")
    assert any("请三日内回复" in text for text in walk.notices("a1_street"))
    assert "催办承办人" not in office.sit("a1_street", size=NARROW).visit(page.url.removeprefix(office.url)).page.content()
