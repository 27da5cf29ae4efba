"""Requests that no browser of ours sends: files that lie, crooked addresses, broken bodies, worthless tokens. Each is refused, logged and told nothing."""
from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select, text, update
from structlog.testing import capture_logs

import engine.web
from engine.kernel.clock import FixedClock
from engine.storage.tables.organisation import account, api_token, audit
from engine.storage.tables.proof import integrity_alarm
from tests.engine.web.test_every_route import House
from tests.engine.web.test_scripts_in_fields import EVERYTHING
from tests.town import Town

LEAKS = re.compile(r"Traceback|psycopg|sqlalchemy|root:x:|/usr/lib|site-packages|SELECT .* FROM|engine/[a-z]+/", re.I)
PROGRAM, PAGE = b"MZ\x90\x00" + b"\0" * 200, b"<!doctype html><script>alert(1)</script>"
XXE = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">&x;</definitions>'
BILLION = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "' + b"a" * 50 + b'">' + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%s;" % (str(n - 1).encode() if n > 1 else b"") * 10) for n in range(1, 9)) + b"]><d>&a8;</d>"


def picture(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 40), "white").save(out, kind)
    return out.getvalue()


def archive(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as into:
        for name, data in members.items():
            into.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return out.getvalue()


BOMB = archive(**{"xl__workbook_dot_xml": b"<workbook/>", "[Content_Types]_dot_xml": b"<x/>", "xl__worksheets__sheet1_dot_xml": b" " * (40 << 20)})
MACROS = archive(**{"xl__workbook_dot_xml": b"<workbook/>", "[Content_Types]_dot_xml": b"<x/>", "xl__vbaProject_dot_bin": b"x"})
LIES = {
    "照片.jpg": PROGRAM, "合同.pdf": PAGE, "图.png": b"#!/bin/sh\nrm -rf /", "视频.mp4": b"\x7fELF" + b"\0" * 99, "表.xlsx": MACROS, "说明.docx": archive(setup_dot_exe=b"MZ"), "../../etc/cron.d/x.pdf": PAGE,
    "a.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "不是图.jpg": picture("PNG")[:50], "大.xlsx": BOMB, "流程.bpmn": XXE, "决策.dmn": BILLION, "表单.json": b"[" * 100_000, "名单.csv": PROGRAM,
}
UPLOADS = {
    "attachments": ("/attachments", {"field": "files"}), "processes": ("/processes/deploy", {"pack": "case_filing", "note": "x"}), "calendar": ("/admin/calendar/new", {"title": "x"}),
    "own_certificates": ("/me/certificates", {}), "admin_boundaries": ("/admin/boundaries", {"level": "district", "source": "x"}), "admin_file": ("/admin/organisation/file", {}), "verify": ("/v/-", {}), "register_excel": ("", {}),
}
ELSEWHERE = {"api.attachments": "the same store", "party_files": "the same store"}


@pytest.fixture
def house(town: Town) -> House:
    made = House(town)
    with town.app.db.begin() as connection:
        connection.execute(account.update().where(account.c.login == "officer").values(rights=EVERYTHING))
    return made


def everything_kept(house: House) -> dict[str, int]:
    with house.app.db.connect() as connection:
        return {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0 for name in ("attachment", "definition", "calendar_change", "sign_in_certificate", "unit", "person")}


def test_files_that_lie_about_their_kind_are_refused_at_every_upload(house: House) -> None:
    taking = {str(path.relative_to(Path(engine.web.__file__).parent).with_suffix("")).replace("/", ".") for path in Path(engine.web.__file__).parent.rglob("*.py") if "request.files" in path.read_text()}
    assert taking == {*UPLOADS, *ELSEWHERE}  # a new upload has to be tried here
    browser, kept, wrong = house.browser("officer"), everything_kept(house), []
    importable = next(one for one in re.findall(r'href="(/registers/[a-z_]+/[a-z_]+)"', browser.get("/registers").text) if browser.get(f"{one}/import").status_code == 200)
    for where, (address, more) in {**UPLOADS, "register_excel": (f"{importable}/import", {})}.items():
        for name, data in LIES.items():
            answer = browser.post(address, {**more, "file": (io.BytesIO(data), name)}, headers={"X-Guicheng-Fetch": "1"})
            house.app.jobs.run_due(house.app) if where in ("register_excel", "admin_file") else None
            shown = answer.text if answer.mimetype in ("text/html", "application/json") else ""
            if answer.status_code >= 500 or LEAKS.search(shown) or (answer.status_code < 400 and where not in ("verify", "register_excel", "admin_file")):
                wrong.append((where, name, answer.status_code, shown[:200]))
    assert wrong == [] and everything_kept(house) == kept


TRICKS = ("../../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%00", "….//", "C:%5cWindows%5cwin.ini", "'%20OR%201=1--", "{{7*7}}", "x" * 3000, "-1", "１", "%ff%fe")


def test_crooked_words_in_any_address_lead_nowhere_and_leak_nothing(house: House) -> None:
    browser, wrong = house.browser("officer"), []
    for number, rule in enumerate(house.flask.url_map.iter_rules()):
        if "GET" not in (rule.methods or ()) or not rule.arguments:
            continue
        for trick in (TRICKS[number % len(TRICKS)], TRICKS[(number + 4) % len(TRICKS)]):
            path = trick.join(re.split(r"<[^>]+>", rule.rule))
            answer = browser.get(path)
            told = answer.text if answer.mimetype in ("text/html", "application/json") else ""
            if answer.status_code >= 500 or LEAKS.search(told):
                wrong.append((rule.endpoint, path[:80], answer.status_code, told[:200]))
    for question in ("?after=%00", "?q=%00%ff", "?sort='--", "?w={", "?w=" + "[" * 2000, "?page=-1", "?f.x=1", "?from=9999-99-99", "?col=" + "x" * 3000):
        for page in ("/desk", "/cases", "/search", "/registers/case_filing/clue", "/admin/audit", "/notices", "/clocks", "/processes", "/admin/people", "/admin/sign-in"):
            answer = browser.get(page + question)
            if answer.status_code >= 500 or LEAKS.search(answer.text):
                wrong.append((page, question[:40], answer.status_code, answer.text[:200]))
    assert wrong == []


def test_bodies_that_are_broken_deep_or_of_another_kind_are_refused(house: House) -> None:
    wrong, client = [], house.flask.test_client()
    headers = {"Authorization": f"Bearer {house.token('officer')}", "Idempotency-Key": "hostile-1"}
    bodies: tuple[tuple[bytes, str], ...] = (
        (b"[" * 50_000, "application/json"), (b'{"a":' * 5_000, "application/json"), (b'"x"', "application/json"), (b"\xff\xfe", "application/json"), (b'{"data": {"__proto__": 1e999}}', "application/json"),
        (b"a=b", "application/x-www-form-urlencoded"), (b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n", "multipart/form-data; boundary=x"), (XXE, "application/xml"),
    )
    for number, rule in enumerate(house.flask.url_map.iter_rules()):
        if rule.endpoint.startswith("api.") and "POST" in (rule.methods or ()):
            body, kind = bodies[number % len(bodies)]
            answer = client.post(house._address(rule, real=True), data=body, headers=headers, content_type=kind)
            if not 400 <= answer.status_code < 500 or LEAKS.search(answer.text):
                wrong.append((rule.endpoint, kind, answer.status_code, answer.text[:200]))
    browser = house.browser("officer")
    for body in (b"csrf=%s&" % browser.csrf.encode() + b"a=1&" * 20_000, b"csrf=" + b"\xff" * 1000):
        answer = browser.client.post(f"/tasks/{house.ids['task_id']}", data=body, content_type="application/x-www-form-urlencoded")
        if not 400 <= answer.status_code < 500:
            wrong.append(("form", repr(body[:20]), answer.status_code, answer.text[:200]))
    assert wrong == []


def test_ids_of_others_in_a_form_change_nothing(house: House) -> None:
    """The case, the task, the person and the file are named in the body; those that are not the sender's are refused."""
    head, before = house.browser("other_head"), everything_kept(house)
    task, file = str(house.ids["task_id"]), str(house.ids["attachment_id"])
    answers = [
        head.post("/attachments", {"file": (io.BytesIO(picture("PNG")), "a.png"), "field": "files", "task": task}), head.post(f"/attachments/{file}/remove"),
        head.post("/me/post", {"post": str(house.ids["person_id"])}), head.post("/desk/batch", {"task": [task], "outcome": "approve", "opinion": "同意。", "key": "hostile-22"}),
    ]
    assert all(400 <= answer.status_code < 500 or "没有" in answer.text or answer.status_code == 303 for answer in answers), [answer.status_code for answer in answers]
    assert everything_kept(house) == before
    with house.app.db.connect() as connection:
        assert connection.execute(text("SELECT status FROM task WHERE id = :t"), {"t": task}).scalar_one() in ("open", "claimed", "assigned", "pooled")


def test_tokens_that_ran_out_were_revoked_or_belong_to_nobody_are_worth_nothing(house: House) -> None:
    client, good = house.flask.test_client(), house.token("officer")
    assert isinstance(house.app.clock, FixedClock)

    def status(token: str) -> int:
        return client.get("/api/me", headers={"Authorization": f"Bearer {token}"}).status_code

    assert status(good) == 200
    forged = [good[:-1], good + "A", good.swapcase(), good[:10] + "A" * (len(good) - 10), "eyJhbGciOiJub25lIn0.eyJzdWIiOiJvZmZpY2VyIn0.", "null", "é", "gc_" + "0" * 43]
    assert [status(token) for token in forged] == [401] * len(forged)
    for change, back in (({"active": False}, {"active": True}),):
        with house.app.db.begin() as connection:
            connection.execute(update(account).where(account.c.login == "officer").values(change))
        assert status(good) == 401
        with house.app.db.begin() as connection:
            connection.execute(update(account).where(account.c.login == "officer").values(back))
    assert status(good) == 200
    house.app.clock.advance(timedelta(days=2))
    assert status(good) == 401
    again = house.token("officer")
    with house.app.db.begin() as connection:
        connection.execute(update(api_token).values(revoked_at=house.app.clock.now()))
    assert status(again) == 401


@pytest.mark.requirement("NFM-050")
@pytest.mark.requirement("NFR-061")
@pytest.mark.requirement("NFM-014")
@pytest.mark.requirement("NFM-076")
def test_what_is_refused_is_logged_and_whoever_is_refused_often_becomes_an_alarm(house: House) -> None:
    browser = house.browser("other_officer")
    with capture_logs() as lines:
        for number in range(35):
            browser.get(f"/cases/{house.ids['case_id']}?x={number}")
        browser.client.post("/logout", data={"csrf": "forged"})
    refused = [line for line in lines if line["event"] == "refused"]
    assert len(refused) == 36 and {line["who"] for line in refused} == {"莫怀瑾"} and refused[-1]["code"] == "csrf" and refused[0]["path"] == f"/cases/{house.ids['case_id']}"
    assert all("x=" not in str(line) for line in refused)
    with house.app.db.connect() as connection:
        alarms = connection.execute(select(integrity_alarm.c.level, integrity_alarm.c.text).where(integrity_alarm.c.kind == "attack")).all()
        assert [one.level for one in alarms] == ["middle"] and "莫怀瑾" in alarms[0].text
        assert connection.scalar(select(func.count()).where(audit.c.action == "access.refused_often")) == 1
    stranger = house.flask.test_client()
    found = re.search(r'name="csrf" value="([^"]+)"', stranger.get("/login").text)
    for _ in range(22):
        stranger.post("/login", data={"csrf": found[1] if found else "", "login": "officer", "password": "wrong"})
    guard = house.browser("officer").get("/admin/audit").text
    assert "中危" in guard and "低危" in guard and "登录太频繁" in guard
