"""The hard facts of money and time in carrying out a penalty, one row each: case, events, expected, source."""
from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from engine.decisions import DecisionModel, compile_dmn
from engine.kernel.errors import Invalid
from engine.kernel.settings import ROOT
from handlers.penalty_execution.money import amount_of, months_from, split

RATE, CAP = Decimal(3), Decimal(100)
ADDITIONAL = [
    # 案例, 罚款, 缴纳期限, 算到, 不计日数, 逾期日数, 加处, 出处
    ("期限最后一天缴", "5000.00", "2026-12-07", "2026-12-07", 0, 0, "0", "PEN-1202 逾期处理"),
    ("期限以前缴", "5000.00", "2026-12-07", "2026-11-30", 0, 0, "0", "PEN-1202 逾期处理"),
    ("逾期一日", "5000.00", "2026-12-07", "2026-12-08", 0, 1, "150.00", "PEN-1202 每日百分之三"),
    ("逾期十日", "5000.00", "2026-12-07", "2026-12-17", 0, 10, "1500.00", "PEN-1202 每日百分之三"),
    ("逾期三十三日，差一点到上限", "5000.00", "2026-12-07", "2027-01-09", 0, 33, "4950.00", "PEN-1202 不超过罚款数额"),
    ("逾期三十四日，到上限", "5000.00", "2026-12-07", "2027-01-10", 0, 34, "5000.00", "PEN-1202 不超过罚款数额"),
    ("逾期一年，仍是上限", "5000.00", "2026-12-07", "2027-12-07", 0, 365, "5000.00", "PEN-1202 不超过罚款数额"),
    ("角分不丢", "333.33", "2026-12-07", "2026-12-10", 0, 3, "30.00", "PEN-1202 每日百分之三"),
    ("复议二十日不计", "5000.00", "2026-12-07", "2027-01-06", 20, 10, "1500.00", "行政处罚法第七十三条第三款"),
    ("全在复议期间", "5000.00", "2026-12-07", "2026-12-17", 10, 0, "0.00", "行政处罚法第七十三条第三款"),
]
COURT = [
    # 案例, 还欠, 催告到, 起诉或延期期限, 三个月到, 申请日, 可以, 理由里的话, 出处
    ("已缴清", "0", "2027-06-10", "2027-05-20", "2027-08-20", "2027-06-11", False, "已经履行", "PEN-1202 强制执行"),
    ("没有催告", "5000", None, "2027-05-20", "2027-08-20", "2027-06-11", False, "还没有催告", "行政强制法第五十四条"),
    ("催告第十个工作日", "5000", "2027-06-10", "2027-05-20", "2027-08-20", "2027-06-10", False, "不满十个工作日", "PEN-1202 强制执行"),
    ("催告满，起诉期限未满", "5000", "2027-01-10", "2027-05-20", "2027-08-20", "2027-05-20", False, "还没有届满", "PEN-1202 强制执行"),
    ("期限届满的第二天", "5000", "2027-01-10", "2027-05-20", "2027-08-20", "2027-05-21", True, "", "PEN-1202 强制执行"),
    ("三个月的最后一天", "5000", "2027-01-10", "2027-05-20", "2027-08-20", "2027-08-20", True, "", "PEN-1202 三个月内"),
    ("过了三个月", "5000", "2027-01-10", "2027-05-20", "2027-08-20", "2027-08-21", False, "已经超过", "PEN-1202 三个月内"),
    ("分期到年底，还没到", "5000", "2027-01-10", "2027-12-31", "2028-03-31", "2027-08-21", False, "还没有届满", "PEN-1202 自延期分期结束之日起"),
    ("分期到年底，以后三个月内", "5000", "2027-01-10", "2027-12-31", "2028-03-31", "2028-01-03", True, "", "PEN-1202 自延期分期结束之日起"),
]


def model(name: str) -> DecisionModel:
    return compile_dmn((ROOT / "processes" / "penalty_execution" / "decisions" / f"{name}.dmn").read_bytes())


def day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


@pytest.mark.parametrize(("fine", "pay_by", "on", "excluded", "days", "additional"), [row[1:7] for row in ADDITIONAL], ids=[row[0] for row in ADDITIONAL])
def test_additional_fine(fine: str, pay_by: str, on: str, excluded: int, days: int, additional: str) -> None:
    given = {"fine": fine, "pay_by": day(pay_by), "on": day(on), "excluded_days": excluded, "rate": RATE, "cap": CAP}
    found: Any = model("additional_fine").evaluate("additional_fine", given, strict=True)
    assert (int(found["overdue_days"]), Decimal(str(found["additional"]))) == (days, Decimal(additional))


@pytest.mark.parametrize(("owed", "demand", "term", "window", "on", "allowed", "words"), [row[1:8] for row in COURT], ids=[row[0] for row in COURT])
def test_asking_the_court(owed: str, demand: str | None, term: str, window: str, on: str, allowed: bool, words: str) -> None:
    given = {"outstanding": owed, "demand_until": day(demand), "term_end": day(term), "window_until": day(window), "on": day(on)}
    found: Any = model("court_application").evaluate("court_application", given, strict=True)
    assert found["allowed"] is allowed
    assert words in found["reason"]


@pytest.mark.parametrize(("total", "parts", "expected"), [
    ("5000.00", 3, ["1666.66", "1666.66", "1666.68"]), ("100.00", 2, ["50.00", "50.00"]), ("0.05", 2, ["0.02", "0.03"]), ("1000.01", 6, ["166.66"] * 5 + ["166.71"]),
])
def test_instalments_are_equal_and_the_last_takes_the_rest(total: str, parts: int, expected: list[str]) -> None:
    found = split(Decimal(total), parts)
    assert found == [Decimal(one) for one in expected]
    assert sum(found) == Decimal(total)


def test_instalments_fall_on_the_same_day_of_each_month_or_its_last() -> None:
    assert months_from(date(2026, 11, 30), 4) == [date(2026, 11, 30), date(2026, 12, 30), date(2027, 1, 30), date(2027, 2, 28)]
    assert months_from(date(2026, 11, 30), 3, every=3) == [date(2026, 11, 30), date(2027, 2, 28), date(2027, 5, 30)]


def test_instalments_follow_the_rule_that_is_set() -> None:
    whole, yuan = Decimal("100000.00"), Decimal("1")
    assert split(whole, 3, unit=yuan) == [Decimal("33333"), Decimal("33333"), Decimal("33334")]
    assert split(whole, 3, unit=yuan, remainder="first") == [Decimal("33334"), Decimal("33333"), Decimal("33333")]
    assert split(whole, 3, unit=yuan, first_percent=50) == [Decimal("50000"), Decimal("25000"), Decimal("25000")]
    with pytest.raises(Invalid, match="没有金额的一期"):
        split(Decimal("0.50"), 3, unit=yuan)


@pytest.mark.parametrize("text", ["", "0", "-5", "1.005", "abc", "NaN", "Infinity"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="不是金额"):
        amount_of(text)
