"""The document's page for officers, and the public page for whoever holds the paper."""
from __future__ import annotations

import io
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from engine.access.sessions import open_session
from engine.documents.void import undo_document
from engine.kernel.ids import new_id
from engine.storage.tables.documents import verification
from engine.storage.tables.organisation import account
from engine.web.flask_app import create_flask
from engine.web.guard import COOKIE
from tests.engine.documents.conftest import AT, Bureau, bureau, key_folder  # noqa: F401

ROOT = "/gc"


@pytest.fixture
def client(bureau: Bureau) -> FlaskClient:  # noqa: F811
    object.__setattr__(bureau.app.settings, "secret_key", b"k" * 32)
    return create_flask(bureau.app).test_client()


def sign_in(bureau: Bureau, client: FlaskClient, who: str) -> None:  # noqa: F811
    id = new_id()
    with bureau.app.db.begin() as connection:
        connection.execute(insert(account).values(id=id, person_id=bureau.people[who], login=who, password_hash="x", updated_at=AT))
        opened = open_session(connection, account_id=id, post_id=None, agent="test", at=AT)
    client.set_cookie(COOKIE, opened.token, domain="example.invalid", path="/")


def get(client: FlaskClient, path: str) -> Any:
    return client.get(ROOT + path, base_url="https://example.invalid")


def post(client: FlaskClient, page: str, path: str, **data: Any) -> Any:
    token = re.search(r'name="csrf" value="([^"]+)"', get(client, page).text)
    assert token is not None
    return client.post(ROOT + path, data={"csrf": token[1], **data}, base_url="https://example.invalid")


def test_a_stranger_reads_the_verdict_of_every_state(bureau: Bureau, client: FlaskClient) -> None:  # noqa: F811
    row = bureau.sealed()
    page = get(client, f"/v/{row.check_code}")
    assert page.status_code == 200
    for words in ("核验通过", row.number, "上海砚****有限公司", "2026 年 11 月 20 日"):
        assert words in page.text
    assert "上海砚汀车业有限公司" not in page.text
    with bureau.app.db.begin() as connection:
        undo_document(connection, document_id=row.id, reason="认定事实有误", at=AT)
    withdrawn = get(client, f"/v/{row.check_code.lower()}").text
    assert "已撤回" in withdrawn
    assert "认定事实有误" in withdrawn
    assert "查无此文书" in get(client, "/v/ZZZZ-ZZZZ-ZZ").text


def test_a_stranger_uploads_the_file_and_learns_that_a_byte_was_changed(bureau: Bureau, client: FlaskClient) -> None:  # noqa: F811
    row = bureau.sealed()
    pdf = bureau.pdf(row)
    flipped = bytearray(pdf)
    flipped[len(pdf) // 2] ^= 1
    path = f"/v/{row.check_code}"
    assert "核验通过" in post(client, path, path, file=(io.BytesIO(pdf), "a.pdf")).text
    altered = post(client, path, path, file=(io.BytesIO(bytes(flipped)), "a.pdf"))
    assert "内容被改动" in altered.text
    with bureau.app.db.connect() as connection:
        results = connection.execute(select(verification.c.result, verification.c.network).order_by(verification.c.id)).all()
    assert [r.result for r in results if r.result == "altered"] == ["altered"]
    assert {r.network for r in results} == {"127.0.0.1"}


def test_an_address_that_asks_too_often_has_to_wait(bureau: Bureau, client: FlaskClient) -> None:  # noqa: F811
    answers = [get(client, "/v/ZZZZ-ZZZZ-ZZ").status_code for _ in range(21)]
    assert 429 not in answers[:20]
    assert answers[20] == 429


def test_an_officer_of_the_case_sees_pages_seals_and_pdf(bureau: Bureau, client: FlaskClient) -> None:  # noqa: F811
    row = bureau.sealed("form", opinions=bureau.opinions())
    sign_in(bureau, client, "shen")
    page = get(client, f"/documents/{row.id}")
    assert page.status_code == 200
    for words in ("立案审批表", row.number, "沈砚秋", "顾明川", row.check_code):
        assert words in page.text
    assert "第 1 页，共 1 页" in get(client, f"/documents/{row.id}/pages").text
    assert get(client, f"/documents/{row.id}/pages/{row.pdf_sm3}/1.png").data[:4] == b"\x89PNG"
    assert get(client, f"/documents/{row.id}/pages/{row.pdf_sm3}/2.png").status_code == 404
    assert "有效，内容未改动" in get(client, f"/documents/{row.id}/check").text
    assert get(client, f"/documents/{row.id}/pdf").data == bureau.pdf(row)


def test_who_may_not_see_the_case_sees_no_document(bureau: Bureau, client: FlaskClient) -> None:  # noqa: F811
    row = bureau.sealed()
    sign_in(bureau, client, "lu")
    for path in ("", "/pdf", "/pages", "/check", f"/pages/{row.pdf_sm3}/1.png"):
        assert get(client, f"/documents/{row.id}{path}").status_code == 404, path
