"""Score sheets: what a formula gives, what enters a total, who is where, and what a sheet may not say."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from engine.kernel.errors import DeployRefused, Invalid
from engine.registers.declaration import parse_register
from engine.reporting.assessments.declaration import parse_assessment
from engine.reporting.assessments.several import read_several
from engine.reporting.assessments.sheet import Item, rank, read_items, total_of
from engine.reporting.statistics.declaration import parse_statistic
from tests.engine.registers.stock import STOCK
from tests.engine.reporting.test_statistics import BUYING
from tests.engine.reporting.test_statistics import NAME as BUYING_NAME

AUTOMATIC: Mapping[str, Any] = {"key": "bought", "title": "购置", "points": 60, "figures": {"total": "buying/total", "red": "buying/red"}, "formula": "if total = 0 then points else points * red / total - 5"}
BY_HAND: Mapping[str, Any] = {"key": "care", "title": "保管", "points": 20, "weight": 2}
EXTRA: Mapping[str, Any] = {"key": "fault", "title": "丢失", "points": 10, "kind": "deduction"}
REGISTER = parse_register(STOCK.encode(), name="borrow_umbrella.stock")
KNOWN = {BUYING_NAME: parse_statistic(BUYING.encode(), name=BUYING_NAME, register=REGISTER)}


def sheet(*items: Mapping[str, Any]) -> tuple[Item, ...]:
    return read_items(items or (AUTOMATIC, BY_HAND, EXTRA), pack="borrow_umbrella", find=KNOWN.get, full=Decimal(100))


@pytest.mark.parametrize(("total", "red", "score"), [(0, 0, "60"), (4, 4, "55"), (3, 1, "15"), (4, 0, "0"), (1, 9, "60")])
def test_a_formula_stays_between_nothing_and_its_points(total: int, red: int, score: str) -> None:
    assert sheet()[0].reckon({"total": Decimal(total), "red": Decimal(red)}) == Decimal(score)
    assert sheet()[0].reckon({"total": None, "red": None}) == 60


def test_weights_and_deductions_make_the_total_which_is_never_below_nothing() -> None:
    items = sheet()
    assert total_of(items, {"bought": Decimal(50), "care": Decimal("9.5"), "fault": Decimal(3)}) == 66
    assert total_of(items, {"bought": Decimal(1), "care": Decimal(0), "fault": Decimal(10)}) == 0
    assert total_of(items, {"bought": Decimal(1), "care": None, "fault": Decimal(0)}) is None
    assert read_items([one.plain() for one in items], pack="other", find=KNOWN.get, full=Decimal(100)) == items


def test_equal_totals_share_a_place() -> None:
    assert rank({"a": Decimal(90), "b": Decimal(95), "c": Decimal(90), "d": Decimal(80), "e": None}) == {"b": 1, "a": 2, "c": 2, "d": 4}


@pytest.mark.parametrize(("change", "said"), [
    ({"points": 50}, "合计 90 分"), ({"points": 0}, "分值写"), ({"points": "1.234"}, "分值写"), ({"title": ""}, "要写名称"), ({"key": "Bad"}, "代号"), ({"kind": "gift"}, "kind 写"), ({"key": "care"}, "不能重复"),
    ({"figures": {"total": "selling/total"}}, "取的数"), ({"figures": {"total": "buying/nothing"}}, "取的数"), ({"formula": "total +"}, "公式写得不对"), ({"formula": "total + green"}, "公式里没有 green"),
    ({"several": {"rule": "average"}}, "不能再由几个人打分"), ({"several": {"rule": "sum"}}, "several 写"), ({"several": {"rule": "middle", "least": 2}}, "3 到 50"), ({"several": {"rule": "weighted"}}, "weights 写给"),
    ({"several": {"rule": "average", "weights": {"keeper": 1}}}, "weights 写给"), ({"several": {"rule": "weighted", "weights": {"keeper": "很重"}}}, "权重写成"), ({"several": {"rule": "weighted", "weights": {"keeper": 0}}}, "大于 0"),
    ({"formula": "red / total"}, "没有得出数"), ({"formula": '"很好"'}, "没有得出数"),
])
def test_what_a_sheet_may_not_say(change: Mapping[str, Any], said: str) -> None:
    with pytest.raises(Invalid) as refused:
        sheet({**AUTOMATIC, **change}, BY_HAND, EXTRA)
    assert any(said in text for text in refused.value.fields.values()), refused.value.fields


@dataclass(frozen=True)
class Given:
    score: Decimal
    role: str = "borrow_umbrella.keeper"


def test_what_several_people_give_becomes_one_score() -> None:
    def merged(told: Mapping[str, Any], *marks: Given) -> Decimal | None:
        (one,) = (item.several for item in sheet(AUTOMATIC, {**BY_HAND, "several": told}, EXTRA) if item.several)
        assert read_several(one.plain(), title="", pack="other") == one
        return one.merge(marks)

    few, many = [Given(Decimal(9)), Given(Decimal(8))], [Given(Decimal(score)) for score in (10, 8, 9, 1)]
    assert merged({"rule": "average"}, *few) == Decimal("8.5") and merged({"rule": "average", "least": 3}, *few) is None
    assert merged({"rule": "middle"}, *many) == Decimal("8.5") and merged({"rule": "middle"}, *many[:2]) is None and merged({"rule": "average"}, *many[:3]) == 9
    weights = {"rule": "weighted", "weights": {"keeper": 60, "head": "40"}}
    assert merged(weights, *few) is None and merged(weights, *few, Given(Decimal(5), "borrow_umbrella.head")) == Decimal("7.10")


def test_a_declaration_names_registers_that_can_hold_it() -> None:
    told = "title: 考核\nperiod: fortnight\nassessed: []\nround: stock\nscore: nowhere\nresult: stock\nitems: {care: {title: 保管, points: 100}}\n"
    with pytest.raises(DeployRefused) as refused:
        parse_assessment(told.encode(), name="borrow_umbrella.work", statistic=KNOWN.get, register={REGISTER.name: REGISTER}.get)
    messages = "".join(one["message"] for one in refused.value.findings)
    assert all(word in messages for word in ("period 写", "assessed 写", "scores 写", "没有台账 borrow_umbrella.nowhere", "case: many"))
