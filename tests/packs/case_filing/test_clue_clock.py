"""Extension, suspension and resumption of the clue's clock, and the four-level approval they go through."""
from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from engine.kernel.clock import SHANGHAI, FixedClock
from engine.kernel.errors import Conflict
from tests.packs.case_filing.clues import register
from tests.packs.walk import Walker

EXTENSION: dict[str, Any] = {"extension_days": 15, "reason": "需要等待检验结果。"}
SUSPENSION: dict[str, Any] = {"suspension_ground": "testing", "reason": "样品已送检。"}
RESUMPTION: dict[str, Any] = {"ended_on": "2026-11-27", "reason": "检验报告已收到。"}


def approve(walk: Walker) -> None:
    walk.do("office_head", "office_review")
    walk.do("section_head", "section_head_review")
    walk.do("agency_head", "agency_approval")


def hand_in(walk: Walker, clock: FixedClock, process: str, data: dict[str, Any]) -> None:
    """A clue with the matter handed in; one to resume is suspended before."""
    register(walk)
    if process == "clue_resume":
        walk.matter("officer", "case_filing.clue_suspend", SUSPENSION)
        approve(walk)
        clock.set(datetime(2026, 11, 27, 10, 0, tzinfo=SHANGHAI))
    walk.matter("officer", f"case_filing.{process}", data)


def due(walk: Walker) -> date | None:
    (clock,) = walk.clocks()
    found: date | None = clock["due_on"]
    return found


@pytest.mark.requirement("PEN-1168")
def test_an_approved_extension_adds_fifteen_working_days(walk: Walker) -> None:
    register(walk)
    walk.matter("officer", "case_filing.clue_extension", EXTENSION)

    approve(walk)

    assert due(walk) == date(2026, 12, 31)
    assert {paper["number"] for paper in walk.documents()} == {"沪市监云线期〔2026〕0001号"}


def test_more_days_than_the_rule_allows_are_refused_in_the_form(walk: Walker) -> None:
    register(walk)

    with pytest.raises(Exception, match="还有 1 处要改") as refused:
        walk.matter("officer", "case_filing.clue_extension", {**EXTENSION, "extension_days": 16})

    assert refused.value.fields == {"extension_days": "延长的工作日数超过了规定的上限，请改小。"}


def test_a_refused_extension_leaves_the_clock_alone(walk: Walker) -> None:
    register(walk)
    walk.matter("officer", "case_filing.clue_extension", EXTENSION)
    walk.do("office_head", "office_review")
    walk.do("section_head", "section_head_review")

    walk.do("agency_head", "agency_approval", "disapprove", opinion="理由不充分。")

    assert due(walk) == date(2026, 12, 10)
    assert walk.waiting() == {"verify"}


@pytest.mark.requirement("PEN-1168")
def test_an_approved_suspension_stops_the_clock_and_a_resumption_starts_it_again(walk: Walker, clock: FixedClock) -> None:
    register(walk)
    walk.matter("officer", "case_filing.clue_suspend", SUSPENSION)
    approve(walk)
    assert (walk.case()["state_title"], due(walk)) == ("期限暂停", None)

    clock.set(datetime(2026, 11, 27, 10, 0, tzinfo=SHANGHAI))
    walk.matter("officer", "case_filing.clue_resume", RESUMPTION)
    approve(walk)

    assert (walk.case()["state_title"], due(walk)) == ("已登记", date(2026, 12, 17))


def test_a_clue_is_not_suspended_twice_at_once(walk: Walker) -> None:
    register(walk)
    walk.matter("officer", "case_filing.clue_suspend", SUSPENSION)

    with pytest.raises(Conflict):
        walk.matter("officer", "case_filing.clue_suspend", SUSPENSION)


@pytest.mark.requirement("PEN-1168")
@pytest.mark.parametrize(
    ("process", "data"), [("clue_extension", EXTENSION), ("clue_suspend", SUSPENSION), ("clue_resume", RESUMPTION)],
    ids=["extension", "suspension", "resumption"],
)
@pytest.mark.parametrize(("to", "holder"), [("draft", "officer"), ("office_review", "office_head"), ("section_head_review", "section_head")])
def test_the_agency_head_returns_a_matter_directly_to_any_lower_step(
    walk: Walker, clock: FixedClock, process: str, data: dict[str, Any], to: str, holder: str
) -> None:
    hand_in(walk, clock, process, data)
    walk.do("office_head", "office_review")
    walk.do("section_head", "section_head_review")

    walk.back("agency_head", "agency_approval", to)

    assert walk.holders(to) == {holder}
    assert walk.waiting() == {"verify", to}


@pytest.mark.requirement("PEN-1168")
@pytest.mark.parametrize(
    ("process", "data"), [("clue_extension", EXTENSION), ("clue_suspend", SUSPENSION), ("clue_resume", RESUMPTION)],
    ids=["extension", "suspension", "resumption"],
)
@pytest.mark.parametrize("to", ["draft", "office_review"])
def test_the_section_head_returns_a_matter_directly_to_the_officer_or_the_office_head(
    walk: Walker, clock: FixedClock, process: str, data: dict[str, Any], to: str
) -> None:
    hand_in(walk, clock, process, data)
    walk.do("office_head", "office_review")
    assert {target.node for target in walk.targets("section_head", "section_head_review")} == {"draft", "office_review"}

    walk.back("section_head", "section_head_review", to)

    assert walk.waiting() == {"verify", to}


def test_a_resumption_returned_to_the_officer_is_handed_in_again_and_approved(walk: Walker, clock: FixedClock) -> None:
    register(walk)
    walk.matter("officer", "case_filing.clue_suspend", SUSPENSION)
    approve(walk)
    clock.set(datetime(2026, 11, 27, 10, 0, tzinfo=SHANGHAI))
    walk.matter("officer", "case_filing.clue_resume", RESUMPTION)
    walk.do("office_head", "office_review")
    walk.do("section_head", "section_head_review")

    walk.back("agency_head", "agency_approval", "draft")
    walk.do("officer", "draft", "submit", RESUMPTION)
    approve(walk)

    assert walk.case()["state_title"] == "已登记"


def test_the_officer_is_told_once_the_clock_has_run_out(walk: Walker, clock: FixedClock, app: Any) -> None:
    from engine.runtime.fire_due_timers import fire_due_timers

    register(walk)
    clock.set(datetime(2026, 12, 11, 9, 0, tzinfo=SHANGHAI))

    fire_due_timers(app, clock.now())
    walk.run_jobs()

    with app.db.connect() as connection:
        texts = [row.text for row in connection.exec_driver_sql("SELECT text FROM notice WHERE kind = 'case'")]
    assert any("期限已届满" in text for text in texts)
    assert walk.waiting() == {"verify"}
