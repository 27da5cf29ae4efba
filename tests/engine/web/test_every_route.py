"""Every route, asked by an officer of another unit with this unit's ids: what may not be seen looks like what is not there."""
from __future__ import annotations

import io
import re
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import insert, select
from werkzeug.test import TestResponse

from engine.access.tokens import create_token
from engine.kernel.ids import new_id
from engine.storage.tables.cases import case_file
from engine.storage.tables.documents import document
from engine.storage.tables.organisation import account, notice, post
from engine.storage.tables.proof import case_bundle
from engine.storage.tables.runtime import act, incident, instance, submission
from engine.storage.tables.sampling import sample_draw
from engine.web.flask_app import create_flask
from tests.browser import Browser
from tests.engine.runtime.walk import HANDLING, application, do, open_task, start_clue
from tests.engine.web import house_rows
from tests.town import Town

NOWHERE = "00000000-0000-7000-8000-000000000000"
SECRET = (
    "case_id", "task_id", "document_id", "submission_id", "act_id", "incident_id", "record_id", "notice_id", "token_id", "attachment_id", "person_id", "id", "bundle_id",
    "instance_id", "draw_id", "unit_id", "appointment_id", "view_id", "transfer_id", "fanout_id", "migration_id", "change_id", "destruction_id", "issue_id", "alarm_id", "certificate_id", "grave_id",
    "token_hash",
)
ELSEWHERE = {
    "paper_id": "tests/packs/serving_documents, as an outsider", "round_id": "tests/packs/assessment and tests/engine/runtime/key_rounds",
    "failure_id": "tests/engine/web/test_operations_pages", "job_id": "tests/engine/web/test_operations_pages",
    "rule_id": "tests/engine/web/test_message_pages: only an administrator sees rules at all",
    **dict.fromkeys(("pack", "name", "role", "process", "version", "kind", "code", "event", "filename", "act", "what", "number", "index", "item", "sm3", "level", "district"), "a word or a number, no id of a record"),
}
"""Parts of addresses that this crawler has no real value for, and why."""
FIELDS = {
    "outcome": "approve", "opinion": "看看。", "reason": "看看。", "to_node": "draft", "to_person_id": NOWHERE, "key": "stranger-1", "what": "skip",
    "form_hash": "", "rev": "0", "block": "facts", "text": "改一改",
    "people": NOWHERE, "when": "before", "words": "请看看。",
}
OPERATOR_ONLY = {"incidents.page", "incidents.one", "incidents.handle"}
ANALYST_ONLY = {"processes.deploy"}
WORDS = {"code": "case_filing.domain", "kind": "case_filing.clue", "event": "start"}
QUIET = {"notices.follow", "task_acts.colleagues", "fanouts.progress"}
"""Routes that answer everybody alike, whatever the id: the reader's own notices and colleagues, an empty piece of a page."""
BODIES: dict[str, dict[str, Any]] = {
    "api.migrations.check": {"mapping": {}},
    **{f"api.operations.{act}": {"reason": "核对"} for act in ("skip", "suspend", "resume", "terminate")},
    "api.operations.repair": {"facts": {"#place": "x"}, "reason": "核对"}, "api.operations.restore": {"act_id": NOWHERE, "reason": "核对"},
    "api.cases.begin_matter": {"process": "case_filing.clue_extension", "data": {}, "outcome": "submit"}, "api.acts.complete": {"outcome": "approve", "data": {}},
    "api.acts.give_back": {"to_node": "draft", "opinion": "看看。"}, "api.acts.transfer": {"to_person_id": NOWHERE, "reason": "看看。"},
    "api.tasks.draft": {"data": {}, "rev": 0}, "api.colleagues.delegate": {"to_person_id": NOWHERE}, "api.colleagues.sign": {"when": "before", "people": [NOWHERE]},
    "api.colleagues.opinion": {"stance": "agree"}, "api.colleagues.copy": {"people": [NOWHERE]}, "api.colleagues.comment": {"text": "看看。"}, "api.reveal.reveal": {"reason": "看看。"},
    "api.corrections.correct": {"data": {}, "reason": "看看。"}, "api.corrections.take_out": {"reason": "看看。"},
}


class House:
    """A case of the first station in mid-flow, the ids of everything on it, and people who want to look."""

    def __init__(self, town: Town) -> None:
        self.town, self.app = town, town.app
        self.flask: Flask = create_flask(town.app)
        case_id = start_clue(town).case_id
        do(town, "officer", "verify", "file", data=HANDLING)
        do(town, "officer", "draft", "submit", data=application(town))
        self.ids = {"case_id": case_id, "record_id": case_id, "task_id": open_task(town, "office_review")["id"], "person_id": town.people["officer"], "unit_id": town.units["station_one"], **self._rows(case_id)}
        uploaded = self._upload()
        self.ids |= {"attachment_id": uploaded, "id": uploaded}

    def _rows(self, case_id: UUID) -> dict[str, UUID]:
        at = self.app.clock.now()
        with self.app.db.begin() as connection:
            row = connection.execute(select(instance).where(instance.c.case_id == case_id)).mappings().first()
            assert row is not None
            broken = new_id()
            connection.execute(insert(incident).values(
                id=broken, instance_id=row["id"], case_id=case_id, node="verify", kind="service", message="对方系统没有应答。", status="open", opened_at=at,
            ))
            who = connection.execute(select(account.c.id, post.c.id).join(post, post.c.person_id == account.c.person_id).where(account.c.login == "officer")).one()
            token_id, _ = create_token(connection, account_id=who[0], post_id=who[1], title="核对", days=1, at=at)
            found = {name: connection.scalar(select(table.c.id).where(table.c.case_id == case_id).limit(1)) for name, table in
                     (("document_id", document), ("submission_id", submission), ("act_id", act), ("notice_id", notice))}
            made = self._made(connection, case_id, at)
        return {**found, **made, "incident_id": broken, "token_id": token_id, "instance_id": row["id"]}

    def _made(self, connection: Any, case_id: UUID, at: Any) -> dict[str, UUID]:
        """A file of the case that its head had made, and a draw from the case."""
        bundle_id, draw_id, head = new_id(), new_id(), self.town.people["head"]
        connection.execute(insert(case_bundle).values(id=bundle_id, case_id=case_id, person_id=head, person_name="周启衡", reason="移送", revealed=False, sm3=self.app.blobs.put(b"a file"), at=at, made_at=at))
        connection.execute(insert(sample_draw).values(
            id=draw_id, title="抽查", register="case_filing.clue", rule={}, seed="1", seed_source="公开数", population=1, population_sm3="0" * 64, picked=0, strata=[], proof_sm3="0" * 64,
            case_id=case_id, by_id=head, by_name="周启衡", unit_id=self.town.units["station_one"], district_id=self.town.units["district"], at=at,
        ))
        return {"bundle_id": bundle_id, "draw_id": draw_id, **house_rows.own(connection, self.town, at), **house_rows.of_case(connection, self.town, case_id, at)}

    def _upload(self) -> UUID:
        head = self.browser("head")
        photo = io.BytesIO()
        Image.new("RGB", (640, 480), "white").save(photo, "JPEG")
        sent = {"file": (io.BytesIO(photo.getvalue()), "门头.jpg"), "field": "files", "task": str(self.ids["task_id"])}
        answer = head.post("/attachments", sent, headers={"X-Guicheng-Fetch": "1"})
        assert answer.status_code == 201, answer.text
        return UUID(answer.get_json()["id"])

    def browser(self, login: str) -> Browser:
        return Browser(self.app, login, flask=self.flask)

    def case_words(self) -> list[str]:
        """Words that stand on this case and nowhere else: its number and its title."""
        with self.app.db.connect() as connection:
            row = connection.execute(select(case_file.c.number, case_file.c.title).where(case_file.c.id == self.ids["case_id"])).one()
        return [word for word in row if word]

    def token(self, login: str) -> str:
        with self.app.db.begin() as connection:
            who = connection.execute(select(account.c.id, post.c.id).join(post, post.c.person_id == account.c.person_id).where(account.c.login == login)).one()
            return create_token(connection, account_id=who[0], post_id=who[1], title="核对", days=1, at=self.app.clock.now())[1]

    def unknown(self) -> set[str]:
        """Parts of addresses that nobody said anything about."""
        return {name for rule in self.flask.url_map.iter_rules() for name in rule.arguments} - set(SECRET) - set(ELSEWHERE)

    def guarded(self) -> list[tuple[str, str, str, str]]:
        """(endpoint, method, address with this case's ids, address with ids of nothing) of every route that names something of a case.

        The parties' side knows no officers at all; tests/packs/serving_documents asks it as an outsider.
        """
        found = []
        for rule in self.flask.url_map.iter_rules():
            if rule.arguments & set(SECRET) and not rule.rule.startswith("/party"):
                for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                    found.append((rule.endpoint, method, self._address(rule, real=True), self._address(rule, real=False)))
        return found

    def _address(self, rule: Any, *, real: bool) -> str:
        """A route's address; what is named by an id that no case has gets the id of nothing, what is a word of the route its first."""
        ids = {name: str(self.ids[name]) if real else NOWHERE for name in SECRET}
        words = {} if "<any(" in rule.rule else WORDS
        values = {"pack": "case_filing", "name": "clue" if "registers" in rule.rule else "clue_extension", "sm3": "0" * 64, "role": "case_filing.handler", **words, **ids}
        given = {name: values.get(name, 1 if f"int:{name}" in rule.rule else _word(rule.rule, name)) for name in rule.arguments}
        with self.flask.test_request_context():
            built = rule.build(given, append_unknown=False)
        assert built is not None, (rule.rule, given)
        return str(built[1])


def _word(rule: str, name: str) -> str:
    """The first of the words that a route takes for ``name``, or an id of nothing."""
    choice = re.search(rf"<any\(([^)]*)\):{name}>", rule)
    return choice[1].split(",")[0].strip() if choice else NOWHERE


@pytest.fixture
def house(town: Town) -> House:
    return House(town)


def test_every_part_of_every_address_is_a_real_id_or_named_as_none(house: House) -> None:
    assert house.unknown() == set() and set(house.ids) == set(SECRET)


def look(answer: TestResponse) -> tuple[int, str, str]:
    """What a stranger can tell two answers apart by: status, error code, message."""
    body = answer.get_json(silent=True) or {}
    error = body.get("error", {"code": body.get("code"), "message": body.get("detail")})
    return answer.status_code, str(error.get("code")), str(error.get("message"))


@pytest.mark.requirement("NFM-050")
@pytest.mark.requirement("NFR-061")
@pytest.mark.requirement("NFM-014")
def test_a_stranger_with_real_ids_sees_what_everyone_sees_of_nothing(house: House) -> None:
    stranger = house.browser("other_officer")
    leaks, odd = [], []
    for endpoint, method, real, nothing in house.guarded():
        if endpoint.startswith("api.") or endpoint in QUIET:
            continue
        one, other = (stranger.client.open(path, method=method, data={**FIELDS, "csrf": stranger.csrf}, headers={"X-Guicheng-Fetch": "1"})
                      for path in (real, nothing))
        if look(one) != look(other):
            leaks.append((endpoint, look(one), look(other)))
        if one.status_code not in (403, 404) or "error" not in (one.get_json(silent=True) or {}):
            odd.append((endpoint, look(one)))
    assert (leaks, odd) == ([], [])


def test_a_strangers_token_sees_no_more_than_a_stranger(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.token('other_officer')}", "Idempotency-Key": "stranger-1"}
    leaks, odd = [], []
    for endpoint, method, real, nothing in house.guarded():
        if endpoint.startswith("api."):
            sent: dict[str, Any] = {"json": BODIES.get(endpoint, {})} if method != "GET" else {"query_string": {"outcome": "approve"}} if "foretell" in endpoint else {}
            one, other = (house.flask.test_client().open(path, method=method, headers=headers, **sent) for path in (real, nothing))
            if look(one) != look(other):
                leaks.append((endpoint, look(one), look(other)))
            if one.status_code not in (403, 404) or one.mimetype != "application/problem+json":
                odd.append((endpoint, look(one)))
    assert (leaks, odd) == ([], [])


def test_what_everybody_gets_alike_tells_nothing(house: House) -> None:
    stranger = house.browser("other_officer")
    one, other = (stranger.get(f"/tasks/{id}/colleagues") for id in (house.ids["task_id"], NOWHERE))
    assert re.findall("顾明川|周启衡", one.text) == re.findall("顾明川|周启衡", other.text) == []


def test_a_strangers_notice_leads_nowhere_and_stays_unread(house: House) -> None:
    stranger = house.browser("other_officer")
    one, other = (stranger.get(f"/notices/{id}") for id in (house.ids["notice_id"], NOWHERE))
    assert (one.status_code, one.headers.get("Location")) == (other.status_code, other.headers.get("Location"))
    with house.app.db.connect() as connection:
        assert connection.scalar(select(notice.c.read_at).where(notice.c.id == house.ids["notice_id"])) is None


def test_nothing_a_stranger_tried_left_a_trace(house: House) -> None:
    def acts() -> list[Any]:
        with house.app.db.connect() as connection:
            return list(connection.execute(select(act.c.id).order_by(act.c.id)))

    before, stranger = acts(), house.browser("other_officer")
    for _, method, real, _ in house.guarded():
        if method != "GET":
            stranger.client.open(real, method=method, data={**FIELDS, "csrf": stranger.csrf})
    assert acts() == before
    with house.app.db.connect() as connection:
        assert connection.scalar(select(incident.c.status)) == "open"


def test_pages_for_operators_and_analysts_are_shut_for_officers(house: House) -> None:
    officer = house.browser("officer")
    for rule in house.flask.url_map.iter_rules():
        if rule.endpoint in OPERATOR_ONLY | ANALYST_ONLY:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                answer = officer.client.open(
                    house._address(rule, real=True), method=method, data={**FIELDS, "csrf": officer.csrf}, headers={"X-Guicheng-Fetch": "1"},
                )
                assert (rule.endpoint, method, look(answer)[:2]) == (rule.endpoint, method, (403, "forbidden"))
                assert officer.client.open(house._address(rule, real=True), method=method, data={"csrf": officer.csrf}).status_code == 403


def test_every_refusal_has_the_one_shape_and_a_sentence_for_people(house: House) -> None:
    stranger = house.browser("other_officer")
    for endpoint, method, real, _ in house.guarded():
        if not endpoint.startswith("api.") and endpoint not in QUIET:
            told = stranger.client.open(real, method=method, data={"csrf": stranger.csrf}, headers={"X-Guicheng-Fetch": "1"})
            body = told.get_json(silent=True) or {}
            assert set(body) == {"error"}, endpoint
            assert {"code", "message"} <= set(body["error"]), endpoint
            assert body["error"]["message"].endswith("。"), (endpoint, body["error"]["message"])
            page = stranger.client.open(real, method=method, data={"csrf": stranger.csrf})
            assert (page.status_code, page.mimetype) == (told.status_code, "text/html"), endpoint
