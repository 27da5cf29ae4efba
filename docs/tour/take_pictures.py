"""Takes the pictures of the tour from a running demo city.

    ./run --port 8020 --data <an empty folder>
    .venv/bin/python docs/tour/take_pictures.py http://127.0.0.1:8020

It files one clue along the way, up to the sealed form, so use a data folder of its own. Chromium must be on the PATH.
"""
from __future__ import annotations

import io
import re
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
PASSWORD = "Guicheng-2026"  # noqa: S105 the demo city's one password, printed by ./run
LARGEST = 200_000
TITLE = "反映麦浪面包房销售超过保质期的蛋糕"
PASTED = "上海麦浪食品有限公司 统一社会信用代码 91310199MA00003179 法定代表人 麦小满 住所 上海市静安区云汀路128号底层"
OFFICER, HEAD = "jingan.suo1.chengban1", "jingan.suo1.fuzeren"
STAFF, SECTION_HEAD = "jingan.shipin.jingban", "jingan.shipin.fuzeren"
JOINT_STAFF, JOINT_HEAD, CHIEF = "jingan.zhiliang.jingban", "jingan.zhiliang.fuzeren", "jingan.juzhang"


class Tour:
    """One page per person; ``url`` is the demo's address."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url.rstrip("/")
        self.number = self.case = ""
        self._pages: dict[tuple[str, int], Page] = {}

    def page(self, login: str = "", width: int = 1280) -> Page:
        if (login, width) not in self._pages:
            page = self.browser.new_context(viewport={"width": width, "height": 800}, locale="zh-CN", timezone_id="Asia/Shanghai").new_page()
            self._pages[login, width] = page
            if login:
                page.goto(f"{self.url}/login")
                page.fill("#u", login)
                page.fill("#p", PASSWORD)
                page.get_by_role("button", name="登录", exact=True).click()
                page.wait_for_url("**/desk")
        return self._pages[login, width]

    def take(self, login: str) -> Page:
        """Open the row of the clue on the desk of ``login``."""
        page = self.page(login)
        page.goto(f"{self.url}/desk")
        page.locator(".q").filter(has_text=self.number).locator("a.t").click()
        page.locator("#work").wait_for()
        page.wait_for_load_state()
        return page

    def act(self, page: Page, words: str, opinion: str = "") -> None:
        if opinion:
            page.locator("#work textarea[name=opinion]").fill(opinion)
        with page.expect_navigation():
            page.locator(".outcomes").get_by_role("button", name=re.compile(f"^{words}")).click()
            if page.locator("dialog[open]").count():
                page.locator("dialog[open] button[value=yes]").click()
        page.locator(".note-bar.ok").wait_for()


def shoot(page: Page, name: str) -> None:
    """A PNG of the window; fewer colours when it would be too heavy."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    picture = Image.open(io.BytesIO(page.screenshot()))
    for colours in (0, 256, 128, 64):
        held = io.BytesIO()
        (picture.convert("RGB").quantize(colours) if colours else picture).save(held, "PNG", optimize=True)
        if held.tell() <= LARGEST:
            break
    (HERE / f"{name}.png").write_bytes(held.getvalue())
    print(f"{name}.png {held.tell() // 1000} kB")  # noqa: T201


def choose(page: Page, field: str, typed: str) -> None:
    page.locator(f"[data-field={field}] [role=combobox]").fill(typed)
    page.locator("[role=option]:visible").first.click()


def walk(tour: Tour) -> None:
    page = tour.page()
    page.goto(f"{tour.url}/login")
    shoot(page, "1-login")
    officer = tour.page(OFFICER)
    shoot(officer, "2-desk")
    register(tour, officer)
    apply(tour, officer)
    up_to_joint_review(tour)
    tour.act(tour.take(JOINT_STAFF), "退回科室工作人员", "请补充抽样情况。")
    tour.act(tour.take(STAFF), "初审通过", "已补充抽样情况。")
    tour.act(tour.take(SECTION_HEAD), "审核通过", "请质量科会审。")
    tour.act(tour.take(JOINT_STAFF), "会审通过", "会审同意。")
    tour.act(tour.take(JOINT_HEAD), "会审通过", "会审同意。")
    approve(tour)
    show_paper(tour, officer)
    officer.goto(f"{tour.url}/processes/approval/chain")
    officer.locator(".canvas svg .djs-shape, [data-diagram] svg .djs-shape").first.wait_for()
    shoot(officer, "8-processes")


def register(tour: Tour, page: Page) -> None:
    page.goto(f"{tour.url}/start/case_filing/clue_intake")
    choose(page, "source", "投诉")
    page.fill("#f-title", TITLE)
    page.fill("#f-content", "11月18日在麦浪面包房购得蛋糕一盒，标注的保质期已过三天，附购物小票。")
    page.fill("#f-party-paste", PASTED)
    page.keyboard.press("Tab")
    page.locator("#f-party-representative").wait_for()
    page.locator("[data-saved]", has_text="保存").first.wait_for()
    page.locator("#f-party-name").scroll_into_view_if_needed()
    shoot(page, "3-intake")
    tour.act(page, "登记")
    tour.number = page.locator(".facts dd.nb").inner_text().replace(" ", "")


def apply(tour: Tour, page: Page) -> None:
    page.fill("#f-findings", "现场检查，货架上待售的吐司面包18袋超过标注的保质期，货值金额216元。")
    choose(page, "violation", "bzq")
    page.wait_for_timeout(800)
    tour.act(page, "拟立案")
    choose(page, "officer_one", "季如")
    choose(page, "officer_two", "俞北")
    tour.act(page, "提交审核", "符合立案条件，请审批。")
    tour.case = page.url
    shoot(page, "4-case")


def up_to_joint_review(tour: Tour) -> None:
    tour.act(tour.take(HEAD), "审核通过", "事实清楚，同意上报。")
    tour.act(tour.take(STAFF), "初审通过", "材料齐全，程序合法。")
    page = tour.take(SECTION_HEAD)
    choose(page, "joint_unit", "质量")
    tour.act(page, "审核通过", "请质量科会审。")


def approve(tour: Tour) -> None:
    """The list of the direct return; then the approval after all."""
    page = tour.take(CHIEF)
    page.locator(".actbar summary", has_text="退回").click()
    page.locator("#back-button").wait_for()
    shoot(page, "5-return")
    page.keyboard.press("Escape")
    tour.act(page, "同意", "同意立案。")


def show_paper(tour: Tour, page: Page) -> None:
    page.goto(tour.case)
    page.get_by_role("tab", name=re.compile("文书")).click()
    page.locator("#pane-documents").get_by_role("link", name=re.compile("立案审批表")).first.click()
    page.get_by_role("link", name="看核验页").wait_for(timeout=60_000)
    page.locator(".papers img").first.wait_for(timeout=60_000)
    shoot(page, "6-approval-form")
    phone = tour.page(width=390)
    phone.goto(tour.url + str(page.get_by_role("link", name="看核验页").get_attribute("href")))
    shoot(phone, "7-verify")


def main() -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        walk(Tour(browser, sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"))
        browser.close()


if __name__ == "__main__":
    main()
