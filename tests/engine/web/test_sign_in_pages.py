"""Signing in by the pages, and what is refused: guesses at speed, stolen cookies, forged tokens, altered ids, huge and false input."""
from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import insert, select, update

from engine.access.directories import Ldap, read_directories
from engine.kernel.clock import FixedClock
from engine.kernel.errors import Invalid
from engine.kernel.gm import sm2_generate, sm2_sign
from engine.kernel.gm.certificates import to_pem
from engine.storage.tables.organisation import account, audit, person, session
from engine.storage.tables.sign_in import sign_in_policy
from engine.web.flask_app import create_flask
from tests.engine.web.site import Site
from tests.town import PASSWORD

OPERATOR = "head"


@pytest.fixture
def site(town: Any) -> Site:
    """The small town, without a walk through its content."""
    made = Site.__new__(Site)
    made.app, made.flask = town.app, create_flask(town.app)
    made.client = made.flask.test_client()
    with town.app.db.begin() as connection:
        connection.execute(update(account).where(account.c.login == OPERATOR).values(rights=["operator"]))
    return made


CHROME = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0"}


def rule(site: Site, **changes: Any) -> None:
    """A policy from today on."""
    from engine.kernel.ids import new_id

    at = site.app.clock.now()
    with site.app.db.begin() as connection:
        connection.execute(insert(sign_in_policy).values(id=new_id(), valid_from=at.date(), changes=changes, reason="试", by_name="试", at=at))


def recorded(site: Site, action: str) -> list[dict[str, Any]]:
    with site.app.db.connect() as connection:
        return list(connection.scalars(select(audit.c.detail).where(audit.c.action == action).order_by(audit.c.at, audit.c.seq)))


def pass_time(site: Site, by: timedelta) -> None:
    assert isinstance(site.app.clock, FixedClock)
    site.app.clock.advance(by)


def enrol(site: Site) -> tuple[pyotp.TOTP, list[str]]:
    """Set up a second factor as the signed-in person does it."""
    site.post("/me/two-steps/begin", page="/me/two-steps")
    page = site.get("/me/two-steps").text
    found = re.search(r'<p class="mono wrap">([A-Z2-7]{32})</p>', page)
    assert found is not None and "<svg" in page
    totp = pyotp.TOTP(found[1])
    answer = site.post("/me/two-steps/confirm", page="/me/two-steps", code=totp.at(site.app.clock.now()))
    return totp, re.findall(r"<li>([0-9a-f-]{24})</li>", answer.text)


def test_a_second_factor_is_asked_once_set_up_and_a_code_is_not_taken_twice(site: Site) -> None:
    site.sign_in("officer", PASSWORD)
    totp, spare = enrol(site)
    assert len(spare) == 10
    pass_time(site, timedelta(minutes=2))
    code = totp.at(site.app.clock.now())
    asked = site.sign_in("officer", PASSWORD)
    assert asked.status_code == 200 and "动态口令" in asked.text and site.client.get_cookie("guicheng") is None
    step = re.search(r'name="step" value="([^"]+)"', asked.text)
    assert step is not None
    wrong = site.post("/login/second", page="/login", step=step[1], code="12345")
    assert wrong.status_code == 422 and "不对" in wrong.text
    assert site.post("/login/second", page="/login", step=step[1], code=code).status_code == 303
    assert site.get("/desk").status_code == 200
    assert site.post("/login/second", page="/me", step=step[1], code=code).status_code == 410
    again = re.search(r'name="step" value="([^"]+)"', site.sign_in("officer", PASSWORD).text)
    assert again is not None
    assert site.post("/login/second", page="/login", step=again[1], code=code).status_code == 422  # used
    assert site.post("/login/second", page="/login", step=again[1], code=spare[0]).status_code == 303
    assert [one["way"] for one in recorded(site, "登录")] == ["password", "second", "second"]


def test_who_must_have_a_second_factor_sets_it_up_before_anything_else(site: Site) -> None:
    rule(site, second_rights=["operator"])
    site.sign_in(OPERATOR, PASSWORD)
    assert site.get("/desk").headers["Location"].endswith("/me/two-steps")
    assert site.get("/desk", headers={"X-Guicheng-Fetch": "1"}).json["error"]["code"] == "second_factor_first"
    enrol(site)
    assert site.get("/desk").status_code == 200
    assert site.post("/me/two-steps/remove", page="/me/two-steps").status_code == 422


def test_a_sensitive_act_asks_for_the_password_again_after_a_while(site: Site) -> None:
    site.sign_in("officer", PASSWORD)
    pass_time(site, timedelta(minutes=16))
    answer = site.post("/me/tokens", page="/me/tokens", title="对接", days="3")
    assert answer.status_code == 303 and "/me/confirm" in answer.headers["Location"]
    assert site.post("/me/tokens", page="/me/tokens", fetch=True, title="对接", days="3").json["error"]["code"] == "confirm_identity"
    assert site.post("/me/confirm", page="/me/confirm", password="wrong", next="/me/tokens").status_code == 422
    proved = site.post("/me/confirm", page="/me/confirm", password=PASSWORD, next="/me/tokens")
    assert (proved.status_code, proved.headers["Location"]) == (303, "/me/tokens")
    assert "gc_" in site.post("/me/tokens", page="/me/tokens", title="对接", days="3").text
    assert site.post("/me/confirm", page="/me/confirm", password=PASSWORD, next="//evil.example").headers["Location"] == "/me"


def test_guesses_at_speed_are_stopped_by_account_and_by_address_whoever_answers(site: Site) -> None:
    rule(site, tries_per_account=6, tries_per_address=12, failures=20)
    others = [site.flask, create_flask(site.app)]  # two workers, one count

    def guess(number: int, login: str) -> int:
        site.flask = others[number % 2]
        return int(site.sign_in(login, "wrong").status_code)

    assert [guess(number, "officer") for number in range(8)] == [422] * 6 + [429] * 2
    assert [guess(number, f"nobody{number}") for number in range(6)] == [422] * 4 + [429] * 2
    assert len(recorded(site, "登录受限")) == 2 and len(recorded(site, "登录失败")) == 10
    pass_time(site, timedelta(minutes=1))
    assert site.sign_in("officer", PASSWORD).status_code == 303


def test_wrong_words_lock_and_tell_nothing(site: Site) -> None:
    known = [site.sign_in("officer", f"wrong{n}").text for n in range(6)]
    unknown = [site.sign_in("nobody", f"wrong{n}").text for n in range(6)]

    def said(page: str) -> str:
        return "".join(re.findall(r'role="alert">([^<]*)', page))

    assert [said(page) for page in known] == [said(page) for page in unknown] != [""] * 6
    assert "锁定" in said(known[-1]) and site.sign_in("officer", PASSWORD).status_code == 422
    assert all("wrong" not in str(one) and "nobody" not in str(one) for one in recorded(site, "登录失败"))


def test_a_stolen_cookie_ends_the_session_and_is_on_record(site: Site) -> None:
    site.client = site.flask.test_client()
    site.client.environ_base["HTTP_USER_AGENT"] = CHROME["User-Agent"]
    site.post("/login", page="/login", login="officer", password=PASSWORD)
    assert site.get("/desk").status_code == 200
    thief = site.flask.test_client()
    cookie = site.client.get_cookie("guicheng")
    assert cookie is not None
    thief.set_cookie("guicheng", cookie.value)
    assert thief.get("/desk", headers={"User-Agent": "curl/8"}).status_code == 302
    assert site.get("/desk").status_code == 302  # ended for both
    assert recorded(site, "会话被冒用")[0]["sent_by"] == "curl/8"


def test_a_session_may_be_bound_to_its_address(site: Site) -> None:
    site.sign_in("officer", PASSWORD)
    far = {"REMOTE_ADDR": "203.0.113.9"}
    assert site.client.get("/desk", environ_base=far).status_code == 200
    rule(site, bind_network=True)
    assert site.client.get("/desk", environ_base=far).status_code == 302


def test_a_cookie_that_was_signed_out_or_left_behind_is_worth_nothing(site: Site) -> None:
    site.sign_in("officer", PASSWORD)
    first = site.client.get_cookie("guicheng")
    assert first is not None
    site.post("/logout")
    site.client.set_cookie("guicheng", first.value)
    assert site.get("/desk").status_code == 302
    site.sign_in("officer", PASSWORD)
    second = site.client.get_cookie("guicheng")
    assert second is not None and second.value != first.value
    with site.app.db.connect() as connection:
        post_id = connection.scalar(select(session.c.post_id))
    assert site.post("/me/post", page="/me", post=str(post_id)).status_code == 303
    third = site.client.get_cookie("guicheng")
    assert third is not None and third.value != second.value
    site.client.set_cookie("guicheng", second.value)
    assert site.get("/desk").status_code == 302
    for forged in ("", "x", third.value[:-1], third.value + "x", "é" * 50, "../../etc/passwd", "' OR 1=1 --", "x" * 5000):
        site.client.set_cookie("guicheng", forged)
        assert site.get("/desk").status_code == 302


def test_sessions_are_listed_and_ended_one_by_one_and_not_somebody_elses(site: Site) -> None:
    site.sign_in("officer", PASSWORD)
    kept = site.client
    site.sign_in("officer", PASSWORD)
    with site.app.db.connect() as connection:
        hashes = list(connection.scalars(select(session.c.token_hash).order_by(session.c.created_at)))
    site.sign_in(OPERATOR, PASSWORD)
    assert site.post(f"/me/sessions/{hashes[0].hex()}/end", fetch=True).status_code == 404
    assert site.post("/me/sessions/zz/end", fetch=True).status_code == 404
    site.client = kept
    page = site.get("/me").text
    assert page.count("/end\"") == 2 and "127.0.0.1" in page
    other = re.search(r'/me/sessions/([0-9a-f]{64})/end', page)
    assert other is not None
    assert site.post(f"/me/sessions/{other[1]}/end", page="/me").status_code == 303
    assert site.get("/me").text.count("/end\"") == 0


def test_a_certificate_signs_in(site: Site) -> None:
    pair, at = sm2_generate(), site.app.clock.now()
    with site.app.db.connect() as connection:
        name = connection.scalar(select(person.c.name).join(account).where(account.c.login == "officer")) or ""
    der = site.app.keys.issue_certificate(public=pair.public, name=name, organisation="所", valid_from=at - timedelta(days=1), valid_until=at + timedelta(days=9))
    pem = to_pem(der, "CERTIFICATE")
    site.sign_in("officer", PASSWORD)
    assert site.post("/me/certificates", page="/me/certificates", certificate="rubbish").status_code == 422
    assert site.post("/me/certificates", page="/me/certificates", certificate=pem).status_code == 303
    assert name in site.get("/me/certificates").text
    site.client = site.flask.test_client()

    def challenge() -> str:
        found = re.search(r'name="challenge" value="([^"]+)"', site.get("/login/certificate").text)
        assert found is not None
        return found[1]

    def answer(text: str) -> Any:
        signed = base64.b64encode(sm2_sign(pair.private, text.encode())).decode()
        return site.post("/login/certificate", page="/login", challenge=text, certificate=pem, signature=signed)

    text = challenge()
    thief, site.client = site.client, site.flask.test_client()
    assert answer(text).status_code == 422  # a challenge of another browser
    site.client = thief
    text = challenge()
    assert answer(text).status_code == 303
    assert site.get("/desk").status_code == 200
    site.client = site.flask.test_client()
    refused = answer(text)
    assert refused.status_code == 422 and "已经用过" in refused.text
    assert [one["way"] for one in recorded(site, "登录")] == ["password", "certificate"]
    site.sign_in("officer", PASSWORD)
    stop = re.search(r'/me/certificates/([0-9a-f-]{36})/stop', site.get("/me/certificates").text)
    assert stop is not None
    site.post(f"/me/certificates/{stop[1]}/stop", page="/me/certificates")
    site.client = site.flask.test_client()
    assert "没有绑定到账号，或已停用" in answer(challenge()).text


@pytest.mark.parametrize("login", ["<script>alert(1)</script>", "a\0b", "é" * 3000, "' OR '1'='1", "{{7*7}}", "../../etc/passwd", "*)(uid=*"])
def test_whatever_is_typed_is_only_a_wrong_login(site: Site, login: str) -> None:
    answer = site.sign_in(login, login)
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text and "49" not in "".join(re.findall(r'name="login"[^>]*', answer.text)) and "Traceback" not in answer.text


def test_huge_and_crooked_requests_are_refused_without_a_word_too_many(site: Site) -> None:
    site.sign_in("officer", PASSWORD)
    for path in ("/../../etc/passwd", "/static/../../../etc/passwd", "/static/%2e%2e/%2e%2e/engine/web/login.py", "/cases/..%2f..%2fetc", "/me/%00"):
        answer = site.get(path)
        assert answer.status_code in (302, 404) and "root:" not in answer.text and "import" not in answer.text
    huge = site.client.post("/login", data={"login": "x", "password": "y" * (9 * 1024 * 1024)})
    assert huge.status_code in (403, 413) and "Traceback" not in huge.text
    assert site.flask.test_client(use_cookies=False).get("/desk", headers={"Cookie": "guicheng=" + "x" * 60_000}).status_code == 302
    assert site.get("/desk", headers={"Authorization": "Bearer " + "x" * 60_000}).status_code == 401
    assert site.get("/login?next=https://evil.example").status_code in (200, 302)
    for forged in ("gc_x", "eyJhbGciOiJub25lIn0.e30.", "gc_" + "A" * 43):
        assert site.flask.test_client().get("/api/me", headers={"Authorization": f"Bearer {forged}"}).status_code == 401


def test_another_site_gets_nobody_in_and_nowhere(site: Site) -> None:
    site.client = site.flask.test_client()
    assert site.client.post("/login", data={"login": "officer", "password": PASSWORD}).status_code == 403
    for wanted in ("https://evil.example", "//evil.example", "/\\evil.example", "/x\r\nSet-Cookie: a=b"):
        site.client = site.flask.test_client()
        answer = site.post("/login", page="/login", login="officer", password=PASSWORD, next=wanted)
        assert answer.headers["Location"] == "/desk"


def test_behind_a_configured_proxy_the_clients_address_counts(site: Site) -> None:
    app = replace(site.app, settings=replace(site.app.settings, proxies=("127.0.0.0/8",)))
    site.flask = create_flask(app)
    site.client = site.flask.test_client()
    site.client.environ_base["HTTP_X_FORWARDED_FOR"] = "198.51.100.1, 203.0.113.77"
    site.post("/login", page="/login", login="officer", password=PASSWORD)
    with site.app.db.connect() as connection:
        assert connection.scalar(select(session.c.network)) == "203.0.113.77"


def test_other_houses_are_off_until_a_private_file_names_them(site: Site) -> None:
    folder = site.app.settings.data_dir
    assert site.get("/login/openid").status_code == 404
    file = folder / "sign_in.json"
    file.write_text('{"ldap": {"url": "ldap://127.0.0.1:1", "base": "dc=x"}}')
    file.chmod(0o600)
    assert read_directories(folder).ldap == Ldap(url="ldap://127.0.0.1:1", base="dc=x")
    assert site.sign_in("officer", PASSWORD).status_code == 303  # a directory that doesn't answer locks nobody out
    file.write_text('{"ldap": {"address": "x"}}')
    with pytest.raises(Invalid):
        read_directories(folder)
    file.unlink()


def test_an_ended_account_and_a_password_changed_elsewhere_end_sessions(site: Site) -> None:
    site.sign_in("officer", PASSWORD)
    first = site.client
    site.sign_in("officer", PASSWORD)
    site.post("/me/password", page="/me/password", old=PASSWORD, new="Zoudong-Xin-2027", again="Zoudong-Xin-2027")
    assert first.get("/desk").status_code == 302 and site.get("/desk").status_code == 200
    with site.app.db.begin() as connection:
        connection.execute(update(account).where(account.c.login == "officer").values(active=False))
    assert site.get("/desk").status_code == 302
