"""The parties' way in: guesses tell nothing and are on record, a cookie belongs to its browser, a one-time code can't be guessed at speed."""
from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from engine.access import party_accounts
from engine.access.passwords import hash_password
from engine.storage.tables.organisation import audit
from engine.web.flask_app import create_flask
from tests.town import Town

NUMBER, OTHER, PASSWORD = "310101199003074618", "310101198001011234", "Dang-Shi-Ren-2026"
PHONE, COMPUTER = "Mozilla/5.0 (Linux; Android 15) Chrome/140.0", "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0"


class Outside:
    """A browser on the parties' side."""

    def __init__(self, flask: Any, agent: str = PHONE) -> None:
        self.client = flask.test_client()
        self.client.environ_base["HTTP_USER_AGENT"] = agent

    def post(self, path: str, page: str, **form: str) -> Any:
        found = re.search(r'name="csrf" (?:value|content)="([^"]+)"', self.client.get(page).text)
        return self.client.post(path, data={"csrf": found[1] if found else "", **form})

    def sign_in(self, number: str, password: str) -> Any:
        return self.post("/party/login", "/party/login", identifier=number, password=password)


@pytest.fixture
def flask(town: Town) -> Any:
    new = party_accounts.NewAccount(name="姜小满", identifier_kind="id_card", identifier=NUMBER, phone="13800000000", password_hash=hash_password(PASSWORD))
    with town.app.db.begin() as connection:
        party_accounts.sign_up(connection, town.app.keys, new=new, checked_by="试", check_number="1", at=town.app.clock.now())
    return create_flask(town.app)


def recorded(town: Town, action: str) -> list[Any]:
    with town.app.db.connect() as connection:
        return list(connection.scalars(select(audit.c.detail).where(audit.c.action == action).order_by(audit.c.seq)))


def test_wrong_numbers_and_wrong_passwords_get_the_same_words_and_are_on_record(town: Town, flask: Any) -> None:
    def said(number: str) -> list[str]:
        pages = [Outside(flask).sign_in(number, f"wrong{one}") for one in range(7)]
        assert [page.status_code for page in pages] == [422] * 7
        return ["".join(re.findall(r'role="alert">([^<]*)', page.text)) for page in pages]

    assert said(NUMBER) == said(OTHER)
    assert Outside(flask).sign_in(NUMBER, PASSWORD).status_code == 422  # locked for the right one too
    failures = recorded(town, "登录失败")
    assert len(failures) == 15 and all(NUMBER not in str(one) and "wrong" not in str(one) for one in failures)
    answers = [Outside(flask).sign_in(f"31010119800101{1000 + number}", "x").status_code for number in range(20)]
    assert answers[-1] == 429 and len(recorded(town, "登录受限")) == 1


def test_a_cookie_counts_in_its_own_browser_only(town: Town, flask: Any) -> None:
    owner, thief = Outside(flask), Outside(flask, COMPUTER)
    assert owner.sign_in(NUMBER, PASSWORD).status_code == 303 and owner.client.get("/party").status_code == 200
    cookie = owner.client.get_cookie("guicheng_party")
    assert cookie is not None
    thief.client.set_cookie("guicheng_party", cookie.value)
    assert thief.client.get("/party").status_code == 302 and owner.client.get("/party").status_code == 302
    assert recorded(town, "会话被冒用")[0]["sent_by"] == COMPUTER
    again = Outside(flask)
    assert again.sign_in(NUMBER, PASSWORD).status_code == 303
    kept = again.client.get_cookie("guicheng_party")
    assert again.post("/party/logout", "/party").status_code == 303 and kept is not None
    again.client.set_cookie("guicheng_party", kept.value)
    assert again.client.get("/party").status_code == 302
    for forged in ("", "x", kept.value[:-1], "../../etc/passwd", "é" * 40):
        again.client.set_cookie("guicheng_party", forged)
        assert again.client.get("/party").status_code == 302


def test_codes_on_paper_are_not_guessed(town: Town, flask: Any) -> None:
    owner = Outside(flask)
    owner.sign_in(NUMBER, PASSWORD)
    answers = [owner.post("/party/code", "/party/code", code=f"AAAA-BBBB-{number:04}").status_code for number in range(12)]
    assert answers[:10] == [422] * 10 and answers[-1] == 429
    assert len(recorded(town, "签收码不对")) == 10 and all("AAAA" not in str(one) for one in recorded(town, "签收码不对"))
    for crooked in ("/party/code/<script>alert(1)</script>", "/party/code/..%2f..%2fetc", "/party/code/" + "x" * 3000):
        page = owner.client.get(crooked)
        assert page.status_code in (200, 404) and "<script>alert" not in page.text
