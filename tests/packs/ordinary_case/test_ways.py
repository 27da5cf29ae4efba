"""The ways of an ordinary case from filing to the archive."""
from __future__ import annotations

from tests.packs.ordinary_case.case import OrdinaryCase


def test_a_case_in_which_the_party_is_silent_goes_to_the_archive(case: OrdinaryCase) -> None:
    assert case.waiting() == {"investigate"}
    assert case.holders("investigate") == {"officer"}
    case.investigated()
    assert case.case()["state"] == "notifying"
    case.notified()
    case.silent()
    case.decided()
    assert case.case()["state"] == "serving"
    case.served()
    case.executed()
    assert case.waiting() == set()
    case.published()
    case.closed()
    assert case.case()["state"] == "closed"
    case.archived()

    assert (case.case()["state"], case.waiting(), case.incidents()) == ("archived", set(), [])
    (row,) = case.records("ordinary_case__penalty")
    assert (row["handling"], str(row["fine"]), row["decision_number"]) == ("penalty", "50000.00", "沪市监云罚〔2026〕0001号")
