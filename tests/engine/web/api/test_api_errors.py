"""One shape of errors with the right status on every route, and nothing of another unit to be seen."""
from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from engine.storage.tables.cases import attachment
from engine.storage.tables.documents import document
from engine.storage.tables.runtime import act, submission
from engine.web.api import screen
from tests.engine.runtime.walk import HANDLING, application
from tests.engine.web.api.caller import Caller
from tests.town import Town

Callers = Callable[[str], Caller]
PUBLIC = {"/api/openapi.json"}
# A request that would be right but for the ids in its address.
BODIES: dict[str, dict[str, Any]] = {
    "api.cases.start": {"process": "case_filing.clue_intake"}, "api.cases.begin_matter": {"process": "case_filing.clue_extension"},
    "api.acts.complete": {}, "api.acts.give_back": {"to_node": "draft", "opinion": "补正"}, "api.acts.transfer": {"to_person_id": str(uuid4()), "reason": "出差"},
    "api.tasks.draft": {"data": {}}, "api.notices.mark": {}, "api.messages.receive": {}, "api.reveal.reveal": {"reason": "核对送达地址"},
    "api.corrections.correct": {"data": {}, "reason": "写错了"}, "api.corrections.take_out": {"reason": "写错了"},
    "api.colleagues.delegate": {"to_person_id": str(uuid4())}, "api.colleagues.sign": {"when": "before", "people": [str(uuid4())]}, "api.colleagues.remove": {},
    "api.colleagues.opinion": {"stance": "agree"}, "api.colleagues.urge": {}, "api.colleagues.copy": {"people": [str(uuid4())]}, "api.colleagues.comment": {"text": "看一下"},
}
QUERIES = {"api.tasks.foretell": "?outcome=approve", "api.cases.find": "?q=x", "api.lookups.people": "?q=x"}


def routes(flask: Flask) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, rule) of every operation below /api."""
    for rule in flask.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule.endpoint, method, rule.rule


def assert_shape(answer: Any, status: int, code: str | None = None) -> dict[str, Any]:
    """The one shape, and nothing beside it."""
    assert answer.status_code == status, answer.text
    body = answer.get_json()
    always = {"type", "title", "status", "detail", "instance", "code"}
    assert answer.mimetype == "application/problem+json" and always <= set(body) <= always | {"fields", "findings"}, body
    assert code in (None, body["code"]) and body["type"] == f"urn:guicheng:problem:{body['code']}" and body["status"] == status, body
    assert body["instance"].endswith("#" + answer.headers["X-Request-Id"]) and body["instance"].startswith("/api/"), body
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in body[name]) for name in ("title", "detail")), body
    error: dict[str, Any] = body
    return error


def test_without_a_token_every_route_says_so(flask: Flask) -> None:
    client, walked = flask.test_client(), 0
    for _, method, rule in routes(flask):
        if rule not in PUBLIC:
            answer = client.open(rule.replace("<", "").replace(">", ""), method=method)
            assert_shape(answer, 401, "token_required")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            walked += 1
    assert walked >= 38


def test_a_wrong_or_revoked_token_is_told_apart(flask: Flask) -> None:
    for token in ("gc_wrong", "nonsense", "gc_" + "ü" * 10):
        answer = flask.test_client().get("/api/me", headers={"Authorization": f"Bearer {token}".encode("latin-1").decode("latin-1")})
        assert_shape(answer, 401, "bad_token")


def test_a_browsers_cookie_does_not_count_below_api(flask: Flask, town: Town) -> None:
    from engine.access.sessions import open_session
    from engine.web.guard import COOKIE

    client = flask.test_client()
    with town.app.db.begin() as connection:
        opened = open_session(connection, account_id=town.actor("officer").account_id, post_id=None, agent="test", at=town.app.clock.now())
    client.set_cookie(COOKIE, opened.token)

    assert_shape(client.get("/api/me"), 401, "token_required")


def ids_of_the_case(town: Town, case_id: str, task_id: str) -> dict[str, str]:
    """One id of each kind on a real case."""
    with town.app.db.connect() as connection:
        def first(table: Any) -> str:
            return str(connection.scalars(select(table.c.id).where(table.c.case_id == case_id).limit(1)).one())

        return {"case_id": case_id, "task_id": task_id, "document_id": first(document), "submission_id": first(submission), "act_id": first(act),
                "attachment_id": first(attachment)}


@pytest.fixture
def real_ids(caller: Callers, town: Town, started: dict[str, Any]) -> dict[str, str]:
    officer = caller("officer")
    (task,) = officer.get("/tasks")["items"]
    from tests.engine.web.api.test_api_operations import photo

    officer.send("POST", "/attachments", data={"file": (io.BytesIO(photo()), "a.jpg"), "task_id": task["task_id"]})
    officer.act(f"/tasks/{task['task_id']}/complete", {"outcome": "file", "data": HANDLING})
    (task,) = officer.get("/tasks")["items"]
    officer.act(f"/tasks/{task['task_id']}/complete", {"outcome": "submit", "data": application(town)})
    (task,) = caller("head").get("/tasks")["items"]
    return ids_of_the_case(town, started["case_id"], task["task_id"])


def test_another_units_ids_look_like_no_ids_at_all(flask: Flask, caller: Callers, real_ids: dict[str, str]) -> None:
    stranger, walked = caller("other_officer"), 0
    for endpoint, method, rule in routes(flask):
        names = [part[1:-1] for part in rule.split("/") if part.startswith("<")]
        if not names or not set(names) <= set(real_ids):
            continue
        more: dict[str, Any] = {"json": BODIES[endpoint]} if endpoint in BODIES else {}
        seen = []
        for ids in (real_ids, dict.fromkeys(real_ids, str(uuid4())), dict.fromkeys(real_ids, "not-an-id")):
            path = rule.removeprefix("/api") + QUERIES.get(endpoint, "")
            for name in names:
                path = path.replace(f"<{name}>", ids[name])
            seen.append(assert_shape(stranger.send(method, path, key=f"stranger-{walked}-{len(seen)}", **more), 404, "not_found"))
        assert {**seen[0], "instance": ""} == {**seen[1], "instance": ""}, rule
        walked += 1
    assert walked >= 20


def test_nothing_was_changed_by_the_stranger(caller: Callers, real_ids: dict[str, str], flask: Flask) -> None:
    before = caller("head").get(f"/cases/{real_ids['case_id']}")
    test_another_units_ids_look_like_no_ids_at_all(flask, caller, real_ids)

    assert caller("head").get(f"/cases/{real_ids['case_id']}") == before


def test_unknown_addresses_and_methods(flask: Flask, caller: Callers) -> None:
    officer = caller("officer")
    assert_shape(officer.send("GET", "/nothing/here"), 404, "no_such_route")
    assert_shape(flask.test_client().post("/api/nothing/here"), 404, "no_such_route")
    refused = officer.send("DELETE", "/cases")
    assert_shape(refused, 405, "method_not_allowed")
    assert {"GET", "POST"} <= set(refused.headers["Allow"].replace(" ", "").split(","))


def test_requests_that_are_no_json_too_large_or_can_not_be_kept(caller: Callers, started: dict[str, Any]) -> None:
    officer = caller("officer")
    (task,) = officer.get("/tasks")["items"]
    path = f"/tasks/{task['task_id']}/draft"

    def put(data: bytes, kind: str = "application/json") -> Any:
        return officer.send("PUT", path, data=data, content_type=kind)

    assert_shape(put(b"a=1", "application/x-www-form-urlencoded"), 415, "unsupported_media_type")
    assert_shape(put(b'{"data": '), 400, "bad_json")
    assert_shape(put(b"[1]"), 400, "bad_json")
    assert_shape(put(b'{"data": {"a": NaN}}'), 400, "bad_json")
    assert_shape(put(b'{"data": {"a": 1e999}}'), 400, "bad_json")
    assert_shape(put(b'{"data": {"a": "x\\u0000y"}}'), 422, "invalid")
    assert_shape(put(b'{"data": {"a": "\\ud800"}}'), 400, "bad_json")
    assert_shape(put(b'{"data": ' + b'{"a":' * 60 + b"1" + b"}" * 60 + b"}"), 400, "bad_json")
    assert_shape(put(b'{"data": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}"), 400, "bad_json")
    assert_shape(put(b'{"data": {"a": "' + b"x" * (screen.LARGEST_JSON + 1) + b'"}}'), 413, "too_large")
    assert_shape(put(b'{"data": {"a": "' + b"x" * 1_500_000 + b'"}}'), 413, "too_large")
    assert set(assert_shape(put(b'{"colour": 1, "rev": "x"}'), 422, "invalid")["fields"]) == {"colour", "rev"}
    assert_shape(put(b""), 422, "bad_json")
    assert_shape(officer.send("POST", "/attachments", json={}), 415, "unsupported_media_type")
    upload = {"file": (io.BytesIO(b"x" * (screen.LARGEST_UPLOAD + 1)), "a.pdf")}
    assert_shape(officer.send("POST", "/attachments", data=upload), 413, "too_large")


def test_queries_are_checked(caller: Callers) -> None:
    officer = caller("officer")
    wrong = assert_shape(officer.send("GET", "/cases?limit=0&state=lost&colour=red&unit_id=1"), 422, "invalid")
    assert set(wrong["fields"]) == {"limit", "state", "colour", "unit_id"}
    assert wrong["fields"]["limit"] == "不能小于 1。" and wrong["fields"]["state"] == "应是这些之一：open, closed、all。"


def test_a_fault_of_ours_has_a_number_and_tells_nothing(flask: Flask, caller: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.web.api import me

    monkeypatch.setattr(me.MeTold, "model_validate", lambda values: 1 / 0)
    answer = caller("officer").send("GET", "/me", headers={"X-Request-Id": "my-own-number-1"})

    error = assert_shape(answer, 500, "internal")
    assert answer.headers["X-Request-Id"] == "my-own-number-1" and "ZeroDivision" not in error["detail"]


def test_a_request_number_that_could_break_a_log_is_replaced(caller: Callers) -> None:
    answer = caller("officer").send("GET", "/me", headers={"X-Request-Id": "a b<script>"})
    assert len(answer.headers["X-Request-Id"]) == 32


def test_a_token_that_asks_too_often_has_to_wait_a_minute(caller: Callers, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    monkeypatch.setattr(screen, "PER_MINUTE", 3)
    officer = caller("officer")
    left = [officer.send("GET", "/me").headers["X-RateLimit-Remaining"] for _ in range(3)]
    refused = officer.send("GET", "/me")

    assert left == ["2", "1", "0"]
    assert_shape(refused, 429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) <= 60
    assert caller("head").send("GET", "/me").status_code == 200
    town.app.clock.advance(timedelta(minutes=1))
    assert officer.send("GET", "/me").status_code == 200
