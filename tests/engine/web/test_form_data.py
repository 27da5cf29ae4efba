"""What the pickers of a form get, and what they don't."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from engine.access import audit
from engine.access.parties import save_party
from engine.access.sessions import open_session
from engine.form_filling.party_records import party_input
from engine.storage.tables.organisation import account
from engine.storage.tables.organisation import audit as audit_table
from engine.web.flask_app import create_flask
from engine.web.guard import COOKIE
from tests.town import Town

WANG = {
    "kind": "person",
    "name": "王一二",
    "identifier_kind": "id_card",
    "identifier": "11010519491231002X",
    "phone": "13800138000",
    "sex": "女",
}
BAKERY = {
    "kind": "individual",
    "name": "云浦区麦浪面包房",
    "identifier_kind": "credit_code",
    "identifier": "92310199MA00042069",
    "operator": "白一二",
}


class Browser:
    """A signed-in browser."""

    def __init__(self, app: Any, town: Town, login: str) -> None:
        self.client: FlaskClient = create_flask(app).test_client()
        at: datetime = app.clock.now()
        with app.db.begin() as connection:
            account_id = connection.scalar(select(account.c.id).where(account.c.login == login))
            opened = open_session(connection, account_id=account_id, post_id=None, agent="test", at=at)
        self.client.set_cookie(COOKIE, opened.token)
        self.csrf = opened.csrf

    def items(self, path: str) -> list[dict[str, Any]]:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.get_json()["items"]
        return found

    def upload(self, name: str, data: bytes, **more: str) -> Any:
        sent = {"file": (io.BytesIO(data), name), "field": "photos", **more}
        return self.client.post("/attachments", data=sent, headers={"X-CSRF-Token": self.csrf, "X-Guicheng-Fetch": "1"})


@pytest.fixture
def app(town: Town) -> Any:
    return town.app


@pytest.fixture
def officer(app: Any, town: Town) -> Browser:
    return Browser(app, town, "officer")


@pytest.mark.parametrize("path", ["options", "people", "units", "cases", "parties"])
def test_nobody_asks_without_signing_in(app: Any, path: str) -> None:
    answer = create_flask(app).test_client().get(f"/forms/{path}?q=王", headers={"X-Guicheng-Fetch": "1"})
    assert answer.status_code == 401


def test_a_dictionary_is_searched_by_title_and_by_pinyin_initials(officer: Browser) -> None:
    assert [entry["title"] for entry in officer.items("/forms/options?dictionary=common.area&q=ljzjd")] == ["陆家嘴街道"]
    assert [entry["title"] for entry in officer.items("/forms/options?dictionary=common.area&q=外滩&parent=310101")] == ["外滩街道"]
    assert officer.items("/forms/options?dictionary=common.area&q=外滩&parent=310104") == []


@pytest.mark.parametrize("name", ["", "x", "a.b.c", "../etc.passwd", "common.nothing"])
def test_a_dictionary_that_is_none_gives_nothing(officer: Browser, name: str) -> None:
    answer = officer.client.get("/forms/options", query_string={"dictionary": name, "q": "a"}, headers={"X-Guicheng-Fetch": "1"})
    assert answer.status_code == 404 or answer.get_json()["items"] == []


def test_people_and_units_are_found_by_name(officer: Browser) -> None:
    assert [entry["title"] for entry in officer.items("/forms/people?q=周启")] == ["周启衡"]
    assert "第一市场监督管理所" in [entry["title"] for entry in officer.items("/forms/units?q=第一")]
    assert officer.items("/forms/people?q=") == []


def test_known_parties_are_masked_until_one_is_taken_and_that_is_noted(app: Any, town: Town, officer: Browser) -> None:
    with app.db.begin() as connection:
        for value in (WANG, BAKERY):
            save_party(connection, app.keys, given=party_input(value), at=app.clock.now())
    (found,) = officer.items("/forms/parties?q=王一")
    assert WANG["identifier"] not in str(found)
    taken = officer.client.get(f"/forms/parties?id={found['id']}").get_json()["party"]
    assert taken == WANG | {"party_id": found["id"]}
    with app.db.connect() as connection:
        noted = connection.execute(
            select(audit_table.c.object, audit_table.c.actor_name, audit_table.c.chain).where(audit_table.c.action == "party.reveal")
        ).one()
        assert (noted.object, noted.actor_name) == (found["id"], "顾明川")
        assert audit.verify(connection, noted.chain) is None


def test_an_individual_business_keeps_its_kind_in_the_party_table(app: Any, town: Town, officer: Browser) -> None:
    with app.db.begin() as connection:
        id = save_party(connection, app.keys, given=party_input(BAKERY), at=app.clock.now())
    assert officer.client.get(f"/forms/parties?id={id}").get_json()["party"] == BAKERY | {"party_id": str(id)}


def test_a_party_that_is_not_there_is_not_found(officer: Browser) -> None:
    assert (
        officer.client.get("/forms/parties?id=00000000-0000-7000-8000-000000000000", headers={"X-Guicheng-Fetch": "1"}).status_code == 404
    )


def test_a_photo_goes_up_and_comes_back_to_its_owner_only(app: Any, town: Town, officer: Browser) -> None:
    made = io.BytesIO()
    Image.new("RGB", (640, 480), "white").save(made, "JPEG")
    told = officer.upload("门头.jpg", made.getvalue())
    assert told.status_code == 201, told.text
    assert officer.client.get(told.get_json()["url"]).data == made.getvalue()
    assert officer.client.get(told.get_json()["thumbnail"]).mimetype == "image/jpeg"
    assert Browser(app, town, "other_officer").client.get(told.get_json()["url"]).status_code == 404


def test_a_file_of_the_wrong_kind_is_refused_in_one_sentence(officer: Browser) -> None:
    told = officer.upload("报告.pdf", b"MZ\x90\x00")
    assert told.status_code == 422
    assert told.get_json()["error"]["message"] == "“报告.pdf”没有上传：这是可执行程序或脚本，不能上传。"


def test_people_of_a_role_and_units_below_a_unit_are_offered_before_anything_is_typed(town: Town, officer: Browser) -> None:
    station, district = town.units["station_one"], town.units["district"]

    assert {entry["title"] for entry in officer.items("/forms/people?role=approval.handler")} == {"顾明川", "程砚白"}
    assert [entry["title"] for entry in officer.items(f"/forms/people?role=approval.office_head&in={station}&q=周")] == ["周启衡"]
    assert [entry["title"] for entry in officer.items(f"/forms/people?role=approval.office_head&in={town.units['station_two']}")] == ["白晓棠"]
    assert len(officer.items(f"/forms/units?kinds=station&in={district}")) == 2
    assert officer.items(f"/forms/units?kinds=station&in={station}&within=bureau")[0]["id"] == str(station)
    assert officer.items(f"/forms/units?kinds=squad&in={district}&within=bureau") == []


def test_a_person_without_the_role_and_a_unit_elsewhere_are_refused(town: Town) -> None:
    from engine.form_filling.model import Form
    from engine.form_filling.validate import validate
    from engine.kernel.errors import Invalid
    from engine.runtime.form_context import form_context

    form = Form.load({"title": "派发", "type": "object", "properties": {
        "who": {"type": "string", "title": "派给", "x-gc": {"widget": "person", "role": "approval.handler", "in": "squad"}},
        "where": {"type": "string", "title": "派到", "x-gc": {"widget": "unit", "within": "bureau", "in": "squad", "kinds": ["station"]}},
    }}, name="approval.sample", common=lambda piece: {})
    facts = {"squad": str(town.units["station_one"])}
    with town.app.db.connect() as connection:
        context = form_context(town.app, connection, actor=town.actor("officer"), form=form, at=town.app.clock.now(), facts=facts)
        good = validate(form, data={"who": str(town.people["officer"]), "where": facts["squad"]}, rights={}, context=context)
        with pytest.raises(Invalid) as refused:
            validate(form, data={"who": str(town.people["other_officer"]), "where": str(town.units["station_two"])}, rights={}, context=context)
    assert good.data["who"] == str(town.people["officer"])
    assert set(refused.value.fields) == {"who", "where"}
