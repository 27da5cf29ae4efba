"""Figures equal the lists behind them; shares, medians, units, time, comparison, dated rules, rights."""
from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any
from urllib.parse import parse_qsl

import pytest

from engine.kernel.errors import DeployRefused, Invalid
from engine.registers.declaration import parse_register
from engine.registers.filters import read_asked
from engine.reporting.statistics.catalogue import get_statistic
from engine.reporting.statistics.count import Ask
from engine.reporting.statistics.declaration import parse_statistic
from engine.reporting.statistics.periods import read_period
from engine.runtime.deploy_file import deploy_file
from engine.runtime.queries import registers as records
from engine.runtime.queries.statistics import Answer, answer, root_of
from tests.engine.registers.stock import STOCK, Stock, deploy_stock
from tests.town import Town

NAME = "borrow_umbrella.buying"
BUYING = """
title: 购置情况
of: stock
on: bought_on
by: [unit, colour, working]
measures:
  total: {title: 数量, unit: 把}
  red: {title: 红伞, unit: 把, where: {field: colour, is: red}}
  cost: {title: 金额, unit: 元, sum: price}
  usual: {title: 单价中位数, unit: 元, median: price}
  mean: {title: 平均单价, unit: 元, mean: price}
  share: {title: 红伞占比, share: [red, total], target: {good: 60, fair: 40}}
  dear:
    title: 贵重
    where:
      - {where: {field: price, from: 100}}
      - {from: 2026-01-01, where: {field: price, from: 10}, source: 新口径}
  checked: {title: 已检查, on: checked_at}
"""
ROWS = [
    ("station_one", "red", "10.00", "2026-01-05"), ("station_one", "red", "30.00", "2026-02-05"), ("station_one", "blue", "20.00", "2026-02-25"), ("station_two", "blue", "100.00", "2026-02-28"),
    ("district", "red", "5.00", "2026-03-01"), ("station_one", "blue", "50.00", "2025-02-10"), ("station_two", "red", "150.00", "2025-12-31"), ("station_two", None, None, None),
]


@pytest.fixture
def stock(town: Town) -> Stock:
    stock = deploy_stock(town)
    deploy_file(town.app, actor=town.actor("keeper"), kind="statistic", pack="borrow_umbrella", filename="buying.yaml", content=BUYING.encode(), note="测试", at=town.app.clock.now())
    for number, (unit, colour, price, day) in enumerate(ROWS):
        stock.add({"code": f"伞-{number}", "colour": colour, "price": price, "bought_on": day, "working": colour == "red"}, unit=unit)
    return stock


def ask(stock: Stock, period: str | None = "2026", *, login: str = "chief", measures: tuple[str, ...] = (), **more: Any) -> Answer:
    statistic, table = get_statistic(stock.app.library, NAME)
    given = Ask(period=read_period(period) if period else None, **{name: more.pop(name) for name in ("by", "grain", "root") if name in more})
    with stock.app.db.connect() as connection:
        return answer(connection, statistic=statistic, table=table, actor=stock.actor(login), ask=given, measures=measures, **more)


def values(found: Answer, measure: str) -> dict[str, Decimal | None]:
    return {row.title: row.cells[measure].value for row in found.rows}


def test_every_count_is_the_length_of_the_list_behind_it(stock: Stock) -> None:
    for period, by, login in product(("2026", "2026-02", None), (None, "unit", "colour", "time"), ("chief", "officer", "keeper")):
        found = ask(stock, period, by=by, login=login)
        with stock.app.db.connect() as connection:
            for row in [found.total, *found.rows]:
                for name, cell in row.cells.items():
                    if found.statistic.measures[name].over == "count":
                        asked = read_asked(stock.register, parse_qsl(cell.behind))
                        listed = records.count(connection, actor=stock.actor(login), register=stock.register, table=stock.table, asked=asked)
                        assert listed == cell.value, (period, by, login, row.title, name)


def test_sums_means_medians_and_shares(stock: Stock) -> None:
    cells = ask(stock).total.cells
    assert {name: cells[name].value for name in ("total", "red", "cost", "mean", "usual", "share")} == {
        "total": 5, "red": 3, "cost": Decimal("165.00"), "mean": 33, "usual": 20, "share": 60,
    }
    assert cells["share"].light == "ok" and cells["share"].behind == ""
    nothing = ask(stock, "2020").total.cells
    assert nothing["total"].value == 0 and nothing["share"].value is None and nothing["share"].light == "none" and nothing["usual"].value is None


def test_units_roll_up_to_the_children_of_the_root_and_open_further(stock: Stock) -> None:
    found = ask(stock, by="unit")
    assert {title.replace("场监督管理", ""): value for title, value in values(found, "total").items()} and sum(row.cells["total"].value or 0 for row in found.rows) == 5
    own = next(row for row in found.rows if row.key == "")
    assert own.cells["total"].value == 1 and own.inside is None and own.title.endswith("（本级）")
    first = next(row for row in found.rows if row.cells["total"].value == 3)
    assert first.inside == ("unit", str(stock.town.units["station_one"]))
    with stock.app.db.connect() as connection:
        root = root_of(connection, statistic=found.statistic, actor=stock.actor("chief"), unit_id=stock.town.units["station_one"])
    assert ask(stock, root=root).total.cells["total"].value == 3


def test_time_has_every_step_and_compares(stock: Stock) -> None:
    found = ask(stock, "2026-Q1", by="time", grain="month")
    assert [row.cells["total"].value for row in found.rows] == [1, 3, 1] and [row.title for row in found.rows] == ["2026 年 1 月", "2026 年 2 月", "2026 年 3 月"]
    february = ask(stock, "2026-02").total.cells["total"]
    assert (february.value, february.before, february.growth, february.year_before, february.year_growth) == (3, 1, 200, 1, 200)
    assert ask(stock, "2026-01").total.cells["total"].year_growth is None


def test_old_periods_keep_the_old_rule(stock: Stock) -> None:
    assert ask(stock, "2025", measures=("dear",)).total.cells["dear"].value == 1
    assert ask(stock, "2026", measures=("dear",)).total.cells["dear"].value == 4
    assert ask(stock, "2025-12-01..2026-01-31", measures=("dear",)).total.cells["dear"].value == 2


def test_the_largest_come_first_and_only_so_many(stock: Stock) -> None:
    found = ask(stock, by="colour", order="cost", top=1)
    assert list(values(found, "cost").items()) == [("蓝", Decimal("120.00"))]


def test_an_officer_counts_the_own_unit_only(stock: Stock) -> None:
    assert ask(stock, login="officer").total.cells["total"].value == 3 and ask(stock, login="keeper").total.cells["total"].value == 5


@pytest.mark.parametrize(("more", "said"), [({"by": "price"}, "没有这种分组"), ({"measures": ("nothing",)}, "没有这个指标")])
def test_what_is_not_offered_is_refused(stock: Stock, more: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        ask(stock, **more)


WRONG = [
    ("sum: price", "sum: colour", "不是台账里的数字"), ("share: [red, total]", "share: [red, nothing]", "两个别的指标"), ("on: bought_on", "on: colour", "不是台账里的日期"),
    ("by: [unit,", "by: [price,", "不能按“price”分组"), ("is: red}}", "is: red}, sum: price, mean: price}", "只能写一种"), ("good: 60", "well: 60", "target 写成"),
    ("from: 2026-01-01", "from: 某天", "不是日期"), ("title: 购置情况", "name: 购置情况", "要写 title"),
]


@pytest.mark.parametrize(("old", "new", "said"), WRONG)
def test_a_wrong_declaration_is_refused_with_what_to_write(old: str, new: str, said: str) -> None:
    assert old in BUYING
    with pytest.raises(DeployRefused) as refused:
        parse_statistic(BUYING.replace(old, new, 1).encode(), name=NAME, register=parse_register(STOCK.encode(), name="borrow_umbrella.stock"))
    assert any(said in found["message"] for found in refused.value.findings), refused.value.findings


def test_a_statistic_over_nothing_is_not_put_into_force(stock: Stock) -> None:
    with pytest.raises(DeployRefused, match="没有台账"):
        deploy_file(
            stock.app, actor=stock.actor("keeper"), kind="statistic", pack="borrow_umbrella", filename="other.yaml", content=BUYING.replace("of: stock", "of: nowhere").encode(), note="测试",
            at=stock.app.clock.now(),
        )


def test_questions_compare_as_values() -> None:
    one = Ask(period=read_period("2026"), by="unit")
    assert replace(one, by=None) == Ask(period=read_period("2026"))
