"""The party's side in a browser as wide as a phone: sign up, enter the code on the paper, read, sign; axe finds nothing."""
from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from engine.web.flask_app import create_flask
from integrations.real_name.simulator import make_server
from tests.journeys.office import NARROW, Office
from tests.journeys.test_accessible import violations
from tests.packs.filed import filed_case
from tests.packs.serving_documents.conftest import FACTORY, ServedCase, add_party
from tests.packs.serving_documents.test_online import code_of

pytestmark = pytest.mark.browser
PASSWORD = "Mailang-2026"


@pytest.fixture
def case(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedCase]:
    """A paper waits online for the factory; the real-name check is a simulator on a free port."""
    server = make_server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("CONNECTOR_REAL_NAME_URL", f"http://127.0.0.1:{server.server_port}")
    walk = filed_case(office.town)
    served = ServedCase(walk.app, walk.bureau)
    served.town, served.case_id, served.parties = office.town, walk.case_id, {}
    served.run_jobs = office.work  # type: ignore[method-assign]
    add_party(served, "factory", FACTORY)
    served.serve(served.paper(), route="online")
    served.run_jobs()
    yield served
    server.shutdown()
    server.server_close()


def fill(page: Page, **answers: str) -> None:
    for name, value in answers.items():
        page.locator(f"[name={name}]").fill(value)


def test_a_party_signs_up_reads_and_signs_on_a_phone(office: Office, case: ServedCase) -> None:
    assert create_flask(case.app)
    page = office.stranger()
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    found: list[Any] = []

    page.goto(f"{office.url}/party/code/{code_of(case)}")
    expect(page.get_by_role("heading", name="登录")).to_be_visible()
    found += violations(page, "sign in")
    page.get_by_role("link", name="第一次来，实名注册").click()
    found += violations(page, "sign up")
    fill(page, name="白晓棠", identifier="110101199003070003", phone="13800138000", password=PASSWORD, again=PASSWORD)
    page.get_by_role("button", name="下一步：核验身份").click()
    hint = page.locator(".told").inner_text()
    found += violations(page, "real-name check")
    fill(page, code="000000")
    page.get_by_role("button", name="确定").click()
    expect(page.get_by_role("alert")).to_contain_text("验证码不对")
    sent = re.search(r"是 (\d{6})", hint)
    assert sent
    fill(page, code=sent.group(1))
    page.get_by_role("button", name="确定").click()
    expect(page.get_by_role("heading", name="输入签收码")).to_be_visible()
    found += violations(page, "code")
    page.get_by_role("button", name="确定").click()

    expect(page.get_by_role("heading", name="等您办的")).to_be_visible()
    found += violations(page, "home")
    page.get_by_role("link", name=re.compile("解除行政强制措施决定书")).click()
    expect(page.locator("article.text")).to_contain_text("退还")
    found += violations(page, "paper")
    page.get_by_role("link", name="线上签收").click()
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    page.get_by_role("button", name="签收", exact=True).click()
    page.locator("dialog[open] button[value=yes]").click()
    page.locator(".errsum").wait_for()
    found += violations(page, "refused")
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    page.get_by_label("是", exact=True).first.check(force=True)
    page.locator("[name='data.address']").fill("云浦区汀兰路 45 号")
    page.get_by_label("是", exact=True).last.check(force=True)
    page.get_by_role("button", name="签收", exact=True).click()
    page.locator("dialog[open] button[value=yes]").click()
    expect(page.locator("p.told")).to_contain_text("已经提交", timeout=30_000)
    found += violations(page, "signed")

    assert found == []
    assert case.services()[0]["state"] == "served"
    page.context.close()
