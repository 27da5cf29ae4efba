"""What goes wrong in an office never costs what was typed, and never happens twice."""
from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Table, delete, func, select

from engine.storage.tables.cases import case_file
from engine.storage.tables.organisation import session
from engine.storage.tables.runtime import act
from tests.engine.runtime.walk import HANDLING, PARTY, application, do, start_clue
from tests.journeys.office import Desk, Office

pytestmark = pytest.mark.browser
TITLE = "销售超过保质期的食品"
TYPED = "现场检查，待售糕点18袋超过保质期"
START = "/start/case_filing/clue_intake"


def with_head(office: Office) -> None:
    """A filled application that waits for the head of the station."""
    start_clue(office.town)
    do(office.town, "officer", "verify", "file", data=HANDLING)
    do(office.town, "officer", "draft", "submit", data=application(office.town))


def saved(page: Page) -> None:
    expect(page.locator("[data-saved]").first).to_contain_text("保存", timeout=10_000)


def count(office: Office, table: Table) -> int:
    with office.town.app.db.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def test_a_draft_survives_reload_logout_and_restart(office: Office) -> None:
    desk = office.sit("officer").visit(START)
    page = desk.page
    page.get_by_label("线索内容").fill(TYPED)
    saved(page)
    page.reload()
    expect(page.get_by_label("线索内容")).to_have_value(TYPED)

    desk.sign_out()
    office.shut()
    office.open()
    desk.sign_in()

    expect(desk.visit(START).page.get_by_label("线索内容")).to_have_value(TYPED)


def test_what_a_refused_submit_carried_is_the_draft(office: Office) -> None:
    page = office.sit("officer").visit(START).page
    page.get_by_label("线索内容").fill(TYPED)
    office.sit("officer").button("登记").click()
    expect(page.locator(".errsum")).to_contain_text("内容已保存为草稿")
    expect(page.locator("#f-title-err, [data-field=title] .err").first).to_contain_text("请填写线索名称")
    page.reload()
    expect(page.get_by_label("线索内容")).to_have_value(TYPED)


def test_a_session_that_ends_while_typing_is_opened_again_on_the_page(office: Office) -> None:
    start_clue(office.town, data={"party": PARTY})
    desk = office.sit("officer").take(TITLE)
    page = desk.page
    desk.choose("violation", "bzq")
    expect(page.locator("[data-field=domain] [role=combobox]")).to_have_value("食品安全案件")
    with office.town.app.db.begin() as connection:
        connection.execute(delete(session))
    page.get_by_label("核查情况").fill(TYPED)
    desk.button("拟立案").click()

    dialog = page.get_by_role("dialog", name="登录已过期")
    expect(dialog).to_be_visible()
    dialog.get_by_label("账号").fill("officer")
    dialog.get_by_label("密码").fill("不对")
    dialog.get_by_role("button", name="重新登录并继续").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_label("密码").fill("Guicheng-2026")
    dialog.get_by_role("button", name="重新登录并继续").click()

    expect(page.locator(".note-bar.ok")).to_contain_text("“承办人核查处理”已提交")
    expect(page.locator("[name='data.summary']")).to_have_value(TYPED)


def test_the_same_submission_twice_is_one_act(office: Office) -> None:
    desk = office.sit("officer").visit(START)
    page = desk.page
    desk.choose("source", "投诉")
    page.get_by_label("线索名称").fill(TITLE)
    page.get_by_label("线索内容").fill(TYPED)
    with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("clue_intake")) as sent:
        desk.button("登记").dblclick()
    expect(page.locator(".facts")).to_contain_text("0001号")
    again = page.request.post(
        sent.value.url, data=sent.value.post_data_buffer or b"",
        headers={"content-type": sent.value.headers["content-type"], "x-csrf-token": sent.value.headers["x-csrf-token"], "x-guicheng-fetch": "1"},
    )
    assert again.ok, again.text()
    assert (count(office, case_file), count(office, act)) == (1, 1)
    page.goto(office.url + again.json()["location"])
    expect(page.locator(".note-bar")).to_contain_text("没有重复办理")


def test_two_officers_on_one_task(office: Office) -> None:
    with_head(office)
    do(office.town, "head", "office_review")
    first, second = office.sit("staff").take(TITLE), office.sit("joint_staff").take(TITLE)
    first.say("程序合法。")
    first.press("初审通过")
    second.say("我也看过，材料齐全。")
    second.button("初审通过").click()
    expect(second.page.locator(".note-bar.late")).to_contain_text("苏念安")
    expect(second.page.locator("#work textarea[name=opinion]")).to_have_value("我也看过，材料齐全。")


def test_a_stale_form_in_another_window_is_told_and_keeps_its_text(office: Office) -> None:
    start_clue(office.town)
    desk = office.sit("officer").take(TITLE)
    other = desk.page.context.new_page()
    other.goto(desk.page.url)
    other.get_by_label("核查情况").fill("另一个窗口写的")
    saved(other)
    desk.page.get_by_label("核查情况").fill(TYPED)
    expect(desk.page.locator("[data-form-notice]")).to_contain_text("另一个窗口", timeout=10_000)
    expect(desk.page.get_by_label("核查情况")).to_have_value(TYPED)
    other.reload()
    expect(other.get_by_label("核查情况")).to_have_value("另一个窗口写的")


@pytest.mark.parametrize(("name", "content", "told"), [
    ("病毒.exe", b"MZ" + b"0" * 200, "可执行程序"),
    ("照片.pdf", b"no pdf at all", "照片.pdf"),
    ("太大.pdf", b"%PDF-1.7" + b"0" * (21 * 2**20), "太大，最多 20 兆"),
])
def test_a_file_that_cannot_be_taken_is_refused_beside_its_field(office: Office, tmp_path: Path, name: str, content: bytes, told: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    page = office.sit("officer").visit(START).page
    page.get_by_label("线索内容").fill(TYPED)
    page.locator("[data-field=materials] [data-pick]").set_input_files(file)
    expect(page.locator("[data-field=materials] .err")).to_contain_text(told)
    expect(page.get_by_label("线索内容")).to_have_value(TYPED)
    page.locator("[data-field=materials]").get_by_role("button", name=re.compile("^删去")).click()
    expect(page.locator("[data-field=materials] .err")).to_have_count(0)


def test_a_withdrawn_step_comes_back_as_it_was_typed(office: Office) -> None:
    with_head(office)
    desk: Desk = office.sit("officer").visit("/desk?box=done")
    page = desk.page
    page.get_by_role("link", name=TITLE).first.click()
    page.get_by_role("button", name=re.compile("撤回我的")).click()
    page.locator("dialog[open] button[value=yes]").click()
    expect(page.locator(".note-bar.ok")).to_contain_text("已撤回")
    expect(page.locator("[name='data.party.identifier']")).to_have_value(HANDLING["party"]["identifier"])
    expect(page.locator("[data-field=officer_two] [role=combobox]")).to_have_value("程砚白")
