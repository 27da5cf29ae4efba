"""axe finds nothing on any page an officer meets, wide or narrow; nothing has to be pushed sideways on a phone."""
from __future__ import annotations

from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from sqlalchemy import select

from engine.storage.tables.documents import document
from tests.engine.runtime.walk import HANDLING, application, do, start_clue
from tests.journeys.office import NARROW, WIDE, Office

pytestmark = pytest.mark.browser


def file_a_case(office: Office) -> tuple[UUID, UUID, str]:
    """A sealed 立案审批表: the clue's case, the document and its code."""
    town = office.town
    clue = start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town), opinion="符合立案条件。")
    do(town, "head", "office_review")
    do(town, "staff", "section_review")
    do(town, "section_head", "section_head_review", "joint", data={"joint_unit": str(town.units["quality_section"])})
    do(town, "joint_staff", "joint_staff_review")
    do(town, "joint_head", "joint_head_review")
    do(town, "chief", "agency_approval")
    office.work()
    with town.app.db.connect() as connection:
        found = connection.execute(select(document.c.id, document.c.check_code).where(document.c.state == "issued")).one()
    return clue.case_id, found.id, found.check_code


def test_every_page_is_accessible(office: Office) -> None:
    filed, paper, code = file_a_case(office)
    waiting = start_clue(office.town, data={"title": "餐具未经清洗消毒"}).case_id
    stranger, page = office.stranger(), office.sit("officer").page
    found = []
    for path in ("/login", f"/v/{code}", "/v/A2B3-C4D5-E6F7-G8H9"):
        found += judge(stranger, office.url + path)
    for path in (
        "/desk", "/desk?box=done", "/start", "/start/case_filing/clue_intake", f"/cases/{waiting}", f"/cases/{filed}?tab=documents", f"/cases/{filed}?tab=log",
        f"/documents/{paper}", "/cases", "/processes", "/processes/case_filing/clue_intake", "/registers", "/registers/case_filing/penalty_case",
        "/search?q=麦浪", "/notices", "/me", "/me/password",
    ):
        found += judge(page, office.url + path)
    page.goto(f"{office.url}/start/case_filing/clue_intake")
    page.locator(".outcomes button").first.click()
    page.locator(".errsum").wait_for()
    found += violations(page, "refused form")
    assert found == []
    stranger.context.close()


def judge(page: Page, url: str) -> list[str]:
    """What is wrong with the page in a wide window, then in one as wide as a phone."""
    page.goto(url)
    page.wait_for_load_state("networkidle")
    return violations(page, url)


def violations(page: Page, where: str) -> list[str]:
    found = []
    for width, height in (NARROW, WIDE):
        page.set_viewport_size({"width": width, "height": height})
        found += _violations(page, f"{where} at {width} px")
    return found


def _violations(page: Page, where: str) -> list[str]:
    """One line for each rule that is broken, and one when the page is wider than its window."""
    found = [
        f"{where}: {rule['id']} ({rule['help']}): {[node['html'][:160] for node in rule['nodes'][:3]]}"
        for rule in Axe().run(page).response["violations"]
    ]
    wide, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return [*found, f"{where}: {wide} px wide in a window of {window}"] if wide > window else found
