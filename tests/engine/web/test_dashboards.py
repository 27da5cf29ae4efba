"""看板: tiles of the roles that hold it, the big screen that renews itself, wrong declarations."""
from __future__ import annotations

import pytest

from engine.kernel.errors import DeployRefused
from engine.registers.declaration import parse_register
from engine.reporting.dashboards import parse_dashboard
from engine.reporting.statistics.declaration import parse_statistic
from engine.runtime.deploy_file import deploy_file
from tests.browser import Browser
from tests.engine.registers.stock import STOCK, Stock, deploy_stock
from tests.engine.reporting.test_statistics import BUYING, ROWS
from tests.engine.reporting.test_statistics import NAME as BUYING_NAME
from tests.town import Town

BOARD = """
title: 雨伞看板
roles: [approval.agency_head]
tiles:
  - {tasks: true, width: 12}
  - {statistic: buying, title: 总数, measures: [total, share], period: all}
  - {statistic: buying, title: 颜色, by: colour, chart: pie, measures: [total], period: all}
  - {statistic: buying, title: 单位, by: unit, chart: table, period: all, top: 5}
"""
URL = "/dashboards/borrow_umbrella/board"


@pytest.fixture
def stock(town: Town) -> Stock:
    stock = deploy_stock(town)
    for kind, file, content in (("statistic", "buying.yaml", BUYING), ("page", "board.yaml", BOARD)):
        deploy_file(town.app, actor=town.actor("keeper"), kind=kind, pack="borrow_umbrella", filename=file, content=content.encode(), note="测试", at=town.app.clock.now())
    for number, (unit, colour, price, day) in enumerate(ROWS):
        stock.add({"code": f"伞-{number}", "colour": colour, "price": price, "bought_on": day}, unit=unit)
    return stock


def test_holders_of_the_role_find_it_and_see_their_figures(stock: Stock) -> None:
    chief, officer = Browser(stock.app, "chief"), Browser(stock.app, "officer")
    assert URL in chief.get("/statistics").text and URL not in officer.get("/statistics").text
    page = chief.get(URL).text
    assert "我的待办" in page and "data-chart" in page and '总数 8，看记录' not in page and "数量 8，看记录" in page
    assert officer.get(URL).status_code == 404


def test_the_big_screen_renews_itself_without_a_hand(stock: Stock) -> None:
    page = Browser(stock.app, "chief").get(f"{URL}?screen=1").text
    assert 'class="screen"' in page and 'hx-trigger="every 60s"' in page and 'hx-select="#tiles"' in page and "rail" not in page


@pytest.mark.parametrize(("old", "new", "said"), [
    ("statistic: buying, title: 颜色", "statistic: selling, title: 颜色", "没有统计"), ("chart: pie", "chart: cake", "chart 写"), ("by: colour", "by: price", "不能按"), ("width: 12", "width: 5", "width 写"),
    ("measures: [total]", "measures: [many]", "没有指标"), ("period: all, top", "period: moon, top", "period 写"), ("roles: [approval.agency_head]", "roles: []", "要写 title、roles"),
])
def test_a_wrong_board_is_refused(old: str, new: str, said: str) -> None:
    assert old in BOARD
    known = {BUYING_NAME: parse_statistic(BUYING.encode(), name=BUYING_NAME, register=parse_register(STOCK.encode(), name="borrow_umbrella.stock"))}
    with pytest.raises(DeployRefused) as refused:
        parse_dashboard(BOARD.replace(old, new, 1).encode(), name="borrow_umbrella.board", statistic=known.get)
    assert any(said in found["message"] for found in refused.value.findings)
