"""Every act of colleagues over HTTP: done once per key, refused in Chinese, nothing changed by a refusal."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from engine.runtime.suspend_instance import suspend_case
from engine.storage.tables.runtime import act, instance, task, task_signer
from tests.engine.runtime.walk import HANDLING, application, key
from tests.engine.web.api.caller import Caller
from tests.engine.web.api.test_api_operations import one_task, to_review
from tests.town import Town

Callers = Callable[[str], Caller]


def state(town: Town) -> Any:
    with town.app.db.connect() as connection:
        return [connection.execute(select(table).order_by(*table.primary_key.columns)).all() for table in (instance, task, task_signer)] + [
            connection.scalar(select(func.count()).select_from(act))
        ]


def refused(caller: Caller, town: Town, path: str, body: dict[str, Any] | None = None, *, status: int) -> str:
    """The message of a refusal that changed nothing."""
    before = state(town)
    error = caller.act(path, body, status=status)
    assert state(town) == before and any("\u4e00" <= letter <= "\u9fff" for letter in error["detail"])
    return str(error["detail"])


def test_a_delegated_task_comes_back_with_the_opinion(caller: Callers, town: Town, started: dict[str, Any]) -> None:
    officer, other = caller("officer"), caller("officer_two")
    path = f"/tasks/{one_task(officer)['id']}"
    body = {"to_person_id": str(town.people["officer_two"]), "words": "请看一眼。"}

    first = officer.act(f"{path}/delegate", body, key="delegate-1")
    assert officer.act(f"{path}/delegate", body, key="delegate-1") == {**first, "replayed": True}
    assert "意见到了再办" in refused(officer, town, f"{path}/complete", {"outcome": "file", "data": HANDLING}, status=409)
    assert "您的意见" in refused(other, town, f"{path}/opinion", {"stance": "agree"}, status=422)
    other.act(f"{path}/opinion", {"stance": "agree", "opinion": "可以。"})
    officer.act(f"{path}/complete", {"outcome": "file", "data": HANDLING})


def test_signers_before_and_after_are_added_removed_and_taken_back(caller: Callers, town: Town, started: dict[str, Any]) -> None:
    officer, two = caller("officer"), str(town.people["officer_two"])
    path = f"/tasks/{one_task(officer)['id']}"
    officer.act(f"{path}/signers", {"when": "before", "people": [two]})
    officer.act(f"{path}/signers/{two}/remove", {"reason": "出差了"})
    assert "没有在征求" in refused(officer, town, f"{path}/signers/{two}/remove", {}, status=404)

    officer.act(f"{path}/signers", {"when": "after", "people": [two]})
    officer.act(f"{path}/complete", {"outcome": "file", "data": HANDLING})
    assert "收回提交" in refused(officer, town, f"{path}/complete", {"outcome": "file", "data": HANDLING}, status=409)
    officer.act(f"{path}/unhold")
    assert officer.get(path)["data"]["findings"] == HANDLING["findings"]
    officer.act(f"{path}/complete", {"outcome": "file", "data": HANDLING})
    caller("officer_two").act(f"{path}/opinion", {"stance": "agree"})
    assert officer.get(path)["status"] == "done"
    refused(officer, town, f"{path}/signers", {"when": "sometimes", "people": [two]}, status=422)


def test_copies_comments_and_urging(caller: Callers, town: Town, started: dict[str, Any]) -> None:
    to_review(caller, town)
    task_id, case = one_task(caller("head"))["id"], f"/cases/{started['case_id']}"
    caller("other_officer").get(case, 404)
    caller("officer").act(f"{case}/copies", {"people": [str(town.people["other_officer"])], "words": "请知悉。"})
    caller("other_officer").get(case)
    caller("other_officer").act(f"{case}/comments", {"text": "收到。"})
    caller("officer").act(f"/tasks/{task_id}/urge", {"words": "快到期了。"}, key="urge-0001")
    assert caller("officer").act(f"/tasks/{task_id}/urge", {"words": "快到期了。"}, key="urge-0001")["replayed"]
    assert "可以再催" in refused(caller("officer"), town, f"/tasks/{task_id}/urge", {}, status=409)
    assert "不用催办" in refused(caller("head"), town, f"/tasks/{task_id}/urge", {}, status=422)


def test_the_targets_say_what_each_would_undo_and_the_way_back_is_chosen(caller: Callers, town: Town, started: dict[str, Any]) -> None:
    to_review(caller, town)
    caller("head").act(f"/tasks/{one_task(caller('head'))['id']}/complete", {"outcome": "approve", "opinion": "同意。"})
    staff = caller("staff")
    path = f"/tasks/{one_task(staff)['id']}"
    targets = staff.get(f"{path}/returns")["items"]
    assert [(one["node"], one["ways"]) for one in targets] == [("office_review", ["again", "straight"]), ("draft", ["again", "straight"])]
    assert targets[1]["voids"] == ["立案审批表"] and targets[1]["undoes"] == ["办案机构负责人审核", "承办人申请"] and targets[1]["stands"] == []
    assert "可以退回" in refused(staff, town, f"{path}/return", {"to_node": "nowhere", "opinion": "请补正。"}, status=422)
    refused(staff, town, f"{path}/return", {"to_node": "draft", "opinion": "请补正。", "then": "sometimes"}, status=422)

    staff.act(f"{path}/return", {"to_node": "draft", "opinion": "请补正。", "then": "straight"})
    back = one_task(caller("officer"))
    assert back["straight_to"] == town.actor("staff").name
    done = caller("officer").act(f"/tasks/{back['id']}/complete", {"outcome": "submit", "data": application(town)})
    assert [one["title"] for one in done["next_tasks"]] == ["科室工作人员初审"]


def test_a_batch_gives_one_result_per_item(caller: Callers, town: Town, started: dict[str, Any]) -> None:
    to_review(caller, town)
    head, task_id = caller("head"), one_task(caller("head"))["id"]
    nowhere = str(uuid4())
    body = {"items": [{"task_id": task_id, "outcome": "approve", "opinion": "同意。"}, {"task_id": nowhere, "outcome": "approve"}]}
    told = head.act("/tasks/complete", body, key="batch-001")
    assert (told["done"], told["refused"]) == (1, 1) and [one["ok"] for one in told["items"]] == [True, False]
    assert told["items"][1]["code"] == "not_found" and told["items"][1]["message"]
    again = head.act("/tasks/complete", body, key="batch-001")
    assert again["items"][0]["result"]["replayed"] and again["done"] == 1
    assert "两次" in refused(head, town, "/tasks/complete", {"items": [body["items"][0]] * 2}, status=422)

    staff = caller("staff")
    back = staff.act("/tasks/return", {"items": [{"task_id": one_task(staff)["id"], "opinion": "请补正。", "then": "straight"}]})
    assert back["items"][0]["result"]["next_tasks"][0]["title"] == "办案机构负责人审核"
    assert one_task(head)["straight_to"] == town.actor("staff").name


def test_deputies_are_appointed_once_and_ended(caller: Callers, town: Town, started: dict[str, Any]) -> None:
    officer, two = caller("officer"), caller("officer_two")
    body = {"deputy_id": str(town.people["officer_two"]), "from_on": "2026-11-20", "until_on": "2026-11-27", "reason": "出差"}
    made = officer.act("/deputies", body, key="deputy-01", status=201)
    assert officer.act("/deputies", body, key="deputy-01", status=201)["id"] == made["id"] and made["state"] == "now"
    assert two.get("/deputies")["given"][0]["person"] == "顾明川"
    assert "已经委托" in refused(officer, town, "/deputies", body, status=409)
    assert "早于" in refused(officer, town, "/deputies", {**body, "until_on": "2026-11-01"}, status=422)

    two.act(f"/tasks/{one_task(two)['id']}/complete", {"outcome": "file", "data": HANDLING})
    with town.app.db.connect() as connection:
        named = connection.execute(select(act.c.actor_name, act.c.on_behalf_of).where(act.c.node == "verify")).one()
    assert tuple(named) == ("程砚白", "顾明川")
    assert officer.act(f"/deputies/{made['id']}/end")["state"] == "ended"
    refused(two, town, f"/deputies/{made['id']}/end", status=404)


def test_everything_a_leaver_holds_is_handed_over(caller: Callers, town: Town, started: dict[str, Any]) -> None:
    body = {"from_person_id": str(town.people["officer"]), "to_person_id": str(town.people["officer_two"]), "reason": "调离"}
    held = caller("head").get("/handover", person_id=body["from_person_id"])
    assert [len(held[name]) for name in ("tasks", "asked", "cases")] == [1, 0, 1]
    assert "负责人可以办理交接" in refused(caller("officer"), town, "/handover", body, status=403)
    told = caller("head").act("/handover", body)
    assert (told["tasks"], told["cases"], told["refused"]) == (1, 1, [])
    assert one_task(caller("officer_two"))["mine"]


ACTS: list[tuple[str, dict[str, Any]]] = [
    ("/tasks/{task}/complete", {"outcome": "approve", "opinion": "同意。"}), ("/tasks/{task}/return", {"to_node": "draft", "opinion": "请补正。"}),
    ("/tasks/{task}/claim", {}), ("/tasks/{task}/release", {}), ("/tasks/{task}/transfer", {"to_person_id": "{two}", "reason": "出差"}),
    ("/tasks/{task}/delegate", {"to_person_id": "{two}"}), ("/tasks/{task}/signers", {"when": "before", "people": ["{two}"]}),
    ("/tasks/{task}/signers", {"when": "after", "people": ["{two}"]}), ("/tasks/{task}/signers/{two}/remove", {}), ("/tasks/{task}/unhold", {}),
    ("/tasks/{task}/opinion", {"stance": "agree", "opinion": "可以。"}),
]


def filled(text: Any, names: dict[str, str]) -> Any:
    if isinstance(text, dict):
        return {name: filled(value, names) for name, value in text.items()}
    return [filled(one, names) for one in text] if isinstance(text, list) else text.format(**names) if isinstance(text, str) else text


@pytest.mark.parametrize("situation", ["stranger", "colleague", "finished", "suspended", "unknown"])
def test_no_act_gets_through_where_it_must_not(caller: Callers, town: Town, started: dict[str, Any], situation: str) -> None:
    """Without the right, on a step that is over, on a case that stands still, on a task that isn't there."""
    to_review(caller, town)
    names = {"task": one_task(caller("head"))["id"], "two": str(town.people["officer_two"])}
    who, allowed = {"stranger": ("other_officer", {404}), "colleague": ("officer_two", {403, 404, 409, 422}), "finished": ("head", {409, 403}),
                    "suspended": ("head", {409}), "unknown": ("head", {404})}[situation]
    if situation == "finished":
        caller("head").act(f"/tasks/{names['task']}/complete", {"outcome": "approve", "opinion": "同意。"})
    if situation == "suspended":
        suspend_case(town.app, actor=town.actor("keeper"), case_id=started["case_id"], reason="等批复。", key=key(), at=town.app.clock.now())
    if situation == "unknown":
        names["task"] = str(uuid4())
    for path, body in ACTS:
        before = state(town)
        answer = caller(who).send("POST", filled(path, names), key=key() + "-attempt", json=filled(body, names))
        assert answer.status_code in allowed, (situation, path, answer.status_code, answer.text)
        assert answer.get_json()["detail"] and state(town) == before, (situation, path)
