"""Every limit that the requirements list can be changed from a day on, and warns as the model in force says."""
from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine.deadlines.board import clock_names, forecast
from engine.deadlines.clocks import By, end_clock, extend_clock, resume_clock, start_clock, suspend_clock
from engine.deadlines.counts import fold_counts
from engine.deadlines.due import compute
from engine.deadlines.rules import rule_of
from engine.kernel.clock import SHANGHAI
from engine.reference.calendars import published_calendar
from engine.reference.parameters import get_value
from engine.runtime.change_limit import change_limit
from engine.runtime.change_warning import change_warning
from engine.runtime.run_clock_steps import run_clock_steps
from engine.storage.tables.organisation import notice
from tests.packs.filed import CaseWalker, filed_case

LIMITS = {
    "case_filing.clue_handling": "线索办理", "case_filing.case_handling": "案件办理", "ordinary_case.publicity": "公示", "coercive_measures.seal_detain": "强制措施", "coercive_measures.special": "强制措施",
    "time_limits.batch_handling": "案件办理（批量）", "time_limits.batch_hearing_notice": "听证告知", "time_limits.batch_decision_service": "处罚决定送达告知", "time_limits.rectification": "责令改正通知",
}
"""PEN-1251: 线索办理、案件办理、强制措施、公示、听证告知、处罚决定送达告知、责令改正通知, of 一般 and 批量 cases."""
CALENDAR = published_calendar()


def admin(walk: CaseWalker) -> Any:
    return replace(walk.actor("officer"), rights=frozenset({"admin"}))


def started(walk: CaseWalker, clock: str, label: str) -> date | None:
    """A clock of the name on the case, started now: its due date."""
    case = walk.case()
    with walk.app.db.begin() as connection:
        return start_clock(
            connection, case_id=case["id"], clock=clock, start_on=walk.at.astimezone(SHANGHAI).date(), by=By(at=walk.at), unit_id=case["unit_id"], district_id=case["district_id"], label=label,
        ).due_on


@pytest.mark.requirement("PEN-1251")
@pytest.mark.requirement("PEN-1330")
def test_each_listed_limit_is_adjusted_from_a_day_on_with_its_suspension_and_extension(town: Any) -> None:
    walk = filed_case(town)
    today = walk.at.astimezone(SHANGHAI).date()
    for clock in LIMITS:
        with walk.app.db.connect() as connection:
            old = rule_of(get_value(connection, name=clock, on=today))
        assert started(walk, clock, "旧") == compute(old, today, calendar=CALENDAR).due
        change_limit(
            walk.app, actor=admin(walk), clock=clock, value=20, valid_from=today, source="调整试点通知", at=walk.at,
            detail={"extension": {"times": 1, "amount": 5, "unit": old.unit}, "suspension": {"times": 1}},
        )
        new = compute(replace(old, amount=20), today, calendar=CALENDAR).due
        assert started(walk, clock, "新") == new, clock
        with walk.app.db.begin() as connection:
            by: dict[str, Any] = {"case_id": walk.case_id, "clock": f"{clock}/新", "by": By(at=walk.at)}
            suspend_clock(connection, on=today, **by)
            assert resume_clock(connection, on=today, **by).due_on == new
            assert extend_clock(connection, amount=5, on=today, **by).due_on == compute(replace(old, amount=25), today, calendar=CALENDAR).due
            for refused in (lambda by=by: suspend_clock(connection, on=today, **by), lambda by=by: extend_clock(connection, amount=1, on=today, **by)):
                with pytest.raises(Exception, match="最多"):
                    refused()
            end_clock(connection, on=today, **by)


@pytest.mark.requirement("PEN-1252")
@pytest.mark.requirement("PEN-1331")
def test_each_listed_limit_warns_by_its_model_after_suspension_and_extension_and_is_forecast(town: Any) -> None:
    walk = filed_case(town)
    today = walk.at.astimezone(SHANGHAI).date()
    for clock in LIMITS:
        change_warning(
            walk.app, actor=admin(walk), clock=clock, valid_from=today, soon="2 working_day", at=walk.at, source="预警试点",
            steps=[{"when": "2 working_day before", "remind": ["handler"], "text": f"预警 {clock}"}, {"when": "1 working_day after", "escalate": ["office_head"], "text": f"上报 {clock}"}],
        )
        started(walk, clock, "警")
        with walk.app.db.begin() as connection:
            by: dict[str, Any] = {"case_id": walk.case_id, "clock": f"{clock}/警", "by": By(at=walk.at)}
            suspend_clock(connection, on=today, **by)
            resume_clock(connection, on=today, **by)
    with walk.app.db.begin() as connection:
        fold_counts(connection)
        dues = {row.clock.partition("/")[0]: row.due_on for row in connection.exec_driver_sql("SELECT clock, due_on FROM case_clock WHERE clock LIKE '%%/警'")}
        ahead = forecast(connection, root="", at=None, on=today, days=60)
        assert ahead is not None and sum(ahead.totals) >= sum(due < today + timedelta(days=60) for due in dues.values()) > 3
        assert {name.name for name in clock_names(connection, on=today)} >= set(LIMITS)
    # The case had a clock of ninety days before: it warns on the same days.
    said = told(walk, until=max(dues.values()) + timedelta(days=10))
    for clock, due in dues.items():
        morning, after = CALENDAR.working_day(CALENDAR.count_upto(due) - 2), CALENDAR.add_working_days(due, 1) + timedelta(days=1)
        assert [*dict.fromkeys(one for one in said if one[1].endswith(clock))] == [(morning, f"预警 {clock}"), (after, f"上报 {clock}")]


def told(walk: CaseWalker, *, until: date) -> list[tuple[date, str]]:
    """Every day at one in the morning the clock looks: what was said about the case, and on which day."""
    day = walk.at.astimezone(SHANGHAI).date()
    while (day := day + timedelta(days=1)) <= until:
        walk.app.clock.set(datetime.combine(day, datetime.min.time(), SHANGHAI) + timedelta(hours=1))
        run_clock_steps(walk.app, walk.at)
    with walk.app.db.connect() as connection:
        rows = connection.execute(select(notice.c.at, notice.c.text).where(notice.c.case_id == walk.case_id, notice.c.kind == "due").order_by(notice.c.at, notice.c.id)).all()
    return [(row.at.astimezone(SHANGHAI).date(), row.text.rsplit("）", 1)[1].split("　")[0]) for row in rows]
