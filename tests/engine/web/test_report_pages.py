"""Periodic reports through the pages: drafted with figures, edited, issued by somebody else, made into files, sent and read; past issues stay."""
from __future__ import annotations

import io
import re
from datetime import datetime
from typing import Any

import docx
import pytest
from sqlalchemy import func, select, update

from engine.kernel.clock import SHANGHAI
from engine.kernel.errors import DeployRefused, Invalid
from engine.registers.declaration import parse_register
from engine.reporting.reports.declaration import parse_report
from engine.reporting.statistics.declaration import parse_statistic
from engine.runtime.deploy_file import deploy_file
from engine.runtime.reports import issue as issuing
from engine.runtime.reports.draft import get_report, make_issue
from engine.runtime.reports.schedule import order_drafts
from engine.storage.tables.organisation import account, notice
from engine.storage.tables.runtime import task
from engine.storage.tables.statistics import report_issue, report_reader
from tests.browser import Browser
from tests.engine.registers.stock import STOCK, Stock, deploy_stock
from tests.engine.reporting.test_statistics import BUYING, ROWS
from tests.engine.reporting.test_statistics import NAME as BUYING_NAME
from tests.town import Town

REPORT = """
title: 购置月报
period: month
statistics: [buying]
makes: [approval.section_staff]
issues: [approval.section_head]
audience: [approval.agency_head]
advice:
  - {when: buying.total > 2, say: 买得多了。}
  - {when: buying.total > 100, say: 停止购置。}
body: |
  # {{ period }}购置月报
  共 {{ figure("buying", "total") }} 把。
  {% if figure("buying", "red") > 5 %}
  红伞很多。
  {% else %}
  红伞不多。
  {% endif %}
  {{ table("buying", by="colour", measures=["total", "cost"]) }}
  {{ chart("buying", by="colour", measure="total") }}
  {{ advice() }}
"""
NAME = "borrow_umbrella.monthly"


@pytest.fixture
def stock(town: Town) -> Stock:
    stock = deploy_stock(town)
    for kind, file, content in (("statistic", "buying.yaml", BUYING), ("report", "monthly.yaml", REPORT)):
        deploy_file(town.app, actor=town.actor("keeper"), kind=kind, pack="borrow_umbrella", filename=file, content=content.encode(), note="测试", at=town.app.clock.now())
    for number, (unit, colour, price, day) in enumerate(ROWS):
        stock.add({"code": f"伞-{number}", "colour": colour, "price": price, "bought_on": day}, unit=unit)
    return stock


def draft(stock: Stock, period: str = "2026-02") -> Any:
    app = stock.app
    return make_issue(app, actor=stock.actor("staff"), report=get_report(app.library, NAME), period=period, at=app.clock.now())


def files(stock: Stock, id: Any) -> None:
    issuing.make_files(stock.app, issue_id=str(id), mark="测试 签发")


def test_a_report_goes_from_draft_to_its_readers_and_stays(stock: Stock) -> None:
    staff, head, chief = (Browser(stock.app, login) for login in ("staff", "section_head", "chief"))
    sent = staff.post("/reports/borrow_umbrella/monthly/make", {"period": "2026-02"})
    assert sent.status_code == 303
    url = sent.headers["Location"]
    page = staff.get(url).text
    for words in ("2026 年 2 月购置月报", "共 3 把。", "红伞不多。", "买得多了。", "<svg", ">红</td>", "数字取于"):
        assert words in page
    assert "停止购置" not in page and chief.get(url).status_code in (200, 404)
    body = re.search(r"<textarea[^>]*name=\"body\"[^>]*>(.*?)</textarea>", page, re.S)
    assert body is not None and "[[表 1]]" in body[1]
    saved = staff.post(f"{url}/save", {"title": "二月购置情况", "body": body[1] + "\n另外补一句。", "rev": "0"})
    assert saved.status_code == 303 and "另外补一句" in staff.get(url).text
    assert staff.post(f"{url}/save", {"title": "二月", "body": "别的", "rev": "0"}).status_code == 409
    assert staff.post(f"{url}/issue").status_code == 403
    assert head.post(f"{url}/issue").status_code == 303
    id = url.rsplit("/", 1)[1]
    files(stock, id)
    files(stock, id)
    stock.add({"code": "伞-晚", "colour": "red", "price": "1", "bought_on": "2026-02-03"}, unit="station_one")
    read = chief.get(url).text
    assert "共 3 把。" in read and "已签发" in read and "1 人已读" in head.get(url).text
    assert staff.post(f"{url}/save", {"title": "二月", "body": "别的", "rev": "1"}).status_code == 422
    pdf, word = (head.get(f"{url}/file/{kind}").data for kind in ("pdf", "word"))
    assert pdf.startswith(b"%PDF") and any("共 3 把。" in one.text for one in docx.Document(io.BytesIO(word)).paragraphs)
    with stock.app.db.connect() as connection:
        assert connection.scalar(select(report_reader.c.read_at)) is not None
        assert connection.scalar(select(notice.c.text).where(notice.c.link == f"/reports/issues/{id}")) == "收到二月购置情况"
        assert connection.scalar(select(report_issue.c.pdf_sm3)) is not None


def test_whoever_it_is_not_for_does_not_see_it(stock: Stock) -> None:
    id = draft(stock)
    stranger = Browser(stock.app, "officer")
    assert stranger.get(f"/reports/issues/{id}").status_code == 404 and stranger.get(f"/reports/issues/{id}/file/pdf").status_code == 404
    assert stranger.post("/reports/borrow_umbrella/monthly/make", {"period": "2026-02"}).status_code == 403
    assert "二月" not in stranger.get("/reports").text
    for period, said in (("2026", "不是这一种"), ("2031-01", "还没有开始"), ("bald", "不认识")):
        with pytest.raises(Invalid, match=said):
            draft(stock, period)


def test_the_text_is_edited_in_the_browser_and_holds_for_later_issues(stock: Stock) -> None:
    with stock.app.db.begin() as connection:
        connection.execute(update(account).where(account.c.login == "chief").values(rights=["admin"]))
    admin, base = Browser(stock.app, "chief"), "/reports/borrow_umbrella/monthly/template"
    old = draft(stock)
    body = '# {{ period }}\n只有 {{ figure("buying", "cost") }} 元。'
    assert "只有" in admin.post(base, {"body": body, "what": "try"}).text
    assert admin.post(base, {"body": body, "what": "keep", "note": "写短"}).status_code == 303
    for wrong, said in (('{{ figure("buying", "nothing") }}', "没有指标"), ("{% if %}", "写得不对"), ("{{ ''.__class__ }}", "写得不对"), ('{{ table("buying", by="price") }}', "没有这种分组")):
        answer = admin.post(base, {"body": wrong, "what": "keep", "note": "错"})
        assert answer.status_code == 422 and said in answer.text, wrong
    new = draft(stock)
    with stock.app.db.connect() as connection:
        texts = dict(connection.execute(select(report_issue.c.id, report_issue.c.body)).tuples().all())
    assert "共 3 把。" in texts[old] and "只有" in texts[new] and "写短" in admin.get(base).text
    assert Browser(stock.app, "officer").post(base, {"body": body, "what": "keep", "note": "x"}).status_code == 403


@pytest.mark.parametrize(("old", "new", "said"), [
    ("statistics: [buying]", "statistics: [selling]", "没有统计"), ("period: month", "period: moon", "period 写"), ("makes: [approval.section_staff]", "makes: nobody", "makes 写角色"),
    ("when: buying.total > 2", "when: buying.total >", "advice"), ('"total") }} 把', '"many") }} 把', "没有指标"),
])
def test_a_wrong_declaration_is_refused(old: str, new: str, said: str) -> None:
    assert old in REPORT
    known = {BUYING_NAME: parse_statistic(BUYING.encode(), name=BUYING_NAME, register=parse_register(STOCK.encode(), name="borrow_umbrella.stock"))}
    with pytest.raises(DeployRefused) as refused:
        parse_report(REPORT.replace(old, new, 1).encode(), name=NAME, statistic=known.get)
    assert any(said in found["message"] for found in refused.value.findings), refused.value.findings


TONE = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="tone_definitions" name="语气" namespace="urn:guicheng:borrow_umbrella:tone">
  <inputData id="buying_data" name="buying"><variable name="buying"/></inputData>
  <decision id="tone" name="tone"><variable name="tone"/><informationRequirement><requiredInput href="#buying_data"/></informationRequirement>
    <decisionTable id="tone_table" hitPolicy="COLLECT"><input id="tone_in"><inputExpression id="tone_ex"><text>buying.total</text></inputExpression></input><output id="tone_out" name="say"/>
      <rule id="tone_1"><inputEntry id="tone_1i"><text>&gt;= 3</text></inputEntry><outputEntry id="tone_1o"><text>"买得不少。"</text></outputEntry></rule>
      <rule id="tone_2"><inputEntry id="tone_2i"><text>&gt;= 2</text></inputEntry><outputEntry id="tone_2o"><text>"留意库存。"</text></outputEntry></rule>
      <rule id="tone_3"><inputEntry id="tone_3i"><text>&lt; 2</text></inputEntry><outputEntry id="tone_3o"><text>"买得很少。"</text></outputEntry></rule>
    </decisionTable></decision>
</definitions>
"""


def approved(stock: Stock) -> None:
    """The report with advice by a decision table, drafted on the third day, approved by a procedure."""
    told = REPORT[: REPORT.index("advice:")] + "schedule: 3\napproval: report_approval.submit\nadvice: tone\n" + REPORT[REPORT.index("body:"):]
    for kind, file, content in (("decision", "tone.dmn", TONE), ("report", "monthly.yaml", told)):
        deploy_file(stock.app, actor=stock.actor("keeper"), kind=kind, pack="borrow_umbrella", filename=file, content=content.encode(), note="审签", at=stock.app.clock.now())


def open_task(stock: Stock, node: str) -> str:
    with stock.app.db.connect() as connection:
        return str(connection.scalar(select(task.c.id).where(task.c.node == node, task.c.status == "open")))


def test_a_report_is_drafted_on_its_day_and_issued_by_its_procedure_only(stock: Stock) -> None:
    approved(stock)
    app, clock = stock.app, stock.app.clock
    for day, drafted in ((2, 0), (3, 1), (3, 1), (15, 1)):
        clock.set(datetime(2026, 3, day, 9, tzinfo=SHANGHAI))
        order_drafts(app, at=clock.now())
        app.jobs.run_due(app)
        with app.db.connect() as connection:
            assert connection.scalar(select(func.count()).where(report_issue.c.report == NAME)) == drafted, day
    with app.db.connect() as connection:
        row = connection.execute(select(report_issue).where(report_issue.c.report == NAME)).mappings().one()
    assert (row["period"], row["state"], row["by_name"]) == ("2026-02", "draft", "苏念安")
    assert "买得不少。\n留意库存。" in row["body"] and "很少" not in row["body"]
    staff, head, chief, stranger = (Browser(app, login) for login in ("staff", "section_head", "chief", "officer"))
    url = f"/reports/issues/{row['id']}"
    assert head.post(f"{url}/issue").status_code == 422 and head.post(f"{url}/submit", {"key": "k-submit-1"}).status_code == 403
    assert staff.post(f"{url}/submit", {"key": "k-submit-2"}).status_code == 303
    assert staff.post(f"{url}/submit", {"key": "k-submit-3"}).status_code == 422
    body = {"title": "二月购置情况", "body": row["body"] + "\n审核时补一句。", "rev": "0"}
    assert staff.post(f"{url}/save", body).status_code == 403 and stranger.get(url).status_code == 404
    assert head.post(f"{url}/save", body).status_code == 303
    assert head.post(f"/tasks/{open_task(stock, 'review')}/complete", {"outcome": "send_back", "opinion": "再核对。", "key": "k-review-1"}).status_code in (200, 303)
    assert staff.post(f"{url}/save", {**body, "rev": "1"}).status_code == 303
    for login, node, outcome in ((staff, "revise", "submit"), (head, "review", "approve"), (chief, "sign", "issue")):
        answer = login.post(f"/tasks/{open_task(stock, node)}/complete", {"outcome": outcome, "opinion": "同意。", "key": f"k-{node}-{outcome}"})
        assert answer.status_code in (200, 303), answer.text
    app.jobs.run_due(app)
    with app.db.connect() as connection:
        done = connection.execute(select(report_issue).where(report_issue.c.report == NAME)).mappings().one()
    assert done["state"] == "issued" and "审核时补一句" in done["body"] and done["pdf_sm3"]
    assert staff.post(f"{url}/save", {**body, "rev": "2"}).status_code == 422
