"""Acts among colleagues through the pages: asked and answered, copied, urged, commented, ticked, stood in for, handed over, suspended."""
from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from engine.runtime.invariants import find_violations
from engine.storage.tables.runtime import act
from tests.browser import Browser
from tests.engine.runtime.walk import HANDLING, application, do, open_nodes, open_task, start_clue
from tests.town import Town


@pytest.fixture
def review(town: Town) -> Any:
    """A case that waits for the head's review."""
    started = start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING)
    do(town, "officer", "draft", "submit", data=application(town))
    return started.case_id


def new() -> str:
    return str(uuid4())


def test_more_offers_what_the_diagram_allows_and_a_colleague_answers(town: Town, review: Any) -> None:
    row, head, staff = open_task(town, "office_review"), Browser(town.app, "head"), Browser(town.app, "staff")
    page = f"/tasks/{row['id']}"
    assert "更多" in head.get(page).text and "/more" in head.get(page).text
    more = head.get(f"{page}/more").text
    assert all(word in more for word in ("委派", "前加签", "后加签", "抄送", "顾明川"))
    assert head.post(f"{page}/delegate", {"key": new()}).status_code == 422
    assert head.post(f"{page}/delegate", {"key": new(), "people": str(town.people["staff"]), "words": "你看过现场。"}).status_code == 303
    waiting = head.get(page).text
    assert "正等 <b>苏念安</b> 的意见" in waiting and "减签" in waiting and 'id="work"' not in waiting
    assert "请我给意见" in staff.get("/desk").text
    asked = staff.get(page).text
    assert "周启衡 请你给出意见" in asked and "你看过现场。" in asked
    assert staff.post(f"{page}/opinion", {"key": new(), "stance": "agree", "opinion": "情况属实。"}).status_code == 303
    back = head.get(page).text
    assert "苏念安" in back and "给出意见：“情况属实。”" in back and 'id="work"' in back and "听到的意见" in back


def test_a_completion_that_waits_for_agreement_is_shown_and_taken_back(town: Town, review: Any) -> None:
    row, head, staff = open_task(town, "office_review"), Browser(town.app, "head"), Browser(town.app, "staff")
    page = f"/tasks/{row['id']}"
    head.post(f"{page}/signers", {"key": new(), "people": str(town.people["staff"]), "when": "after"})
    sent = head.post(f"{page}/complete", {"key": new(), "outcome": "approve", "opinion": "同意报批。"}, follow_redirects=True)
    assert "等苏念安同意后生效。" in sent.text
    assert "已提交，等同意" in head.get(page).text and "等同事意见" in head.get("/desk").text
    assert head.post(f"{page}/unhold", {"key": new()}).status_code == 303
    assert "同意报批。" in head.get(page).text
    head.post(f"{page}/complete", {"key": new(), "outcome": "approve", "opinion": "同意报批。"})
    assert "的提交才生效" in staff.get(page).text
    staff.post(f"{page}/opinion", {"key": new(), "stance": "agree"})
    assert open_nodes(town, review) == ["section_review"]
    assert "同意，“审核通过”生效" in head.get(f"/cases/{review}").text


def test_copies_urging_and_comments_from_the_case_page(town: Town, review: Any) -> None:
    officer, other, row = Browser(town.app, "officer"), Browser(town.app, "other_officer"), open_task(town, "office_review")
    page = officer.get(f"/cases/{review}").text
    assert "催办" in page and "留言" in page
    assert "程砚白" in officer.get(f"/cases/{review}/copies").text
    assert other.get(f"/cases/{review}").status_code == 404
    officer.post(f"/cases/{review}/copies", {"key": new(), "people": str(town.people["other_officer"]), "words": "你那边也有这家店。"})
    assert other.get(f"/cases/{review}").status_code == 200
    assert "你那边也有这家店。" in other.get("/desk?box=copied").text
    assert officer.post(f"/tasks/{row['id']}/urge", {"key": new()}).status_code == 303
    again = officer.post(f"/tasks/{row['id']}/urge", {"key": new()})
    assert again.status_code == 409 and "没有办成" in again.text
    assert "催办 1 次" in Browser(town.app, "head").get("/desk").text
    officer.post(f"/cases/{review}/comments", {"key": new(), "text": "当事人电话打不通。"})
    shown = officer.get(f"/cases/{review}").text
    assert "当事人电话打不通。" in shown and "第 1 次催办" in shown and "抄送莫怀瑾" in shown and "撤回我的" in shown


def test_ticked_rows_are_done_at_once_with_one_result_each(town: Town, review: Any) -> None:
    second = start_clue(town)
    do(town, "officer", "verify", "file", data=HANDLING, case_id=second.case_id)
    do(town, "officer", "draft", "submit", data=application(town), case_id=second.case_id)
    head = Browser(town.app, "head")
    desk = head.get("/desk").text
    ids = re.findall(r'name="task" value="([0-9a-f-]{36})"', desk)
    assert len(ids) == 2 and "data-batch" in desk
    one = new()
    do(town, "head", "office_review", case_id=second.case_id)
    answer = head.post("/desk/batch", {"key": one, "task": ids, "outcome": "approve", "opinion": "同意。"})
    assert answer.status_code == 200 and "1 件已办好，1 件没有办" in answer.text and "已由周启衡办理" in answer.text
    assert open_nodes(town, review) == open_nodes(town, second.case_id) == ["section_review"]
    assert "data-batch" not in Browser(town.app, "officer").get("/desk").text


def test_a_deputy_sees_the_step_and_the_history_names_both(town: Town) -> None:
    started, officer, other = start_clue(town), Browser(town.app, "officer"), Browser(town.app, "other_officer")
    days = {"from_on": "2026-11-20", "until_on": "2026-11-22"}
    assert officer.post("/me/away", {"key": new(), **days}).status_code == 422
    assert officer.post("/me/away", {"key": new(), "people": str(town.people["other_officer"]), **days, "reason": "培训"}).status_code == 303
    assert "代办中" in officer.get("/me/away").text and "委托给我的" in other.get("/me/away").text
    assert "代顾明川办" in other.get("/desk").text
    row = open_task(town, "verify")
    assert "他委托 <b>你</b> 代办" in other.get(f"/tasks/{row['id']}").text
    do(town, "other_officer", "verify", "file", data=HANDLING)
    assert "代 顾明川" in other.get(f"/cases/{started.case_id}").text


def test_a_hand_over_by_the_head_of_the_unit(town: Town) -> None:
    start_clue(town)
    head, leaver = Browser(town.app, "head"), town.people["officer"]
    assert "离职交接" in head.get("/me").text and "顾明川" in head.get("/admin/handover").text
    assert "待办 <b>1</b> 件" in head.get(f"/admin/handover?from={leaver}").text
    assert Browser(town.app, "officer_two").get(f"/admin/handover?from={leaver}").status_code == 403
    answer = head.post("/admin/handover", {"key": new(), "from": str(leaver), "people": str(town.people["officer_two"]), "reason": "调离。"})
    assert answer.status_code == 303
    assert open_task(town, "verify")["assignee_id"] == town.people["officer_two"]


def test_an_operator_suspends_and_resumes_a_case(town: Town) -> None:
    case_id = start_clue(town).case_id
    keeper, officer = Browser(town.app, "keeper"), Browser(town.app, "officer")
    assert "暂停办理" in keeper.get(f"/cases/{case_id}").text and "暂停办理" not in officer.get(f"/cases/{case_id}").text
    keeper.post(f"/cases/{case_id}/suspend", {"key": new(), "reason": "等批复。"})
    page = officer.get(f"/cases/{case_id}").text
    assert "已暂停办理" in page and 'id="work"' not in page
    keeper.post(f"/cases/{case_id}/resume", {"key": new()})
    assert 'id="work"' in officer.get(f"/cases/{case_id}").text
    with town.app.db.connect() as connection:
        assert list(connection.scalars(select(act.c.kind).where(act.c.kind.in_(["suspend", "resume"])).order_by(act.c.rev_before))) == ["suspend", "resume"]
    assert find_violations(town.app) == []


def test_a_return_says_what_it_undoes_and_comes_straight_back(town: Town, review: Any) -> None:
    do(town, "head", "office_review", opinion="同意。")
    row, staff, officer = open_task(town, "section_review"), Browser(town.app, "staff"), Browser(town.app, "officer")
    listed = staff.get(f"/tasks/{row['id']}/returns").text
    assert "作废《立案审批表》" in listed and "每一步重走" in listed and "直接送回给我" in listed
    page = f"/tasks/{row['id']}/return"
    assert staff.post(page, {"key": new(), "to_node": "draft", "then": "straight", "opinion": ""}).status_code == 422
    assert staff.post(page, {"key": new(), "to_node": "draft", "then": "straight", "opinion": "请补充证据。"}).status_code == 303
    told = officer.get(f"/tasks/{open_task(town, 'draft')['id']}").text
    assert "请补充证据。" in told and "直接送回苏念安" in told
    do(town, "officer", "draft", "submit", data=application(town))
    assert open_nodes(town, review) == ["section_review"] and "不重办" in officer.get(f"/cases/{review}?tab=journey").text
    assert find_violations(town.app) == []
