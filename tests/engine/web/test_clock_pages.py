"""The pages of clocks: board, forecast, list, limits, warning models, calendar; who may see and change what."""
from __future__ import annotations

import io
import re
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, update
from xlsxwriter import Workbook

from engine.deadlines.clocks import By, start_clock, suspend_clock
from engine.kernel.clock import legal_date
from engine.runtime.start_case import new_case
from engine.storage.tables.cases import case_clock
from engine.storage.tables.organisation import account
from tests.engine.web.site import Site

LIMIT = "/clocks/limits/case_filing/clue_handling"


@pytest.fixture
def busy(site: Site) -> Site:
    """Four clocks at station one: ended on the 19th, ends on the 23rd, ends in December, stands still. The chief administrates."""
    app, actor = site.app, site.bureau.actors["officer"]
    at = app.clock.now()
    with app.db.begin() as connection:
        connection.execute(update(account).where(account.c.login == "agency_head").values(rights=["admin"]))
        for number, due in enumerate(("2026-11-19", "2026-11-23", "2026-12-11", None), start=1):
            case = new_case(app, connection, kind="case_filing.clue", title=f"线索{number}", unit_id=actor.unit_id, actor=actor, at=at, handler_id=actor.person_id)
            by = By(at=at)
            start_clock(connection, case_id=case["id"], clock="case_filing.clue_handling", start_on=legal_date(at), by=by, unit_id=case["unit_id"], district_id=case["district_id"])
            if due is None:
                suspend_clock(connection, case_id=case["id"], clock="case_filing.clue_handling", on=legal_date(at), by=by)
            else:
                connection.execute(update(case_clock).where(case_clock.c.case_id == case["id"]).values(due_on=due))
    return site


def figures(text: str) -> list[str]:
    return re.findall(r"<b(?: class=\"late\")?>(\d+)</b>", text)


def test_the_board_counts_by_light_leads_down_to_the_clocks_and_shows_nobody_more_than_theirs(busy: Site) -> None:
    look_at_the_board(busy)
    look_as_an_officer(busy)
    look_at_cases(busy)


def look_at_the_board(busy: Site) -> None:
    busy.sign_in("agency_head")
    page = busy.get("/clocks").text
    assert figures(page)[:4] == ["1", "1", "1", "1"] and "一所" in page
    row = next(line for line in page.split("<tr>") if "YP-1" not in line and ">一所<" in line or "管理局一所" in line or "局一所" in line)
    address = re.search(r'href="(/clocks/list\?[^"]*light=late[^"]*)"', row)
    assert address is not None
    late = busy.get(address[1].replace("&amp;", "&")).text
    assert "线索1" in late and "线索2" not in late and "逾期 1 个工作日" in late
    assert busy.get("/clocks?at=XX/").status_code == 404 and busy.get("/clocks?sort=bald").status_code == 422
    ahead = busy.get("/clocks/forecast?days=7").text
    assert "2026 年 11 月 23 日 到期 1 件" in ahead.replace("11月", "11 月") or "到期 1 件" in ahead
    assert busy.get("/clocks/forecast?days=5").status_code == 422
    assert "线索2" in busy.get("/clocks/list?day=2026-11-23").text


def look_as_an_officer(busy: Site) -> None:
    busy.sign_in("officer")
    assert "线索1" in busy.get("/clocks").text and busy.get("/clocks/forecast").status_code == 403
    busy.sign_in("stranger")
    assert "线索1" not in busy.get("/clocks/list").text
    assert busy.get("/admin/calendar").status_code == 403 and busy.post(f"{LIMIT}/value", value="20").status_code == 403
    assert "线索1" not in busy.get("/clocks/list?light=late").text and busy.get("/clocks/list?light=bald").status_code == 422


def look_at_cases(busy: Site) -> None:
    busy.sign_in("officer")
    late = busy.get("/cases?light=late").text
    assert "线索1" in late and "线索2" not in late and "逾期 1 个工作日" in late
    assert "线索4" in busy.get("/cases?light=hold").text and busy.get("/cases?light=bald").status_code == 422


def test_a_limit_and_a_warning_model_are_tried_then_kept_from_their_day(busy: Site) -> None:
    change_the_limit(busy)
    change_the_warning(busy)


def change_the_limit(busy: Site) -> None:
    busy.sign_in("agency_head")
    form = {"value": "20", "valid_from": "2026-12-01", "source": "《示例规定》第一条", "extension_times": "1", "extension_amount": "10", "extension_total": "", "suspension_times": "2", "roll_rest_day": "yes"}
    tried = busy.post(f"{LIMIT}/value", page=LIMIT, what="try", **form).text
    assert "试算，还没有保存" in tried and "2026-12-22" in tried and "2026-12-29" in tried and "4 项按开始时的规定" in tried
    assert busy.post(f"{LIMIT}/value", page=LIMIT, what="keep", **{**form, "source": " "}).status_code == 422
    assert busy.post(f"{LIMIT}/value", page=LIMIT, what="keep", **{**form, "valid_from": "2026-11-01"}).status_code == 422
    assert busy.post(f"{LIMIT}/value", page=LIMIT, what="keep", **{**form, "value": "好久"}).status_code == 422
    assert busy.post(f"{LIMIT}/value", page=LIMIT, what="keep", **form).status_code == 303
    history = busy.get(LIMIT).text
    assert "20 个工作日" in history and "《示例规定》第一条" in history and history.count("15 个工作日") >= 2


def change_the_warning(busy: Site) -> None:
    busy.sign_in("agency_head")
    form: dict[str, Any] = {"soon_amount": "15", "soon_unit": "working_day", "valid_from": "2026-11-20", "source": "试行办法", "row-0-side": "before", "row-0-amount": "5", "row-0-unit": "working_day",
                            "row-0-kind": "remind", "row-0-who": ["handler", "office_head"], "row-0-text": "还剩五天"}
    tried = busy.post(f"{LIMIT}/warning", page=LIMIT, what="try", **form).text
    assert "现在 1 项，改后 <b>2</b> 项" in tried and "立即到提醒点的 2 项" in tried
    assert busy.post(f"{LIMIT}/warning", page=LIMIT, what="keep", **{**form, "row-0-who": []}).status_code == 422
    assert busy.post(f"{LIMIT}/warning", page=LIMIT, what="keep", **form).status_code == 303
    shown = busy.get(LIMIT).text
    assert "届满前 5 个工作日提醒承办人、办案机构负责人：还剩五天" in shown and "15 个工作日起亮黄灯" in shown
    assert figures(busy.get("/clocks").text)[:4] == ["1", "2", "0", "1"]


def test_a_year_is_pasted_or_brought_drafted_looked_at_and_applied(busy: Site) -> None:
    paste_a_day(busy)
    bring_a_year(busy)


def paste_a_day(busy: Site) -> None:
    busy.sign_in("agency_head")
    assert "上不上班" in busy.get("/admin/calendar?year=2026").text and busy.get("/admin/calendar?year=1999").status_code == 422
    form = {"title": "临时放假", "source": "沪府办〔2026〕1号", "district": "", "days": "2026-12-01 休 临时放假"}
    assert busy.post("/admin/calendar/new", page="/admin/calendar/new", **{**form, "days": "明天 休"}).status_code == 422
    made = busy.post("/admin/calendar/new", page="/admin/calendar/new", **form)
    where = made.headers["Location"]
    assert "草稿" in busy.get(where).text and "临时放假" in busy.get("/admin/calendar").text
    assert busy.post(where, page=where, what="apply").status_code == 422
    busy.post(where, page=where, what="preview")
    assert "正在预览" in busy.get(where).text
    busy.app.jobs.run_due(busy.app)
    page = busy.get(where).text
    assert "<b>1</b> 项届满日会变" in page
    table = busy.get(f"{where}/shifts.csv")
    assert table.mimetype == "text/csv" and "线索3" in table.text and "原届满日" in table.text
    busy.post(where, page=where, what="apply")
    busy.app.jobs.run_due(busy.app)
    assert "已生效" in busy.get(where).text
    with busy.app.db.connect() as connection:
        case_id = connection.scalar(select(case_clock.c.case_id).where(case_clock.c.due_on > date(2026, 12, 1)))
    assert "日历调整" in busy.get(f"/cases/{case_id}").text


def bring_a_year(busy: Site) -> None:
    busy.sign_in("agency_head")
    data = io.BytesIO()
    book = Workbook(data)
    sheet = book.add_worksheet()
    for number, row in enumerate((["日期", "休或班", "名称"], ["2027-01-01", "休", "元旦"], ["2027-01-03", "班", ""])):
        sheet.write_row(number, 0, row)
    book.close()
    data.seek(0)
    token = busy.token("/admin/calendar/new")
    made = busy.client.post("/admin/calendar/new", data={"csrf": token, "title": "2027 年", "source": "文号", "district": "", "file": (data, "2027.xlsx")})
    assert made.status_code == 303 and "元旦" in busy.get(made.headers["Location"]).text
    bad = busy.client.post("/admin/calendar/new", data={"csrf": token, "title": "甲", "source": "文号", "file": (io.BytesIO(b"x"), "a.xlsx")})
    assert bad.status_code == 422 and ".xlsx" in bad.text
