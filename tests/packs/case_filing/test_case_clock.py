"""A filed case has ninety natural days, counted from the day after it was filed; the clock is the new case's, not the clue's."""
from __future__ import annotations

from datetime import date

import pytest

from tests.packs.case_filing.clues import apply_for_filing, up_to_the_agency_head
from tests.packs.walk import Walker


@pytest.mark.parametrize(("case_type", "title", "law"), [
    ("ordinary", "案件办理期限", "《市场监督管理行政处罚程序规定》第六十四条第一款"),
    ("batch", "案件办理期限（批量）", "需求 PEN-1151；《市场监督管理行政处罚程序规定》第六十四条第一款"),
])
def test_the_clock_of_the_case_starts_with_the_filing(walk: Walker, case_type: str, title: str, law: str) -> None:
    apply_for_filing(walk, case_type=case_type)
    up_to_the_agency_head(walk)

    walk.do("agency_head", "agency_approval", "approve")

    assert [(clock["clock"], clock["state"]) for clock in walk.clocks()] == [("case_filing.clue_handling", "met")]
    walk.case_id = walk.links()["became"]
    (clock,) = walk.clocks()
    # 20 November 2026 + 90 days = 18 February 2027, in the Spring Festival of 2027 or not yet announced: never earlier.
    assert (clock["clock"], clock["title"], clock["amount"], clock["day_kind"]) == ("case_filing.case_handling", title, 90, "day")
    assert (clock["start_on"], clock["law"]) == (date(2026, 11, 20), law)
    assert clock["due_on"] >= date(2027, 2, 18)
    assert clock["rule"].get("measure") == (None if case_type == "ordinary" else "time_limits.batch_handling")
    assert clock["unit_id"] == walk.case()["unit_id"]
