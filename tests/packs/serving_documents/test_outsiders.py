"""As an outsider: nobody, a party without papers, and another party ask every address with real ids; none sees what isn't theirs."""
from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from engine.access.sessions import open_session
from engine.storage.tables.cases import attachment
from engine.storage.tables.documents import document
from engine.storage.tables.organisation import account
from engine.storage.tables.parties import party_paper
from engine.storage.tables.runtime import task
from engine.web.flask_app import create_flask
from engine.web.guard import COOKIE, is_public
from tests.packs.serving_documents.conftest import PERSON, ServedCase, add_party
from tests.packs.serving_documents.outside import Outsider
from tests.packs.serving_documents.test_online import bound

NOWHERE = "00000000-0000-7000-8000-000000000000"
SECRETS = ("麦浪", "汀兰路", "解除行政强制措施决定书", "91310101MA1FPX1234")


class House:
    """A case with a paper waiting for the factory, and every id on it."""

    def __init__(self, case: ServedCase) -> None:
        self.case, self.flask = case, create_flask(case.app)
        case.serve(case.paper(), route="online")
        case.run_jobs()
        self.factory = bound(case)
        picture = case.picture()
        with case.app.db.connect() as connection:
            self.ids = {
                "paper_id": str(connection.scalar(select(party_paper.c.id))), "case_id": str(case.case_id), "code": "AAAA-BBBB-CCCC",
                "task_id": str(connection.scalar(select(task.c.id).where(task.c.party_id.is_not(None)))),
                "document_id": str(connection.scalar(select(document.c.id).where(document.c.case_id == case.case_id))),
                "id": str(connection.scalar(select(attachment.c.id).where(attachment.c.id == UUID(picture[0]["id"])))),
            }

    def addresses(self, *, real: bool) -> list[tuple[str, str, str]]:
        """(endpoint, method, address) of every route below /party."""
        found = []
        for rule in self.flask.url_map.iter_rules():
            if rule.rule.startswith("/party"):
                with self.flask.test_request_context():
                    built = rule.build({name: self.ids[name] if real else NOWHERE for name in rule.arguments}, append_unknown=False)
                assert built is not None
                found += [(rule.endpoint, method, built[1]) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
        return found


@pytest.fixture
def house(case: ServedCase) -> House:
    return House(case)


def test_nobody_gets_further_than_the_doors(house: House) -> None:
    public = {"party_account.page", "party_account.sign_in", "party_account.sign_up", "party_account.begin", "party_account.confirm"}
    for endpoint, method, address in house.addresses(real=True):
        answer = house.flask.test_client().open(address, method=method)
        if endpoint in public:
            assert answer.status_code in (200, 403), endpoint
        else:
            assert (answer.status_code, "/party/login" in answer.headers.get("Location", "")) == (302, True) if method == "GET" else answer.status_code == 401, endpoint
        assert not any(secret in answer.text for secret in SECRETS), endpoint


def test_another_party_sees_of_real_ids_what_it_sees_of_none(house: House) -> None:
    add_party(house.case, "person", PERSON)
    other = Outsider(house.case.app, name="王一二", identifier="11010519491231002X", flask=house.flask)
    real, none = house.addresses(real=True), house.addresses(real=False)
    for (endpoint, method, address), (_, _, nowhere) in zip(real, none, strict=True):
        if endpoint == "party_account.sign_out":
            continue
        data: dict[str, Any] = {"task": house.ids["task_id"], "outcome": "sign", "data.read": "true"}
        seen = other.post(address, **data) if method == "POST" else other.get(address)
        blank = other.post(nowhere, **data) if method == "POST" else other.get(nowhere)
        assert seen.status_code == blank.status_code, endpoint
        assert not any(secret in seen.text for secret in SECRETS), endpoint
    assert house.case.waiting() == {"sign_online"}


def test_the_party_itself_sees_its_paper_and_nothing_of_the_offices(house: House) -> None:
    factory = house.factory
    assert "解除行政强制措施决定书" in factory.get(f"/party/papers/{house.ids['paper_id']}").text
    assert factory.get(f"/party/attachments/{house.ids['id']}").status_code == 404
    for rule in house.flask.url_map.iter_rules():
        if rule.rule.startswith("/party") or "GET" not in (rule.methods or ()) or is_public(house.flask, rule.endpoint):
            continue
        values = {name: house.ids.get(name, NOWHERE) if rule._converters[name].__class__.__name__ == "UnicodeConverter" else 1 for name in rule.arguments}
        try:
            with house.flask.test_request_context():
                built = rule.build(values, append_unknown=False)
        except Exception:  # a converter that takes neither
            continue
        assert built is not None
        assert factory.get(str(built[1])).status_code in (302, 401, 404), rule.endpoint


def test_a_colleagues_login_counts_for_nothing_on_the_parties_side(house: House) -> None:
    client = house.flask.test_client()
    with house.case.app.db.begin() as connection:
        officer = connection.scalar(select(account.c.id).where(account.c.login == "officer"))
        opened = open_session(connection, account_id=officer, post_id=None, agent="test", at=house.case.at)
    client.set_cookie(COOKIE, opened.token)
    assert client.get(f"/party/papers/{house.ids['paper_id']}").status_code == 302
    assert client.get(f"/party/tasks/{house.ids['task_id']}").status_code == 302


def test_an_officer_cannot_sign_for_the_party(house: House) -> None:
    from engine.kernel.errors import Forbidden

    with pytest.raises(Forbidden):
        house.case.do("officer", "sign_online", "sign", {"read": True, "consent": True, "address": "汀兰路"})


def test_no_act_without_the_sessions_own_token(house: House) -> None:
    for endpoint, method, address in house.addresses(real=True):
        if method == "POST":
            answer = house.factory.client.post(address, data={"csrf": "made up", "outcome": "sign"}, headers={"X-Guicheng-Fetch": "1"})
            assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "csrf"), endpoint


def test_the_same_key_signs_once(house: House) -> None:
    step = f"/party/tasks/{house.ids['task_id']}"
    answers = {"consent": "true", "address": "云浦区汀兰路 45 号", "read": "true"}
    assert house.factory.act(step, "sign", **answers).status_code == 303
    again = house.factory.post(f"{step}/complete", outcome="sign", key=f"party-{step[-12:]}-sign", **{f"data.{name}": value for name, value in answers.items()})
    assert again.status_code in (303, 409)
    assert len([act for act in house.case.acts() if act["node"] == "sign_online"]) == 1


def test_guessing_is_slowed_down(house: House) -> None:
    other = Outsider(house.case.app, name="王一二", identifier="11010519491231002X", flask=house.flask)
    codes = [other.post("/party/code", code=f"AAAA-BBBB-{number:04}").status_code for number in range(12)]
    assert codes[0] == 422
    assert codes[-1] == 429
    nobody = Outsider(house.case.app, flask=house.flask)
    told = [nobody.post("/party/login", page="/party/login", identifier="11010519491231002X", password="wrong").text for _ in range(6)]
    assert "证件号码或者密码不正确" in told[0]
    assert "已锁定" in told[5]
