"""Every route asks for a login unless it is on this list; every unsafe one for the session's token."""
from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, update
from werkzeug.routing import AnyConverter, BaseConverter

from engine.storage.tables.organisation import account, session
from tests.engine.web.site import PASSWORD, Site

PUBLIC = {
    "register_map.base",  # the style sheet and tiles of maps; parties draw on maps too
    "static", "home.health", "login.page", "login.sign_in", "login.again", "login.second", "login_certificate.page", "login_certificate.prove",
    "login_openid.begin", "login_openid.back", "verify.ask", "verify.page", "verify.compare", "verify.picture",
    "admin_security.root", "party_account.page", "party_account.sign_in", "party_account.sign_up", "party_account.begin", "party_account.confirm",
}
SAMPLES = {"default": "00000000-0000-7000-8000-000000000000", "int": 1, "path": "x"}


def sample(converter: BaseConverter) -> object:
    """A value that the converter takes."""
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    return SAMPLES[type(converter).__name__.removesuffix("Converter").lower().replace("unicode", "default").replace("integer", "int")]


def rules(flask: Flask) -> list[tuple[str, str, str]]:
    """(endpoint, method, address with sample values) of every route of the pages."""
    found = []
    for rule in flask.url_map.iter_rules():
        values = {name: sample(converter) for name, converter in rule._converters.items()}
        with flask.test_request_context():
            address = rule.build(values, append_unknown=False)
        assert address is not None
        found += [(rule.endpoint, method, address[1]) for method in rule.methods or () if method not in ("HEAD", "OPTIONS")]
    return found


def of_pages(flask: Flask) -> list[tuple[str, str, str]]:
    return [entry for entry in rules(flask) if not entry[2].startswith("/api/") and entry[0] not in PUBLIC]


def test_nobody_reaches_a_page_without_a_login(site: Site) -> None:
    reached = []
    for endpoint, method, address in of_pages(site.flask):
        answer = site.flask.test_client().open(address, method=method)
        expected = answer.status_code == 302 and "/login" in answer.headers["Location"] if method == "GET" else answer.status_code == 401
        if not expected:
            reached.append((endpoint, method, answer.status_code))
    assert reached == []


def test_the_public_list_is_what_the_views_say(site: Site) -> None:
    marked = {endpoint for endpoint, view in site.flask.view_functions.items() if getattr(view, "is_public", False)}
    assert {endpoint for endpoint in marked if not endpoint.startswith("api")} <= PUBLIC


def test_no_unsafe_route_works_without_the_sessions_token(site: Site) -> None:
    site.sign_in("agency_head")
    passed = []
    for endpoint, method, address in of_pages(site.flask):
        if method != "GET" and not address.startswith("/party"):
            answer = site.client.open(address, method=method, data={"csrf": "made up"}, headers={"X-Guicheng-Fetch": "1"})
            if (answer.status_code, (answer.json or {}).get("error", {}).get("code")) != (403, "csrf"):
                passed.append((endpoint, answer.status_code))
    assert passed == []


def test_the_login_form_needs_the_token_of_its_own_browser(site: Site) -> None:
    answer = site.flask.test_client().post("/login", data={"login": "officer", "password": PASSWORD})
    assert answer.status_code == 403
    assert "刷新页面" in answer.text


def test_signing_in_leads_where_one_wanted_to_go_but_never_away(site: Site) -> None:
    def target(wanted: str) -> str:
        site.client = site.flask.test_client()
        answer: str = site.post("/login", page="/login", login="officer", password=PASSWORD, next=wanted).headers["Location"]
        return answer

    assert target("/cases?state=all") == "/cases?state=all"
    assert [target(bad) for bad in ("//evil.example", "https://evil.example", "/\\evil.example")] == ["/desk"] * 3


def test_a_wrong_password_says_so_on_the_page(site: Site) -> None:
    answer = site.sign_in("officer", "wrong password")
    assert answer.status_code == 422
    assert "用户名或密码不正确" in answer.text
    assert 'value="officer"' in answer.text


def test_a_first_password_must_be_changed_before_anything_else(site: Site) -> None:
    with site.app.db.begin() as connection:
        connection.execute(update(account).where(account.c.login == "officer").values(must_change=True))
    assert site.sign_in("officer").headers["Location"] == "/me/password"
    assert site.get("/desk").headers["Location"] == "/me/password"
    bad = site.post("/me/password", page="/me/password", old=PASSWORD, new="short", again="short")
    assert (bad.status_code, "密码长度应为" in bad.text) == (422, True)
    good = site.post("/me/password", page="/me/password", old=PASSWORD, new="Another-2026", again="Another-2026")
    assert good.status_code == 303
    assert site.get("/desk").status_code == 200


@pytest.mark.parametrize("person, status", [("officer", 200), ("second", 401)])
def test_signing_in_again_works_for_the_person_whose_form_it_is(site: Site, person: str, status: int) -> None:
    site.sign_in("officer")
    with site.app.db.begin() as connection:
        connection.execute(delete(session))
    mine: Any = site.bureau.actors["officer"].person_id
    ended = site.client.post("/me/phrases", data={"texts": "同意。"}, headers={"X-Guicheng-Fetch": "1"})
    assert (ended.status_code, ended.json["error"]["code"]) == (401, "login_required")
    again = site.client.post("/login/again", data={"login": person, "password": PASSWORD, "person": str(mine)}, headers={"X-Guicheng-Fetch": "1"})
    assert again.status_code == status
    if status == 200:
        saved = site.client.post("/me/phrases", data={"texts": "同意。"}, headers={"X-Guicheng-Fetch": "1", "X-CSRF-Token": again.json["csrf"]})
        assert saved.json == {"location": "/me/phrases"}


def test_signing_out_ends_the_session(site: Site) -> None:
    site.sign_in("officer")
    assert site.post("/logout").status_code == 303
    assert site.get("/desk").status_code == 302
