"""Officers keep the gas registers on a phone: a new record, found again, opened, nothing to push sideways."""
from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.journeys.office import NARROW, Office
from tests.packs.walk import Walker
from tests.town import Town

pytestmark = pytest.mark.browser
LIBRARIES = ("transport_company", "transport_vehicle", "gas_company", "gas_station", "gas_facility", "gas_worker")


@pytest.fixture
def office(squads: Walker, chromium: Browser) -> Iterator[Office]:
    opened = Office(Town(squads.app, units=squads.bureau.units), chromium)
    opened.open()
    yield opened
    opened.close()
    assert opened.troubles == []


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url


@pytest.mark.requirement("CMD-236")
def test_a_company_and_a_vehicle_from_the_street(office: Office) -> None:
    officer = office.sit("a1_officer", size=NARROW)
    page = officer.visit("/registers/gas_objects/transport_company").page
    page.get_by_role("link", name="登记", exact=True).click()
    page.get_by_label("企业名称").fill("申北燃气运输")
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_role("heading", name="申北燃气运输")).to_be_visible()
    officer.visit("/registers/gas_objects/transport_vehicle/new")
    page.get_by_label("车牌号").fill("沪A12345")
    officer.choose("company", "申北")
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_role("heading", name="沪A12345")).to_be_visible()
    page.get_by_role("link", name="申北燃气运输").click()
    expect(page.get_by_role("link", name="沪A12345")).to_be_visible()
    for name in LIBRARIES:
        officer.visit(f"/registers/gas_objects/{name}")
        fits(page)
        officer.visit(f"/registers/gas_objects/{name}/new")
        fits(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
