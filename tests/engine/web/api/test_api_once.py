"""An act happens once per key; lists are read page by page without gaps."""
from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from engine.storage.tables.cases import case_file
from tests.engine.runtime.walk import CLUE, HANDLING
from tests.engine.web.api.caller import Caller
from tests.town import Town

Callers = Callable[[str], Caller]
START = {"process": "case_filing.clue_intake", "outcome": "submit", "data": CLUE}


def count_cases(town: Town) -> int:
    with town.app.db.connect() as connection:
        return connection.scalar(select(func.count()).select_from(case_file)) or 0


def test_the_same_start_twice_is_one_case(caller: Callers, town: Town) -> None:
    first = caller("officer").act("/cases", START, key="start-0001", status=201)
    again = caller("officer").act("/cases", START, key="start-0001", status=201)

    assert again == {**first, "replayed": True} and not first["replayed"] and count_cases(town) == 1


def test_one_key_for_two_requests_is_refused(caller: Callers, town: Town) -> None:
    caller("officer").act("/cases", START, key="start-0001", status=201)
    other = {**START, "data": {**CLUE, "title": "另一条线索"}}

    refused = caller("officer").act("/cases", other, key="start-0001", status=409)

    assert refused["code"] == "key_reused" and "Idempotency-Key" in refused["detail"] and count_cases(town) == 1


def test_two_people_may_have_the_same_key(caller: Callers, town: Town) -> None:
    caller("officer").act("/cases", START, key="start-0001", status=201)
    caller("officer_two").act("/cases", START, key="start-0001", status=201)

    assert count_cases(town) == 2


def test_the_same_completion_twice_is_one_act(caller: Callers, started: dict[str, Any]) -> None:
    officer = caller("officer")
    (task,) = officer.get("/tasks")["items"]
    body = {"outcome": "file", "data": HANDLING}

    first = officer.act(f"/tasks/{task['task_id']}/complete", body, key="complete-1")
    again = officer.act(f"/tasks/{task['task_id']}/complete", body, key="complete-1")
    later = officer.act(f"/tasks/{task['task_id']}/complete", body, key="complete-2", status=409)

    assert again["act_id"] == first["act_id"] and again["replayed"] and later["code"] == "already_done"


def test_a_refused_request_may_be_put_right_under_its_key(caller: Callers, started: dict[str, Any]) -> None:
    officer = caller("officer")
    (task,) = officer.get("/tasks")["items"]
    officer.act(f"/tasks/{task['task_id']}/complete", {"outcome": "file", "data": {}}, key="complete-1", status=422)

    officer.act(f"/tasks/{task['task_id']}/complete", {"outcome": "file", "data": HANDLING}, key="complete-1")


def test_an_act_needs_a_key(caller: Callers) -> None:
    for key in (None, "short", "x" * 129, "with space 1"):
        refused = caller("officer").send("POST", "/cases", key=key, json=START)
        assert refused.status_code == 400 and refused.get_json()["code"] == "key_required", key


def test_the_same_start_at_the_same_moment_is_one_case(caller: Callers, town: Town) -> None:
    officer = caller("officer")
    answers: list[Any] = []
    barrier = threading.Barrier(4)

    def send() -> None:
        client = officer.client.application.test_client()
        barrier.wait()
        headers = {"Authorization": f"Bearer {officer.token}", "Idempotency-Key": "at-once-1"}
        answers.append(client.post("/api/cases", json=START, headers=headers))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.status_code for answer in answers] == [201] * 4, [answer.text for answer in answers]
    assert len({answer.get_json()["act_id"] for answer in answers}) == 1 and count_cases(town) == 1


def pages(caller: Caller, path: str, **query: Any) -> list[list[Any]]:
    found, cursor = [], {}
    while True:
        page = caller.get(path, limit=2, **query, **cursor)
        found.append(page["items"])
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


def test_lists_are_read_page_by_page(caller: Callers, town: Town) -> None:
    officer = caller("officer")
    made = [officer.act("/cases", START, status=201)["case_id"] for _ in range(5)]

    cases = pages(officer, "/cases")
    tasks = pages(officer, "/tasks")
    acts = pages(officer, "/me/acts", which="started")

    assert [len(page) for page in cases] == [2, 2, 1] and {row["id"] for page in cases for row in page} == set(made)
    assert {row["case_id"] for page in tasks for row in page} == set(made) and [len(page) for page in tasks] == [2, 2, 1]
    assert {row["case_id"] for page in acts for row in page} == set(made)
    assert officer.get("/cases", limit=2)["total"] == 5


def test_a_cursor_of_another_list_or_none_of_ours_is_refused(caller: Callers, flask: Flask) -> None:
    officer = caller("officer")
    for _ in range(3):
        officer.act("/cases", START, status=201)
    of_cases = officer.get("/cases", limit=2)["next"]

    for path, cursor in (("/tasks", of_cases), ("/cases", "nonsense"), ("/cases", of_cases[:-2]), ("/events", "W10"), ("/cases", "中文")):
        refused = officer.get(path, 422, cursor=cursor)
        assert refused["code"] == "bad_cursor" and "cursor" in refused["fields"], (path, cursor)
