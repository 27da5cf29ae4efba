"""期限预测: clue, case, service, execution, publication and measures; batch cases have terms of their own that run with their papers."""
from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from engine.deadlines.board import forecast
from engine.deadlines.counts import fold_counts
from engine.kernel.clock import FixedClock
from tests.packs.ordinary_case import answers
from tests.packs.ordinary_case.case import OrdinaryCase, ordinary_case
from tests.packs.ordinary_case.test_evidence import take
from tests.packs.ordinary_case.test_ways import HEAVY


def running(case: OrdinaryCase) -> dict[str, date]:
    return {row["clock"].split("/")[0]: row["due_on"] for row in case.clocks() if row["state"] == "running"}


@pytest.mark.requirement("PEN-1151")
def test_the_terms_of_a_case_about_a_representative_office_run_with_its_papers_and_are_forecast(town: Any, clock: FixedClock) -> None:
    case = ordinary_case(town, clock, case_type="representative")
    took: dict[str, tuple[date, date]] = {}

    def note() -> None:
        for clock, due in running(case).items():
            took.setdefault(clock, (case.today, due))

    note()
    take(case, "order_correction")
    case.do("chief", "agency_approval")
    case.served()
    note()
    case.do("officer", "investigate", "finish", {"progress": "已查清。"})
    case.chain(answers.report(**HEAVY))
    case.do("officer", "prepare_notice", "submit", answers.notice(hearing=True))
    case.do("chief", "approve_notice")
    note()
    case.served()
    note()
    assert "time_limits.batch_hearing_notice" not in running(case)
    case.silent()
    if "legal_review" in case.waiting():
        case.reviewed_by_law()
    case.decided(**HEAVY)
    note()
    case.served()
    note()
    days = {clock: (due - began).days for clock, (began, due) in took.items()}
    assert days["case_filing.case_handling"] in (90, 91, 92)
    assert 30 <= days["time_limits.rectification"] <= 39
    assert 30 <= days["time_limits.batch_hearing_notice"] <= 39
    assert 30 <= days["time_limits.batch_decision_service"] <= 39
    assert "ordinary_case.decision_service" not in took
    assert {"ordinary_case.publicity", "penalty_execution.payment"} <= set(took)
    with case.app.db.begin() as connection:
        fold_counts(connection)
        ahead = forecast(connection, root="", at=None, on=case.today, days=60)
    assert ahead is not None
    assert sum(ahead.totals) >= sum(case.today <= due < case.today + timedelta(days=60) for due in running(case).values()) >= 3
