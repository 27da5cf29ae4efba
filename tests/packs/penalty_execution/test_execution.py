"""A decision carried out: paid, paid in cash, deferred, demanded, taken to court, ended."""
from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.kernel.clock import SHANGHAI, FixedClock
from engine.kernel.errors import Invalid
from tests.packs.serving_documents.conftest import ServedCase

CHAIN = (("head", "office_review"), ("section_head", "section_head_review"), ("chief", "agency_approval"))


def step(case: ServedCase, outcome: str) -> None:
    case.do("officer", "next_step", outcome, {})


def pay(case: ServedCase, amount: str, of_fine: str = "fine", on: str = "2026-11-20") -> None:
    step(case, "pay")
    case.do("officer", "record_payment", "submit", {"paid_on": on, "amount": amount, "of_fine": of_fine, "way": "bank", "voucher": case.proof(field="voucher")})


def execution(case: ServedCase) -> dict[str, Any]:
    (row,) = case.records("penalty_execution__execution")
    return row


def at(clock: FixedClock, year: int, month: int, day: int) -> None:
    clock.set(datetime(year, month, day, 10, tzinfo=SHANGHAI))


def test_paid_in_time_it_is_performed(case: ServedCase) -> None:
    assert execution(case)["pay_by"] == date(2026, 12, 7)
    pay(case, "2000.00")
    pay(case, "3000.00")

    row = execution(case)
    assert (row["state"], row["paid"], row["result"], row["ended_on"]) == ("performed", Decimal("5000.00"), "已履行", date(2026, 11, 20))
    assert case.waiting() == set()
    assert [one["amount"] for one in case.records("penalty_execution__payment")] == [Decimal("2000.00"), Decimal("3000.00")]
