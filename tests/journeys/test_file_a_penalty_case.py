"""From a clue to the sealed 立案审批表, as seven people would walk it on their screens."""
from __future__ import annotations

import io
import re
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import Page, expect

from tests.journeys.office import NARROW, Desk, Office

pytestmark = pytest.mark.browser
TITLE = "反映麦浪面包房销售超过保质期的蛋糕"
PASTED = "上海麦浪食品有限公司 统一社会信用代码 91310199MA00003179 法定代表人 麦小满 住所 上海市云浦区云汀路128号底层"


def test_a_clue_becomes_a_filed_case_with_a_sealed_form(office: Office, tmp_path: Path) -> None:
    register(office.sit("officer"))
    verify(office.sit("officer"))
    apply_for_filing(office.sit("officer"))

    up_to_joint_review(office)
    send_back_from_joint_review(office)
    office.sit("staff").take(TITLE).press("初审通过")
    office.sit("section_head").take(TITLE).press("审核通过")
    pass_joint_review(office)
    return_to_the_officer(office)

    apply_again(office.sit("officer"))
    up_to_joint_review(office, again=True)
    pass_joint_review(office)
    office.sit("chief", NARROW).take(TITLE).press("同意")
    office.work()

    paper = read_paper(office.sit("officer"), tmp_path)
    check_by_anybody(office, paper)


def register(desk: Desk) -> None:
    page = desk.visit("/start/case_filing/clue_intake").page
    desk.choose("source", "投诉")
    page.get_by_label("线索名称").fill(TITLE)
    page.get_by_label("线索内容").fill("11月18日购得蛋糕一盒，标注的保质期已过三天，附购物小票。")
    page.locator("#f-party-paste").fill(PASTED)
    page.locator("#f-party-paste").press("Tab")
    expect(page.locator("[name='data.party.identifier']")).to_have_value("91310199MA00003179")
    expect(page.locator("[name='data.party.representative']")).to_have_value("麦小满")
    desk.press("登记")
    expect(page.locator(".facts")).to_contain_text("沪市监云线〔2026〕0001号")
    expect(page.locator(".clocks")).to_contain_text("还剩 15 个工作日")


def verify(desk: Desk) -> None:
    page = desk.page
    page.get_by_label("核查情况").fill("货架上待售的吐司面包18袋超过标注的保质期。")
    desk.choose("violation", "bzq")
    expect(page.locator("[data-field=domain] [role=combobox]")).to_have_value("食品安全案件")
    expect(desk.button("拟立案")).to_have_text("拟立案 → 仍由你办")
    desk.press("拟立案")


def apply_for_filing(desk: Desk) -> None:
    desk.choose("officer_one", "顾明")
    desk.choose("officer_two", "程砚")
    desk.say("符合立案条件，请审批。")
    expect(desk.button("提交审核")).to_have_text("提交审核 → 周启衡")
    desk.press("提交审核")
    expect(desk.page.locator(".note-bar")).to_contain_text("周启衡手里")


def up_to_joint_review(office: Office, *, again: bool = False) -> None:
    """Head, staff and head of the section; on the second round each step comes back to whoever did it before."""
    office.sit("head").take(TITLE).press("审核通过")
    office.sit("staff").take(TITLE).press("初审通过")
    section_head = office.sit("section_head").take(TITLE)
    if not again:
        section_head.choose("joint_unit", "质量监督科")
    section_head.press("审核通过")


def send_back_from_joint_review(office: Office) -> None:
    joint = office.sit("joint_staff").take(TITLE)
    joint.button("退回科室工作人员").click()
    expect(joint.page.locator("#op-err")).to_be_visible()
    joint.say("请补充抽样情况。")
    joint.press("退回科室工作人员")
    expect(joint.page.locator(".note-bar")).to_contain_text("现在科室工作人员初审在苏念安手里")
    expect(office.sit("staff").take(TITLE).page.locator(".say").first).to_contain_text("退回：“请补充抽样情况。”")


def pass_joint_review(office: Office) -> None:
    office.sit("joint_staff").take(TITLE).press("会审通过")
    office.sit("joint_head").take(TITLE).press("会审通过")


def return_to_the_officer(office: Office) -> None:
    """The head of the bureau returns directly; the list says what each choice undoes, a reason is wanted."""
    chief = office.sit("chief").take(TITLE)
    page = chief.page
    page.locator(".actbar summary", has_text="退回").click()
    page.get_by_label(re.compile("顾明川")).check()
    expect(page.locator(".returns:visible")).to_contain_text("每一步重走")
    page.get_by_role("button", name="退回给 顾明川").click()
    expect(page.locator(".returns:visible")).to_contain_text("退回要写明理由")
    page.locator("#whyback").fill("现场笔录缺少见证人签名，请补充。")
    page.get_by_role("button", name="退回给 顾明川").click()
    expect(page.locator(".note-bar.ok")).to_contain_text("现在承办人申请在顾明川手里")


def apply_again(desk: Desk) -> None:
    page = desk.take(TITLE).page
    expect(page.locator(".say").first).to_contain_text("沈砚秋")
    expect(page.locator(".say").first).to_contain_text("现场笔录缺少见证人签名")
    expect(page.locator("[data-field=officer_two] [role=combobox]")).to_have_value("程砚白")
    expect(page.locator("[name='data.party.identifier']")).to_have_value("91310199MA00003179")
    page.locator("[name='data.summary']").fill("货架上待售的吐司面包18袋超过标注的保质期，见证人已签名。")
    desk.press("提交审核")


def read_paper(desk: Desk, folder: Path) -> Path:
    """The sealed PDF as the officer finds it in the case that was opened."""
    page = desk.page
    desk.visit("/desk?box=sent").page.get_by_role("link", name=TITLE).first.click()
    expect(page.locator(".facts")).to_contain_text("已立案")
    page.get_by_role("tab", name=re.compile("文书")).click()
    row = page.locator("#pane-documents tr", has_text="沪市监云立〔2026〕0001号")
    expect(row).to_contain_text("立案审批表")
    row.get_by_role("link", name=re.compile("立案审批表")).click()
    expect(page.locator(".papers img").first).to_be_visible()
    expect(page.locator("aside")).to_contain_text("有效，内容未改动")
    answer = page.request.get(page.url.split("?")[0] + "/pdf")
    assert answer.headers["content-type"] == "application/pdf"
    file = folder / "paper.pdf"
    file.write_bytes(answer.body())
    return file


def check_by_anybody(office: Office, paper: Path) -> None:
    """Whoever holds the paper scans its code; no account. The very file is genuine, one changed byte is told."""
    page = office.stranger(NARROW)
    page.goto(scan(paper))
    expect(page.get_by_role("heading", name="核验通过")).to_be_visible()
    expect(page.locator("main")).to_contain_text("沪市监云立〔2026〕0001号")
    address = page.url
    compare(page, paper.read_bytes())
    expect(page.locator("main")).to_contain_text("一字不差")
    page.goto(address)
    altered = bytearray(paper.read_bytes())
    altered[len(altered) // 3] ^= 1
    compare(page, bytes(altered))
    expect(page.locator("main")).to_contain_text("不要相信这份文件")
    page.context.close()


def scan(paper: Path) -> str:
    """The address in the QR code, which stands at the end of the last page."""
    pages = pypdfium2.PdfDocument(io.BytesIO(paper.read_bytes()))
    codes = zxingcpp.read_barcodes(pages[len(pages) - 1].render(scale=3).to_pil())
    assert codes, "no QR code on the last page"
    return codes[0].text


def compare(page: Page, content: bytes) -> None:
    page.locator("#file").set_input_files({"name": "paper.pdf", "mimeType": "application/pdf", "buffer": content})
    page.get_by_role("button", name="比对", exact=True).click()
