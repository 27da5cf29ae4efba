"""One shape for errors, headers on every answer, a sub-path from the first day."""
from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.kernel.errors import Conflict
from engine.web.flask_app import create_flask
from tests.engine.web.site import PASSWORD, Site

MISSING = "/cases/00000000-0000-7000-8000-000000000000"


def test_an_error_is_a_page_for_people_and_json_for_scripts(site: Site) -> None:
    site.sign_in("officer")
    page = site.get(MISSING)
    script = site.get(MISSING, headers={"X-Guicheng-Fetch": "1"})
    assert (page.status_code, script.status_code) == (404, 404)
    assert "没有找到这个案件" in page.text
    assert "回工作台" in page.text
    assert script.json == {"error": {"code": "not_found", "message": "没有找到这个案件，或您无权查看。"}}


def test_an_address_that_is_no_id_looks_like_what_is_not_there(site: Site) -> None:
    site.sign_in("officer")
    assert [site.get(path).status_code for path in ("/cases/1", "/tasks/x", "/documents/'", "/nowhere", "/desk?after=%21")] == [404, 404, 404, 404, 422]


def test_a_bug_says_what_happened_to_the_work_and_gives_a_number(site: Site, monkeypatch: Any) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("engine.web.start.starts.offered", broken)
    site.sign_in("officer")
    answer = site.get("/start")
    assert answer.status_code == 500
    assert "数据没有改动" in answer.text
    assert "问题编号" in answer.text
    assert "secret detail" not in answer.text


def test_a_conflict_keeps_its_code_and_message(site: Site, monkeypatch: Any) -> None:
    def busy(*_: Any, **__: Any) -> None:
        raise Conflict("这一步已由别人办理。", code="already_done")

    monkeypatch.setattr("engine.web.me.phrases.save_phrases", busy)
    site.sign_in("officer")
    answer = site.post("/me/phrases", page="/me/phrases", fetch=True, texts="x")
    assert (answer.status_code, answer.json) == (409, {"error": {"code": "already_done", "message": "这一步已由别人办理。"}})


def test_every_answer_carries_a_strict_policy(site: Site) -> None:
    site.sign_in("officer")
    for path in ("/login", "/desk", "/nowhere", "/v"):
        headers = site.get(path).headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["object-src"] == "'none'"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
    assert site.get("/desk").headers["Cache-Control"] == "private, no-cache"


def test_no_page_carries_a_script_of_its_own(site: Site) -> None:
    site.sign_in("agency_head")
    for path in ("/login", "/desk", "/cases", "/processes", "/me", "/me/tokens"):
        page = site.get(path).text
        assert " onclick=" not in page
        assert page.count("<script") == page.count("<script type=\"module\" src=")


def test_a_sub_path_is_in_every_address_whether_or_not_the_proxy_strips_it(site: Site) -> None:
    app = replace(site.app, settings=replace(site.app.settings, public_url="https://law.example.cn/banan"))
    client = create_flask(app).test_client()
    for path in ("/banan/login", "/login"):
        page = client.get(path, base_url="https://law.example.cn")
        assert page.status_code == 200
        assert 'action="/banan/login"' in page.text
        assert 'href="/banan/static/' in page.text
        assert page.headers["Strict-Transport-Security"] == "max-age=31536000" and "Strict-Transport-Security" not in site.get("/login").headers
    cookie = client.get("/banan/login", base_url="https://law.example.cn").headers.get("Set-Cookie") or client.get_cookie("guicheng_form", "law.example.cn", "/banan")
    assert cookie is not None
    assert client.get("/banan/desk", base_url="https://law.example.cn").headers["Location"].startswith("/banan/login?next=")


def test_cookies_stay_with_the_browser_and_the_site(site: Site) -> None:
    site.client = site.flask.test_client()
    answer = site.post("/login", page="/login", login="officer", password=PASSWORD)
    (cookie,) = [line for line in answer.headers.getlist("Set-Cookie") if line.startswith("guicheng=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
