"""The pages that guard: audit, keys, retention, export, reveal, seen by who may and by who may not."""
from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from sqlalchemy import select, text

from engine.kernel.settings import ROOT
from engine.storage.tables.organisation import audit
from engine.web.flask_app import create_flask
from tests.browser import Browser
from tests.engine.runtime.walk import HANDLING, do, start_clue
from tests.engine.web.test_eight_kinds import pages
from tests.engine.web.test_every_route import House
from tests.town import PASSWORD, Town


@pytest.fixture
def site(town: Town) -> Any:
    """The town with an auditor and a security administrator."""
    with town.app.db.begin() as connection:
        connection.execute(text("UPDATE account SET rights = '[\"auditor\"]' WHERE login = 'keeper'"))
        connection.execute(text("UPDATE account SET rights = '[\"security\"]' WHERE login = 'staff'"))
    flask = create_flask(town.app)
    return town, lambda login: Browser(town.app, login, flask=flask), flask


def actions(town: Town) -> list[str]:
    with town.app.db.connect() as connection:
        return list(connection.scalars(select(audit.c.action).order_by(audit.c.at, audit.c.chain, audit.c.seq)))


def test_the_auditor_reads_verifies_and_closes_alarms(site: Any) -> None:
    town, browser, _ = site
    started = start_clue(town)
    auditor = browser("keeper")
    page = auditor.get("/admin/audit").get_data(as_text=True)
    assert "权限变动" in page and "没有未处理的告警" in page
    assert auditor.post("/admin/audit/verify").status_code == 303
    town.app.jobs.run_due(town.app)
    assert "全部如初" in auditor.get("/admin/audit").get_data(as_text=True)
    with town.app.db.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # as the owner of a database can
        connection.execute(text("UPDATE audit SET actor_name = '李四' WHERE action = 'act.start'"))
    auditor.post("/admin/audit/verify")
    town.app.jobs.run_due(town.app)
    page = auditor.get("/admin/audit").get_data(as_text=True)
    assert "高危" in page and "这条记录的内容或顺序被改动" in page and "发现 1 处问题" in page
    with town.app.db.connect() as connection:
        id = connection.scalar(text("SELECT id FROM integrity_alarm"))
        assert connection.scalar(text("SELECT count(*) FROM notice WHERE link = '/admin/audit'")) == 2
    assert auditor.post(f"/admin/audit/alarms/{id}", {"reason": " "}).status_code == 422
    assert auditor.post(f"/admin/audit/alarms/{id}", {"reason": "演练，已恢复"}).status_code == 303
    assert "没有未处理的告警" in auditor.get("/admin/audit").get_data(as_text=True)
    found = auditor.get(f"/admin/audit?case=/cases/{started.case_id}&kind=act").get_data(as_text=True)
    assert "第 1 条" in found or "办理" in found
    sheet = auditor.get("/admin/audit/records.csv?kind=rights")
    assert sheet.mimetype == "text/csv" and "rights.change" in sheet.get_data(as_text=True)
    for wrong in ("from=x", "after=x", "case=x"):
        assert auditor.get(f"/admin/audit?{wrong}").status_code in (404, 422)


def test_keys_are_changed_on_the_page(site: Any) -> None:
    town, browser, _ = site
    start_clue(town)
    security = browser("staff")
    page = security.get("/admin/security").get_data(as_text=True)
    assert "未全部满足" in page
    assert security.post("/admin/security/rounds", {"kind": "data"}).status_code == 303
    assert "进行中" in security.get("/admin/security").get_data(as_text=True)
    town.app.jobs.run_due(town.app)
    assert "已完成" in security.get("/admin/security").get_data(as_text=True) and town.app.keys.data_key.version == 2
    assert browser("keeper").post("/admin/security/rounds", {"kind": "data"}).status_code == 403
    assert security.post("/admin/audit/verify").status_code == 403
    officer = browser("officer")
    for path in ("/admin/audit", "/admin/security", "/admin/requirements", "/admin/retention", "/admin/audit/records.csv"):
        assert officer.get(path).status_code == 403
    assert b"BEGIN CERTIFICATE" in officer.get("/root.pem").data


@pytest.mark.requirement("NFM-050")
@pytest.mark.requirement("NFR-061")
def test_a_head_exports_a_case_and_the_handler_reveals_with_a_reason(site: Any) -> None:
    town, browser, _ = site
    started = start_clue(town)
    person = {"phone": "13800000000", "address": "云浦区汀兰路 45 号", "kind": "person", "name": "姜小满", "identifier_kind": "id_card", "identifier": "310101199003074618", "sex": "female", "birth_date": "1990-03-07"}
    do(town, "officer", "verify", "file", data={**HANDLING, "party": person})
    head, officer, path = browser("head"), browser("officer"), f"/cases/{started.case_id}/export"
    assert "导出案件" in head.get(path).get_data(as_text=True)
    assert head.post(path, {"reason": ""}).status_code == 422
    assert head.post(path, {"reason": "移送法院", "revealed": "1"}).status_code == 303
    assert officer.post(path, {"reason": "看看"}).status_code == 403
    assert browser("other_head").get(path).status_code == 404
    assert "正在做" in head.get(path).get_data(as_text=True)
    town.app.jobs.run_due(town.app)
    with town.app.db.connect() as connection:
        id = connection.scalar(text("SELECT id FROM case_bundle"))
    answer = head.get(f"{path}/{id}.zip")
    assert "manifest.json" in zipfile.ZipFile(io.BytesIO(answer.data)).namelist()
    assert browser("chief").get(f"{path}/{id}.zip").status_code == 404
    assert "310101199003074618" not in head.get(f"/cases/{started.case_id}").get_data(as_text=True)
    reveal = f"/cases/{started.case_id}/reveal"
    assert officer.post(reveal, {"reason": ""}).status_code == 422
    shown = officer.post(reveal, {"reason": "核对身份证原件"}).get_data(as_text=True)
    assert "310101199003074618" in shown and "13800000000" in shown
    assert browser("staff").post(reveal, {"reason": "看看"}).status_code in (403, 404)
    assert {"trace.export", "trace.download", "trace.reveal"} <= set(actions(town))


def test_files_prints_failed_sign_ins_and_changed_rights_are_on_record(site: Any) -> None:
    town, browser, flask = site
    officer = browser("officer")
    sent = officer.client.post("/attachments", data={"csrf": officer.csrf, "field": "x", "file": (io.BytesIO(b"%PDF-1.4\n%%EOF"), "a.pdf")}, content_type="multipart/form-data")
    if sent.status_code == 201:
        assert officer.get(sent.json["url"]).status_code == 200
        assert "trace.view" in actions(town)
    assert officer.post("/traces/print", {"path": "/cases"}).status_code == 204
    assert officer.post("/traces/print", {"path": "javascript:x"}).status_code == 422
    stranger = flask.test_client()
    csrf = stranger.get("/login").get_data(as_text=True).split('name="csrf" value="')[1].split('"')[0]
    for login in ("officer", "hunter2-typed-here-by-mistake"):
        assert stranger.post("/login", data={"csrf": csrf, "login": login, "password": "wrong"}).status_code == 422
    stranger.post("/login", data={"csrf": csrf, "login": "officer", "password": PASSWORD})
    found = actions(town)
    assert found.count("登录失败") == 2 and "登录" in found and "trace.print" in found and "rights.change" in found
    with town.app.db.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM audit WHERE audit::text LIKE '%hunter2%'")) == 0
        assert connection.scalar(text("SELECT actor_name FROM audit WHERE action = 'trace.print'")) == "顾明川"


@pytest.mark.requirement("CMD-177")
def test_pages_carry_a_watermark_with_name_and_time_also_in_print(site: Any) -> None:
    _, browser, _ = site
    page = browser("officer").get("/").get_data(as_text=True) or browser("officer").get("/desk").get_data(as_text=True)
    page = page if "watermark" in page else browser("officer").get("/cases").get_data(as_text=True)
    from urllib.parse import unquote

    assert "顾明川 2026-11-20 09:00" in unquote(page)
    assert "print-color-adjust:exact" in (ROOT / "engine/web/front/parts/shell.css").read_text()


@pytest.mark.requirement("CMD-177")
def test_every_page_behind_the_login_carries_the_watermark_and_every_sheet_that_leaves_the_name(town: Town) -> None:
    house = House(town)
    with town.app.db.begin() as connection:
        connection.execute(text("UPDATE account SET rights = '[\"admin\", \"security\", \"auditor\", \"analyst\", \"operator\", \"see_all_cases\"]' WHERE login = 'officer'"))
    officer, bare, marked = house.browser("officer"), [], 0
    for endpoint, address in pages(house):
        answer = officer.get(address)
        if answer.status_code == 200 and answer.mimetype == "text/html" and "<html" in answer.text:
            marked += 'class="watermark"' in answer.text
            if 'class="watermark"' not in answer.text:
                bare.append(endpoint)
    assert set(bare) <= PUBLIC_PAGES and marked > 50, (bare, marked)
    book = officer.post("/registers/case_filing/clue/export")
    with zipfile.ZipFile(io.BytesIO(book.data)) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml").decode()
    assert "顾明川" in sheet and "2026-11-20 09:00 导出" in sheet and "Header" in sheet and "Footer" in sheet


PUBLIC_PAGES = {"verify.ask", "verify.page", "login.page", "login_certificate.page", "open_api.page", "dashboards.screen"}
"""Pages for whoever holds a paper, and the way in."""
