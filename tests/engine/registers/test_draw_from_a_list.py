"""A draw from a register's list through the pages: the range is the list, the proof is kept, drawing again needs a reason."""
from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from engine.kernel.errors import Conflict, Forbidden, Invalid
from engine.kernel.ids import new_id
from engine.reporting.sampling.draw import Rule
from engine.reporting.sampling.proof import check_proof
from engine.runtime.deploy_file import deploy_file
from engine.runtime.draw_sample import Order, draw_sample
from engine.runtime.queries import draws
from tests.browser import Browser
from tests.engine.registers.stock import NAME, STOCK, Stock, deploy_stock
from tests.town import Town

BASE = "/registers/borrow_umbrella/stock/draw"


@pytest.fixture
def stock(town: Town) -> Stock:
    made = deploy_stock(town)
    deploy_file(
        town.app, actor=town.actor("keeper"), pack="borrow_umbrella", filename="stock.yaml", content=(STOCK + "draws: keeper\n").encode(), note="抽样", at=town.app.clock.now(), kind="register",
    )
    made = Stock(town)
    for number in range(20):
        made.add({"code": f"伞-{number:03}", "colour": "red" if number % 4 else "blue"})
    return made


def order(**more: Any) -> Order:
    return Order(**{"title": "季度盘点", "register": NAME, "rule": Rule(number=4, least=1), "stratum": "colour", "seed": "20261120", **more})


def make(stock: Stock, login: str = "head", **more: Any) -> Any:
    return draw_sample(stock.app, actor=stock.actor(login), order=order(**more), key=new_id(), at=stock.app.clock.now())


def test_the_list_as_it_is_narrowed_is_drawn_from_in_the_browser(stock: Stock) -> None:
    head = Browser(stock.app, "head")
    assert "抽样" in head.get("/registers/borrow_umbrella/stock").text
    page = head.get(f"{BASE}?f.colour=red").text
    assert "筛选出的 <b>15</b> 条" in page
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key is not None
    sent = {"key": key[1], "title": "盘点", "how": "number", "amount": "5", "seed": "7", "seed_source": "开奖号"}
    answers = [head.post(f"{BASE}?f.colour=red", sent) for _ in range(2)]
    assert {answer.headers["Location"] for answer in answers} == {answers[0].headers["Location"]}
    told = head.get(answers[0].headers["Location"]).text
    assert "15 条（筛选后）" in told and told.count('class="t"') == 5 and "开奖号" in told
    where = answers[0].headers["Location"].split("?")[0]
    proof = head.get(f"{where}/proof.json").data
    assert check_proof(proof).differences == [] and len(orjson.loads(proof)["population"]) == 15
    assert "一致" in head.get(f"{where}/check").text and "盘点" in head.get("/draws").text


@pytest.mark.parametrize(("sent", "said"), [({"amount": "很多"}, "抽多少要写数字"), ({"amount": "0"}, "至少是 1"), ({"amount": "2.5"}, "写整数"), ({"title": " ", "amount": "2"}, "抽样的名称")])
def test_what_is_wrong_is_told_and_what_was_typed_stays(stock: Stock, sent: dict[str, str], said: str) -> None:
    answer = Browser(stock.app, "head").post(BASE, {"key": str(new_id()), "title": "盘点", "how": "number", "seed": "7", **sent})
    assert answer.status_code == 422 and said in answer.text and 'value="7"' in answer.text


def test_strata_are_named_as_people_read_them(stock: Stock) -> None:
    id = make(stock)
    with stock.app.db.connect() as connection:
        row = draws.one(connection, actor=stock.actor("chief"), draw_id=id)
        picked = draws.picks(connection, draw_id=id)
    assert [(one["name"], one["size"], one["picked"]) for one in row["strata"]] == [("红", 15, 3), ("蓝", 5, 1)] and len(picked) == 4


def test_drawing_again_needs_a_reason_and_happens_once(stock: Stock) -> None:
    first = make(stock)
    with pytest.raises(Invalid, match="原因"):
        make(stock, previous_id=first)
    second = make(stock, previous_id=first, reason="名单漏了一户", seed="21")
    with pytest.raises(Conflict):
        make(stock, previous_id=first, reason="再来", seed="22")
    page = Browser(stock.app, "head").get(f"/draws/{first}").text
    assert str(second) in page and "已被重抽取代" in page


def test_only_the_role_draws_and_only_the_own_line_sees_it(stock: Stock) -> None:
    with pytest.raises(Forbidden):
        make(stock, "officer")
    id = make(stock)
    assert Browser(stock.app, "officer").get(f"/draws/{id}").status_code == 200
    assert Browser(stock.app, "other_officer").get(f"/draws/{id}").status_code == 404
    assert Browser(stock.app, "other_officer").get(f"/draws/{id}/proof.json").status_code == 404


def test_must_haves_and_exclusions_are_named_one_a_line(stock: Stock) -> None:
    head = Browser(stock.app, "head")
    sent = {"key": str(new_id()), "title": "盘点", "how": "number", "amount": "3", "seed": "7", "must": "伞-004\n伞-011", "without": "伞-002"}
    answer = head.post(BASE, {**sent, "without": "伞-999"})
    assert answer.status_code == 422 and "“伞-999”没有找到" in answer.text and "伞-004" in answer.text
    where = head.post(BASE, sent).headers["Location"].split("?")[0]
    assert "必抽 2 条，排除 1 条" in head.get(where).text
    proof = orjson.loads(head.get(f"{where}/proof.json").data)
    assert [one["must"] for one in proof["picked"]] == [True, True, False] and "一致" in head.get(f"{where}/check").text
