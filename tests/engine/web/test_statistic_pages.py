"""统计 through the pages: the address is the question, every figure opens its list, rules change from a day on, files."""
from __future__ import annotations

import io
import re
import zipfile
from html import unescape
from typing import Any
from urllib.parse import parse_qsl

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import update

from engine.reporting.statistics.asked import read_question
from engine.reporting.statistics.catalogue import get_statistic
from engine.runtime.deploy_file import deploy_file
from engine.storage.tables.organisation import account
from tests.browser import Browser
from tests.engine.registers.stock import Stock, deploy_stock
from tests.engine.reporting.test_statistics import BUYING, NAME, ROWS
from tests.town import Town

BASE = "/statistics/borrow_umbrella/buying"


@pytest.fixture
def stock(town: Town) -> Stock:
    stock = deploy_stock(town)
    deploy_file(town.app, actor=town.actor("keeper"), kind="statistic", pack="borrow_umbrella", filename="buying.yaml", content=BUYING.encode(), note="测试", at=town.app.clock.now())
    for number, (unit, colour, price, day) in enumerate(ROWS):
        stock.add({"code": f"伞-{number}", "colour": colour, "price": price, "bought_on": day, "working": colour == "red"}, unit=unit)
    return stock


@pytest.fixture
def chief(stock: Stock) -> Browser:
    return Browser(stock.app, "chief")


def test_every_figure_of_the_page_opens_a_list_of_as_many_records(chief: Browser) -> None:
    page = chief.get(f"{BASE}?p=2026&by=colour&m=total").text
    assert "2026 年" in page and "数量 5 把" in page and "数据取于" in page
    links = re.findall(r'<a class="fig" href="([^"]+)"[^>]*>([\d,]+)</a>', page)
    assert len(links) >= 4
    for link, value in links:
        listed = chief.get(unescape(link)).text
        assert f"共 {value} 条" in listed or (value == "0" and "没有找到" in listed), (link, value)


def test_a_period_without_data_says_so(chief: Browser) -> None:
    page = chief.get(f"{BASE}?p=2020").text
    assert "2020 年没有数据" in page and "看全部期间" in page and "data-chart" not in page


ADDRESSES = [
    ("p=gestern", "期间"), ("by=price", "没有这种分组"), ("m=nothing", "没有这个指标"), ("f.price=1", "没有这种分组"), ("f.working=perhaps", "筛选条件不认识"), ("top=many", "前几名"),
    ("unit=nowhere", "没有这个单位"), ("chart=cake", "不认识"), ("by=time&grain=day&p=2019-01-01..2026-12-31", "请缩短期间"),
]


def test_an_address_nobody_offers_is_refused_in_words(chief: Browser) -> None:
    for query, said in ADDRESSES:
        answer = chief.get(f"{BASE}?{query}")
        assert answer.status_code == 422 and said in answer.text, query


def test_units_open_downwards_and_show_the_way_back(chief: Browser, stock: Stock) -> None:
    page = chief.get(f"{BASE}?p=2026&by=unit").text
    inner = chief.get(f"{BASE}?p=2026&by=unit&unit={stock.town.units['station_one']}").text
    assert f"unit={stock.town.units['station_one']}" in page and "数量 3 把" in inner and "清除筛选" in inner
    assert Browser(stock.app, "officer").get(f"{BASE}?unit={stock.town.units['station_two']}").status_code == 422


def test_the_question_is_read_back_from_its_address(stock: Stock) -> None:
    statistic, _ = get_statistic(stock.app.library, NAME)
    asked = read_question(statistic, [("p", "2026-02"), ("by", "colour"), ("f.colour", "red"), ("f.colour", "-"), ("top", "5"), ("m", "total"), ("chart", "pie")], on=stock.app.clock.now().date())
    assert read_question(statistic, parse_qsl(asked.address), on=stock.app.clock.now().date()) == asked
    assert dict(parse_qsl(asked.into("time", "2026-02-03")))["p"] == "2026-02-03"


def test_the_table_goes_out_as_excel_with_who_and_when(chief: Browser) -> None:
    sent = chief.post(f"{BASE}/export?p=2026&by=colour&m=total&m=share")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(sent.data)).get_sheet_by_index(0).to_python()
    assert rows[0][:2] == ["分组", "数量（把）"] and ["合计", 5] in [row[:2] for row in rows] and any("数据取于" in str(row) for row in rows)
    inside = zipfile.ZipFile(io.BytesIO(sent.data)).read("xl/worksheets/sheet1.xml").decode()
    assert "导出" in inside and "<oddFooter>" in inside


def rule(**more: Any) -> dict[str, Any]:
    return {"measure": "total", "how": "any", "c0.group": "1", "c0.field": "colour", "c0.verb": "is", "c0.values": "红", "since": "2026-02-20", "source": "沪市监〔2026〕3 号", "what": "try", **more}


def may_change(stock: Stock) -> Browser:
    with stock.app.db.begin() as connection:
        connection.execute(update(account).where(account.c.login == "chief").values(rights=["admin"]))
    return Browser(stock.app, "chief")


def test_a_rule_is_tried_out_then_kept_and_old_periods_stay(stock: Stock) -> None:
    admin = may_change(stock)
    before = admin.get(f"{BASE}?p=2026-02&m=total").text
    assert "数量 3 把" in before
    tried = admin.post(f"{BASE}/rules", rule()).text
    february = re.search(r"2026 年 2 月</td>.*?</tr>", tried, re.S)
    assert "会怎样变" in tried and february is not None and re.findall(r">(\d+)<", february[0]) == ["3", "1", "1"]
    assert "数量 3 把" in admin.get(f"{BASE}?p=2026-02&m=total").text
    assert admin.post(f"{BASE}/rules", rule(what="keep")).status_code == 303
    assert "数量 1 把" in admin.get(f"{BASE}?p=2026-02&m=total").text and "数量 1 把" in admin.get(f"{BASE}?p=2026-01&m=total").text
    page = admin.get(f"{BASE}/rules").text
    assert "改过的口径" in page and "沪市监〔2026〕3 号" in page and "颜色是红" in page
    links = re.findall(r'<a class="fig" href="([^"]+)"[^>]*>1</a>', admin.get(f"{BASE}?p=2026-02&m=total&by=colour").text)
    assert links and "共 1 条" in admin.get(unescape(links[0])).text


WRONG_RULES: list[tuple[dict[str, Any], str]] = [
    ({"since": ""}, "从哪天起"), ({"what": "keep", "source": " "}, "请写明依据"), ({"c0.field": "phone"}, "没有可以查的栏目"), ({"measure": "share"}, "比率"), ({"measure": "dear", "since": "2025-06-01"}, "不能早于"),
]


def test_a_wrong_rule_is_refused_and_what_was_typed_stays(stock: Stock) -> None:
    admin = may_change(stock)
    for more, said in WRONG_RULES:
        answer = admin.post(f"{BASE}/rules", rule(**more))
        assert answer.status_code == 422 and said in answer.text and ("沪市监" in answer.text or more.get("source")), more


def test_only_administrators_and_analysts_change_rules(stock: Stock) -> None:
    officer = Browser(stock.app, "officer")
    assert "从某天起换口径" not in officer.get(f"{BASE}/rules").text
    assert officer.post(f"{BASE}/rules", rule(what="keep")).status_code == 403
