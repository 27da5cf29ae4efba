"""The editor of AND and OR: built by presses, carried in the page, shown in words above the list, kept as a view."""
from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from tests.browser import Browser
from tests.engine.registers.stock import Stock, deploy_stock
from tests.town import Town

EDITOR, LIST = "/registers/borrow_umbrella/stock/conditions", "/registers/borrow_umbrella/stock"


@pytest.fixture
def stock(town: Town) -> Stock:
    made = deploy_stock(town)
    for code, colour, price in (("伞-001", "red", "10.00"), ("伞-002", "blue", "50.00"), ("伞-003", "blue", "5.00")):
        made.add({"code": code, "colour": colour, "price": price})
    return made


def tree_of(page: Any) -> Any:
    found = re.search(r'name="tree" value="([^"]*)"', page.get_data(as_text=True))
    assert found, page.get_data(as_text=True)[:400]
    return orjson.loads(html.unescape(found[1]))


def test_conditions_are_built_by_presses_and_narrow_the_list(stock: Stock) -> None:
    browser = Browser(stock.app, "head")

    def press(tree: Any, act: str, **typed: Any) -> Any:
        return browser.post(EDITOR, {"tree": orjson.dumps(tree).decode(), "act": act, **{name.replace("__", "."): value for name, value in typed.items()}})

    assert tree_of(browser.get(EDITOR)) == {"all": []}
    tree = tree_of(press({"all": []}, "group:"))
    tree = tree_of(press(tree, "leaf:0"))
    tree = tree_of(press(tree, "leaf:0", f__0__0="colour", o__0__0="is"))
    tree = tree_of(press(tree, "stay", f__0__0="colour", o__0__0="is", v__0__0="red", f__0__1="price"))
    assert tree == {"all": [{"any": [{"field": "colour", "is": ["red"]}, {"field": "price", "from": "", "to": ""}]}]}
    shown = press(tree, "show", f__0__0="colour", o__0__0="is", v__0__0="red", f__0__1="price", o__0__1="range", to__0__1="6")
    assert shown.status_code == 302
    told = parse_qs(urlsplit(shown.location).query)["w"][0]
    assert orjson.loads(told) == {"all": [{"any": [{"field": "colour", "is": ["red"]}, {"field": "price", "to": "6"}]}]}
    page = browser.get(shown.location).get_data(as_text=True)
    assert "伞-001" in page and "伞-003" in page and "伞-002" not in page and "颜色是红 或者 单价不大于 6" in html.unescape(page)
    assert tree_of(browser.get(f"{EDITOR}?{urlsplit(shown.location).query}")) == orjson.loads(told)
    assert tree_of(press(orjson.loads(told), "drop:0.0")) == {"all": [{"any": [{"field": "price", "to": "6"}]}]}


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(stock: Stock) -> None:
    browser = Browser(stock.app, "head")
    sent = {"tree": '{"all": [{"field": "price", "from": ""}]}', "act": "show", "f.0": "price", "o.0": "range", "from.0": "很多"}
    page = browser.post(EDITOR, sent)
    assert page.status_code == 422 and "只写数字" in page.get_data(as_text=True) and "很多" in page.get_data(as_text=True)
    assert browser.post(EDITOR, {"tree": "{", "act": "show"}).status_code == 422
    assert browser.post(EDITOR, {"tree": '{"all": []}', "act": "drop:4.x"}).status_code == 422
    assert browser.post(EDITOR, {"tree": '{"all": []}', "act": "show"}).location == LIST
