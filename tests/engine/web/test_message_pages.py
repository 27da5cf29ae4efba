"""消息通知: warnings and system messages apart, rules kept by an administrator, sender, trace of reading, answers; the same on the phone."""
from __future__ import annotations

import re
from typing import Any

import pytest

from engine.access.staffing import create_account, create_person, give_post
from engine.kernel.clock import FixedClock
from engine.runtime.message_rules import apply_rules
from engine.runtime.warn_late_steps import warn_late_steps
from engine.web.flask_app import create_flask
from tests.browser import Browser
from tests.packs.ordinary_case.case import OrdinaryCase, ordinary_case
from tests.town import SINCE

RULE = {"title": "终结报告送审", "category": "system", "event": "act.complete", "case_kind": "case_filing.case", "condition": 'node = "draft" and outcome = "submit"',
        "receivers": ["office_head"], "roles": "ordinary_case.legal_head", "sender": "执法稽查处", "text": "{谁}报送了{步骤}：{编号} {案件}"}


@pytest.fixture
def admin(town: Any) -> Browser:
    with town.app.db.begin() as connection:
        id = create_person(connection, name="乔知理", pinyin="keeper", at=town.app.clock.now())
        give_post(connection, person_id=id, unit_id=town.units["city"], code="admin", title="系统管理员", valid_from=SINCE, main=True)
        create_account(connection, person_id=id, login="message_admin", password_hash="-", at=town.app.clock.now(), rights=("admin",), must_change=False)
    return Browser(town.app, "message_admin")


def pressed(case: OrdinaryCase) -> None:
    """The report is handed in."""
    from tests.packs.ordinary_case import answers

    case.do("officer", "investigate", "finish", {"progress": "已查清。"})
    case.do("officer", "draft", "submit", answers.report())


@pytest.mark.requirement("PEN-1148")
def test_a_rule_sends_a_message_that_is_read_answered_and_traced(town: Any, clock: FixedClock, admin: Browser) -> None:
    wrong = admin.post("/admin/messages", {**RULE, "condition": "nothing = 1", "roles": "no.body", "text": "{姓名}"})
    assert wrong.status_code == 422
    assert all(words in wrong.text for words in ("不认识 nothing", "没有这个角色", "花括号里可以写"))
    case = ordinary_case(town, clock)
    assert admin.post("/admin/messages", RULE).status_code == 303
    flask = create_flask(town.app)
    pressed(case)
    sent(town, clock)
    head, legal, officer = (Browser(town.app, login, flask=flask) for login in ("head", "legal_head", "officer"))
    for reader in (head, legal):
        page = reader.get("/notices?show=system").text
        assert "顾明川报送了承办人申请：沪市监云案〔2026〕0001号 经营超过保质期的食品（执法稽查处）" in page
        assert "报送了" not in reader.get("/notices?show=warn").text
    assert "报送了" not in officer.get("/notices").text
    notice = re.search(r"/notices/([0-9a-f-]{36})/feedback", head.get("/notices").text)
    assert notice
    assert officer.post(f"/notices/{notice[1]}/feedback", {"feedback": "我来看看。"}).status_code == 404
    assert head.post(f"/notices/{notice[1]}/feedback", {"feedback": "已知悉，今天审核。"}).status_code == 303
    assert head.post(f"/notices/{notice[1]}/feedback", {"feedback": "再说一次。"}).status_code == 404
    rule = re.search(r"/admin/messages/([0-9a-f-]{36})", admin.get("/admin/messages").text)
    assert rule
    trace = admin.get(f"/admin/messages/{rule[1]}").text
    assert "已知悉，今天审核。" in trace
    assert trace.count("没有读") == 1
    assert apply_rules(town.app, at=clock.now()) == 0
    assert admin.post(f"/admin/messages/{rule[1]}", {"what": "stop"}).status_code == 303
    case.back("head", "office_review", "draft", "请补充。")
    case.do("officer", "draft", "submit", {**_report(), "nature": "改写。"})
    assert sent(town, clock) == 0
    assert officer.get("/admin/messages").status_code == 403
    assert officer.post("/admin/messages", RULE).status_code == 403
    case.wait(15)
    warn_late_steps(town.app, at=clock.now())
    head = Browser(town.app, "head", flask=flask)
    assert "预警" in head.get("/notices?show=warn").text
    assert "经营超过保质期的食品" in head.get("/notices?show=warn").text


def _report() -> dict[str, Any]:
    from tests.packs.ordinary_case import answers

    return answers.report()


def sent(town: Any, clock: FixedClock) -> int:
    """The events of the tests are numbered by the real clock: wait until they are settled."""
    import time

    time.sleep(0.4)
    return apply_rules(town.app, at=clock.now())
