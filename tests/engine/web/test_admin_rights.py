"""权限 in the browser: roles, holders, grants by function, register and field, why, and the matrix."""
from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pypdfium2 as pdfium
import pytest
import python_calamine
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from engine.access import integrity
from engine.access.actors import find_actor_by_login
from engine.access.staffing import create_account, set_rights
from engine.kernel.errors import Conflict, Invalid
from engine.registers.catalogue import get_register
from engine.registers.granted import for_reader
from engine.reporting.statistics.catalogue import get_statistic
from engine.reporting.statistics.granted import known_to
from engine.runtime.register_rights import may_export
from engine.storage.tables.organisation import account, audit, session
from engine.storage.tables.organising import access_grant
from engine.storage.tables.runtime import submission
from tests.engine.runtime.walk import HANDLING, do, start_clue
from tests.engine.web.test_admin_organisation import Office
from tests.town import Town

NOWHERE = "00000000-0000-7000-8000-000000000000"
NAMES = {"pack": "case_filing", "name": "domain", "code": "food_safety", "role": "case_filing.handler"}
SENT = {"reason": "x", "key": "three-officers-1", "what": "preview", "people": NOWHERE, "subject": "*", "years": "5", "law": "x", "title": "x", "day": "2026-01-01", "valid_from": "2026-12-01", "source": "x", "code": "zz"}
ALL = {"admin", "security", "auditor"}
SHARED = {
    "/admin/organisation/file/export": ALL,
    "/admin/sign-in/help": {"admin", "security"}, f"/admin/sign-in/sessions/{NOWHERE}/end": {"admin", "security"}, f"/admin/security/grave/{NOWHERE}/approve": {"auditor", "security"},
}
"""What more than one of them may do: take the organisation out to look at, and help people who can't sign in."""
ROLES, CLUE = "/admin/rights/roles", "case_filing.clue"


@pytest.fixture
def office(town: Town) -> Office:
    return Office(town)


def give(office: Office, role: str, number: int, **fields: Any) -> int:
    return office.security.post(f"{ROLES}/{role}/grant", {"reason": "文件〔2026〕1号", "key": f"grant-{role}-{number}", **fields}).status_code


def test_a_role_of_ones_own_opens_a_register_as_long_as_it_runs(office: Office) -> None:
    case_id = start_clue(office.town).case_id
    do(office.town, "officer", "verify", "file", data=HANDLING)
    assert office.security.post(ROLES, {"word": "watch", "title": "专班", "reason": "专项行动", "key": "role-watch-1"}).status_code == 303
    assert office.admin.post(ROLES, {"word": "other", "title": "别的", "reason": "x", "key": "role-other-1"}).status_code == 403
    record, stranger = f"/registers/case_filing/clue/{case_id}", office.browser("other_officer")
    assert stranger.get(record).status_code == 404
    named = {"people": office.town.people["other_officer"], "reason": "抽调", "valid_until": str(office.today), "key": "name-watch-1"}
    assert office.security.post(f"{ROLES}/own.watch/person", named).status_code == 303
    assert give(office, "own.watch", 1, kind="register", register=CLUE, action="read", scope="agency") == 303
    assert stranger.get(record).status_code == 200
    why = office.auditor.get(f"/admin/why?person={office.town.people['other_officer']}&thing=http://x{record}").get_data(as_text=True)
    assert "看得到这条台账记录" in why and "本局" in why
    with office.app.db.connect() as connection:
        tomorrow = find_actor_by_login(connection, login="other_officer", on=office.today + timedelta(days=1))
        assert tomorrow and not tomorrow.grants and integrity.check(connection, office.app.keys) == []
    grant = office.all(select(access_grant.c.id))[0]
    assert office.security.post(f"{ROLES}/own.watch/end_grant", {"grant": grant, "last_day": str(office.today - timedelta(days=1)), "reason": "结束", "key": "end-watch-1"}).status_code == 303
    assert stranger.get(record).status_code == 404
    assert "结束" in office.auditor.get("/admin/rights").get_data(as_text=True)


def test_closed_actions_and_hidden_fields_leave_it_to_grants(office: Office) -> None:
    start_clue(office.town)
    do(office.town, "officer", "verify", "file", data=HANDLING)
    register, _ = get_register(office.app.library, CLUE)
    shown = next(name for name, field in register.fields.items() if field.type == "choice")
    assert give(office, "everybody", 1, kind="closed", register=CLUE, action="export") == 303
    assert give(office, "everybody", 2, kind="field", field=f"{CLUE}.{shown}", level="hide") == 303
    assert give(office, "case_filing.handler", 3, kind="field", field=f"{CLUE}.{shown}", level="read") == 303
    assert give(office, "case_filing.handler", 4, kind="register", register=CLUE, action="export", scope="own") == 303
    assert give(office, "everybody", 5, kind="field", field=f"{CLUE}.nothing", level="hide") == 422
    assert give(office, "case_filing.handler", 6, kind="function", function="admin") == 422
    assert give(office, "everybody", 7, kind="function", function="export") == 422
    officer, head = office.town.actor("officer"), office.town.actor("head")
    assert (shown in for_reader(register, officer).fields, shown in for_reader(register, head).fields) == (True, False)
    assert (may_export(register, officer), may_export(register, head)) == (True, False)
    listed = office.browser("head").get("/registers/case_filing/clue").get_data(as_text=True)
    assert f'name="f.{shown}"' not in listed and "导出所见" not in listed and f'name="f.{shown}"' in office.browser("officer").get("/registers/case_filing/clue").get_data(as_text=True)
    assert office.browser("head").post("/registers/case_filing/clue/export").status_code == 403
    assert give(office, "case_filing.handler", 8, kind="function", function="export") == 303
    assert "export" in office.town.actor("officer").rights and "export" not in office.town.actor("head").rights


def test_why_names_the_way_or_says_that_none_leads_there(office: Office) -> None:
    case_id = start_clue(office.town).case_id

    def why(login: str, **asked: Any) -> str:
        return office.auditor.get("/admin/why", query_string={"person": str(office.town.people[login]), **asked}).get_data(as_text=True)

    assert "看得到这件案件" in why("head", thing=f"/cases/{case_id}") and "第一市场监督管理所" in why("head", thing=f"/cases/{case_id}")
    assert "看不到这件案件" in why("other_officer", thing=str(case_id))
    assert "没有这个案号" in why("head", thing="没有的案号")
    assert "没有“运行值守”的权限" in why("officer", right="operator")
    assert "有“发起 case_filing.clue_intake”的权限" in why("officer", start="case_filing.clue_intake").replace("没有", "")
    assert office.browser("officer").get("/admin/why").status_code == 403


def test_the_matrix_is_on_the_page_and_in_the_file(office: Office) -> None:
    assert give(office, "case_filing.intake_clerk", 1, kind="function", function="reveal") == 303
    page = office.auditor.get("/admin/rights/matrix").get_data(as_text=True)
    assert "登记案源线索" in page and "查看遮掩的证件号码" in page
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(office.auditor.get("/admin/rights/matrix.xlsx").data)).get_sheet_by_index(0)
    rows = {row[2]: row for row in sheet.to_python()}
    assert "登记案源线索" in str(rows["case_filing.intake_clerk"][4]) and "查看遮掩" in str(rows["case_filing.intake_clerk"][5])


def test_holders_of_a_packs_role_are_dated_rows(office: Office) -> None:
    sent = {"post": "section_staff", "unit_kind": "section", "scope": "agency", "valid_until": str(office.today), "reason": "局长办公会", "key": "holder-1-new"}
    path = f"{ROLES}/case_filing.handler"
    for _ in range(2):
        assert office.security.post(f"{path}/holder", sent).status_code == 303
    page = office.auditor.get(path).get_data(as_text=True)
    assert page.count("局长办公会") == 1 and "科室的科（处）室工作人员" in page
    assert office.security.post(f"{path}/person", {"people": office.town.people["officer"], "reason": "x", "key": "holder-2-new"}).status_code == 422
    assert office.security.post(f"{path}/holder", {**sent, "reason": "", "key": "holder-3-new"}).status_code == 422
    assert office.security.post(f"{ROLES}/no.such/holder", {**sent, "key": "holder-4-new"}).status_code == 404


def test_grants_by_field_reach_statistics_dashboards_merging_and_case_forms(office: Office) -> None:
    case_id = start_clue(office.town).case_id
    do(office.town, "officer", "verify", "file", data=HANDLING)
    head, statistic = office.browser("head"), "/statistics/case_filing/clues"
    with office.app.db.connect() as connection:
        answers = connection.scalar(select(submission.c.id).where(submission.c.case_id == case_id, submission.c.node == "verify"))
    page = f"/submissions/{answers}"
    token = office.token("head")

    def told() -> dict[str, Any]:
        answer = office.flask.test_client().get(f"/api/submissions/{answers}", headers={"Authorization": f"Bearer {token}"})
        return dict(answer.get_json()["data"])

    assert "食品安全" in head.get(page).text and "经核查" in head.get(page).text and "domain" in told() and "by=domain" in head.get(statistic).text
    assert give(office, "everybody", 1, kind="field", field=f"{CLUE}.domain", level="hide") == 303
    assert give(office, "everybody", 2, kind="field", field=f"{CLUE}.findings", level="mask") == 303
    shown = head.get(page).text
    assert "食品安全" not in shown and "经核查" not in shown and "••••" in shown
    assert "domain" not in told() and told()["findings"] == "••••"
    assert "by=domain" not in head.get(statistic).text and head.get(f"{statistic}?by=domain").status_code == 422
    assert give(office, "case_filing.handler", 3, kind="field", field=f"{CLUE}.domain", level="read") == 303
    assert "食品安全" in office.browser("officer").get(page).text and "by=domain" in office.browser("officer").get(statistic).text
    copies = {login: _whole_file(office, login, case_id) for login in ("officer", "head")}
    assert "食品安全" in copies["officer"] and "食品安全" not in copies["head"] and "经核查" not in copies["head"]
    with office.app.db.connect() as connection:
        numbers = connection.scalars(select(audit.c.detail["number"].astext).where(audit.c.action == "trace.view", audit.c.object.startswith("case_file"))).all()
    assert len(set(numbers)) == 2 and all(re.fullmatch("[0-9A-F]{12}", one or "") for one in numbers)
    refused = head.post(f"/cases/{case_id}/export", {"reason": "移送法院"})
    assert refused.status_code == 403 and "看不到或只能遮掩着看" in refused.text
    everything, _ = get_statistic(office.app.library, "case_filing.clues")
    assert known_to(everything, office.town.actor("officer")).dimensions and "domain" not in known_to(everything, office.town.actor("head")).dimensions


def _whole_file(office: Office, login: str, case_id: Any) -> str:
    """The text of the whole file as one reader gets it; made by the worker for whoever sees the same."""
    browser = office.browser(login)
    assert browser.get(f"/cases/{case_id}/file.pdf").status_code == 202
    office.app.jobs.run_due(office.app)
    file = pdfium.PdfDocument(browser.get(f"/cases/{case_id}/file.pdf").data)
    return "".join(page.get_textpage().get_text_range() for page in file)


def test_rights_are_changed_only_by_who_proved_who_they_are_and_never_for_oneself(office: Office) -> None:
    with office.app.db.begin() as connection:
        connection.execute(session.update().values(confirmed_at=office.app.clock.now() - timedelta(hours=1)))
    answer = office.security.post(ROLES, {"word": "late", "title": "迟", "reason": "x", "key": "late-role-1"})
    assert answer.status_code == 303 and "/me/confirm" in answer.headers["Location"]
    assert "现在核对" in office.security.get(f"{ROLES}/case_filing.handler").text
    for path in (f"{ROLES}/case_filing.handler/grant", f"/admin/organisation/people/{office.town.people['officer']}/rights", f"/admin/organisation/people/{office.town.people['officer']}/account/lock"):
        assert "/me/confirm" in office.security.post(path, {"reason": "x", "key": "late-act-1"}).headers["Location"]
    with office.app.db.begin() as connection:
        connection.execute(session.update().values(confirmed_at=office.app.clock.now()))
    assert office.security.post(ROLES, {"word": "late", "title": "迟", "reason": "x", "key": "late-role-2"}).status_code == 303
    assert give(office, "own.late", 1, kind="function", function="reveal") == 303
    mine = {"post": "section_staff", "unit_kind": "section", "scope": "own", "reason": "x", "key": "own-holder-1"}
    refused = office.security.post(f"{ROLES}/own.late/holder", mine)
    assert refused.status_code == 403 and "另一位安全管理员" in refused.text
    assert office.security.post(f"{ROLES}/own.late/holder", {**mine, "post": "officer", "unit_kind": "station", "key": "own-holder-2"}).status_code == 303


def test_none_of_the_three_officers_has_the_others_rights(office: Office) -> None:
    """Every address that changes something in the administration, by each of the three and by people with other rights: at most one may."""
    with office.app.db.begin() as connection:
        connection.execute(account.update().where(account.c.login == "head").values(rights=["operator", "analyst", "see_all_cases", "export", "reveal", "messages"]))
    browsers = {"admin": office.admin, "security": office.security, "auditor": office.auditor, "others": office.browser("head"), "officer": office.browser("officer")}
    found: dict[str, set[str]] = {}
    for rule in office.flask.url_map.iter_rules():
        if rule.rule.startswith("/admin") and "POST" in (rule.methods or ()):
            path = address(rule)
            found[path] = {who for who, browser in browsers.items() if all(browser.post(path, {**SENT, "from": start}).status_code != 403 for start in (str(office.today), NOWHERE))}
    shared = {path: who for path, who in found.items() if len(who) > 1}
    assert len(found) > 25 and shared == SHARED
    assert {path for path, who in found.items() if who & {"others", "officer"}} == set()


def address(rule: Any) -> str:
    """A route with the first of its words, real names of content, and ids of nothing."""
    path = str(rule.rule)
    for name in rule.arguments:
        choice = re.search(rf"<any\(([^),]+)[^)]*\):{name}>", path)
        path = re.sub(rf"<[^<>]*{name}>", choice[1].strip() if choice else NAMES.get(name, NOWHERE), path)
    return path


def test_nobody_can_be_given_two_of_the_three_in_any_way(office: Office) -> None:
    at = office.app.clock.now()
    with office.app.db.begin() as connection:
        other = connection.execute(select(account.c.id, account.c.person_id).where(account.c.login == "chief")).one()
        for together in (["admin", "security"], ["security", "auditor"], ["auditor", "admin", "export"], ["admin", "security", "auditor"]):
            with pytest.raises(Invalid, match="三员分立"):
                set_rights(connection, account_id=other.id, rights=together, at=at)
            with pytest.raises(Invalid, match="三员分立"):
                create_account(connection, person_id=other.person_id, login="second.account", password_hash="-", at=at, rights=together)
        with pytest.raises(Conflict, match="已被使用"):
            create_account(connection, person_id=other.person_id, login="chief", password_hash="-", at=at)
    with pytest.raises(IntegrityError), office.app.db.begin() as connection:
        create_account(connection, person_id=other.person_id, login="second.account", password_hash="-", at=at, rights=["admin"])
    for number, right in enumerate(("admin", "security", "auditor")):
        assert give(office, "case_filing.handler", number, kind="function", function=right) == 422
