"""台账 through the pages: filters in the address, kept views, a record from registration to removal, Excel there and back."""
from __future__ import annotations

import io
import re
from typing import Any

import pytest

from tests.browser import Browser
from tests.engine.registers.stock import Stock, deploy_stock
from tests.engine.registers.test_excel import GOOD, sheet
from tests.statements import counted
from tests.town import Town

BASE = "/registers/borrow_umbrella/stock"


@pytest.fixture
def stock(town: Town) -> Stock:
    stock = deploy_stock(town)
    for number in range(35):
        stock.add({"code": f"伞-{number:03}", "colour": "red" if number % 2 else "blue", "price": str(number), "phone": "13900001234"})
    return stock


@pytest.fixture
def head(stock: Stock) -> Browser:
    return Browser(stock.app, "head")


def test_the_address_holds_filter_order_columns_and_page(head: Browser) -> None:
    page = head.get(f"{BASE}?f.colour=red&f.colour=blue&f.price.from=3&sort=-price&col=code&col=price").text
    for words in ("伞-034", "共 32 条", "颜色 <b>2 个</b>", "单价 <b>3 起</b>", 'aria-sort="descending"', "导出所见 32 条"):
        assert words in page
    assert "联系电话</th>" not in page
    following = re.search(r'rel="next" href="([^"]+)"', page)
    assert following is not None
    second = head.get(following[1].replace("&amp;", "&")).text
    assert "第 31—32 条" in second and "伞-003" in second and "颜色 <b>2 个</b>" in second


def test_a_filter_nobody_offers_is_refused_in_words(head: Browser) -> None:
    answer = head.get(f"{BASE}?f.phone=139")
    assert answer.status_code == 422 and "筛选条件不认识" in answer.text


def test_a_list_costs_the_same_whatever_its_length(head: Browser, stock: Stock) -> None:
    head.get(BASE)
    with counted(stock.app.db) as seen:
        assert head.get(f"{BASE}?f.colour=red&sort=price").status_code == 200
    assert len(seen.statements) <= 8, seen


def test_a_list_is_kept_under_a_name_and_dropped(head: Browser) -> None:
    assert head.post(f"{BASE}/views?f.colour=red&sort=price", {"title": "红伞"}).status_code == 302
    page = head.get(BASE).text
    assert f'href="{BASE}?f.colour=red&amp;sort=price"' in page and "红伞" in page
    kept = head.get(f"{BASE}?f.colour=red&sort=price").text
    drop = re.search(r'action="([^"]+/remove[^"]*)"', kept)
    assert drop is not None and "不再常用“红伞”" in kept
    head.post(drop[1].replace("&amp;", "&"))
    assert "红伞" not in head.get(BASE).text
    assert head.post(f"{BASE}/views", {"title": " "}).status_code == 422


def test_a_record_is_registered_changed_and_removed(head: Browser, stock: Stock) -> None:
    form = head.get(f"{BASE}/new").text
    key = re.search(r'name="key" value="([^"]+)"', form)
    assert key is not None
    refused = head.post(f"{BASE}/new", {"key": key[1], "data.price": "1.50"})
    assert refused.status_code == 422 and "aria-invalid" in refused.text and key[1] in refused.text
    made = head.post(f"{BASE}/new", {"key": key[1], "data.code": "新伞", "data.colour": "red", "data.price": "1.50", "data.secret": "密码一"})
    assert made.status_code == 303
    one = made.headers["Location"]
    rev = re.search(r'name="rev" value="([^"]+)"', head.get(one).text)
    assert rev is not None
    edit = head.get(f"{one}/edit").text
    assert "新伞" in edit and "密码一" not in edit and "不填就不变" in edit
    refused = head.post(f"{one}/edit", {"rev": rev[1], "data.code": "旧伞"})
    assert refused.status_code == 422 and "写明为什么改" in refused.text
    changed = {"rev": rev[1], "data.code": "旧伞", "data.price": "1.50", "reason": "写错了"}
    assert head.post(f"{one}/edit", changed).status_code == 303
    page = head.get(one).text
    for words in ("<del>新伞</del> → 旧伞", "写错了", "周启衡", "清空", "••••"):
        assert words in page
    assert head.post(f"{one}/edit", changed).status_code == 409
    rev = re.search(r'name="rev" value="([^"]+)"', page)
    assert rev is not None
    assert head.post(f"{one}/remove", {"rev": rev[1], "reason": "丢了"}).status_code == 303
    assert head.get(one).status_code == 404


def test_readers_see_no_buttons_and_may_not_write(stock: Stock) -> None:
    officer = Browser(stock.app, "officer")
    page = officer.get(BASE).text
    assert "导出所见" in page and f"{BASE}/new" not in page and f"{BASE}/import" not in page
    for path in ("new", "import", "template.xlsx"):
        assert officer.get(f"{BASE}/{path}").status_code == 403
    assert officer.post(f"{BASE}/new", {"data.code": "x"}).status_code == 403


def test_excel_goes_out_and_comes_in(head: Browser, stock: Stock) -> None:
    out = head.post(f"{BASE}/export?f.colour=red")
    assert out.status_code == 200 and out.data[:2] == b"PK" and ".xlsx" in out.headers["Content-Disposition"]
    assert head.get(f"{BASE}/template.xlsx").data[:2] == b"PK"
    sent = head.post(f"{BASE}/import", {"file": (io.BytesIO(sheet([GOOD, ("", "红")])), "新伞.xlsx")}, content_type="multipart/form-data")
    one = sent.headers["Location"]
    assert "正在检查" in head.get(one).text and "data-reload" in head.get(one).text
    stock.app.jobs.run_due(stock.app)
    page = head.get(one).text
    for words in ("<b>1</b> 行可以导入", "必填，不能空着", "导入正确的 1 行", "下载有错的行"):
        assert words in page
    assert head.get(f"{one}/file").data[:2] == b"PK"
    act(head, stock, one, "confirm")
    assert "已导入 <b>1</b> 条" in head.get(one).text and "伞-101" in head.get(f"{BASE}?q=伞-101").text
    assert "新伞.xlsx" in head.get(f"{BASE}/import").text
    act(head, stock, one, "undo")
    assert "已撤销" in head.get(one).text
    assert Browser(stock.app, "other_head").get(one).status_code == 404


def act(head: Browser, stock: Stock, one: str, what: str) -> Any:
    answer = head.post(f"{one}/{what}")
    assert answer.status_code == 303, answer.text
    stock.app.jobs.run_due(stock.app)
    return answer
