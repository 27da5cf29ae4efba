"""A year's work of two districts, and the steps of an assessment of it."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from engine.kernel.clock import SHANGHAI, FixedClock
from engine.runtime.assessments.give_scores import Given, give_scores
from engine.runtime.assessments.rounds import Board, find_board
from engine.runtime.fire_due_timers import fire_due_timers
from engine.runtime.reports.issue import make_files
from engine.storage.tables.cases import case_file
from tests.packs.illegal_building.points import make, newest, point
from tests.packs.walk import Walker

PACK = "illegal_building_assessment"
FULL = {"structure": "panel", "usage": "living", "source": "found", "location": {"lon": 121.45, "lat": 31.23}}
MANUAL = {"organisation": "10", "innovation": "0", "accident": "0"}


class Assessor(Walker):
    """District A: 4 points of which 3 complete, 5 planned and 4 demolished, 2 samples of which 1 real, 2 orders of which 1 closed and 1 late. B has nothing."""

    def work(self) -> None:
        for n in range(4):
            point(self, title=f"东街道 {n}", **(FULL if n else {"source": "hotline"}))
        point(self, title="去年的", found_on="2025-12-31")
        make(self, "illegal_building.annual_plan", unit="CG-A-CW", title="云浦区计划", year=2026, street=str(self.bureau.units["CG-A-J1"]), kind="stock", count=5, area=100, **{"from": "2026-01-01", "until": "2026-12-31"})
        for n in range(5):
            make(self, "illegal_building.closing", title=f"销项 {n}", way="demolished" if n else "certificate", closed_on="2026-06-01", area=20)
        make(self, "illegal_building.demolition", removed_on="2026-05-30", area=20, way="self")
        for finding in ("real", "incomplete"):
            make(self, "illegal_building_sampling.sample_case", title="抽到的", first_finding=finding, checked_on="2026-07-01")
        for state, late in (("closed", False), ("late", True)):
            make(self, "oversight.oversight_case", subject="屋顶搭建", area="无证建筑", state=state, late=late, bad_checks=1 if late else 0, issued_on="2026-08-01")
        make(self, "oversight.oversight_case", subject="别的工作", area="占道经营", state="replying", late=True, bad_checks=3, issued_on="2026-08-01")

    def opened(self, **changes: Any) -> None:
        self.start("city_works", f"{PACK}.demolition_assessment", {"year": 2026, "title": "2026年拆违工作考核", "days": 5, **changes})

    @property
    def round_id(self) -> UUID:
        id: UUID = newest(self, "assessment.round")["id"]
        return id

    def board(self, login: str = "city_works") -> Board:
        with self.app.db.connect() as connection:
            return find_board(connection, library=self.app.library, actor=self.actor(login), round_id=self.round_id)

    def scores(self, unit: str) -> dict[str, Decimal | None]:
        (line,) = [one for one in self.board().lines if one.unit_id == self.bureau.units[unit]]
        return {key: row["score"] for key, row in line.scores.items()}

    def give(self, unit: str, scores: Mapping[str, str] = MANUAL, *, words: str = "见材料。", login: str = "city_works") -> int:
        given = [Given(unit_id=self.bureau.units[unit], item=item, score=score, words=words) for item, score in scores.items()]
        return give_scores(self.app, actor=self.actor(login), round_id=self.round_id, given=given, at=self.at)

    def published(self) -> None:
        """Up to the districts' turn."""
        self.work()
        self.opened()
        self.give("CG-A")
        self.give("CG-B", {**MANUAL, "organisation": "8", "innovation": "2"})
        self.do("city_works", "score", "submit")
        self.do("city_chief", "review", "approve")
        self.run_jobs()

    def inside(self, unit: str) -> Walker:
        """A walker on the case of one unit's turn."""
        other = Walker(self.app, self.bureau)
        with self.app.db.connect() as connection:
            other.case_id = connection.scalar(select(case_file.c.id).where(case_file.c.parent_id == self.case_id, case_file.c.unit_id == self.bureau.units[unit]))
        return other

    def finished(self) -> None:
        """Results stand; the report is drafted and waits for its drafter."""
        self.published()
        self.inside("CG-A").do("a_works", "confirm", "accept")
        clock = self.app.clock
        assert isinstance(clock, FixedClock)
        clock.set(datetime(2026, 11, 28, 9, tzinfo=SHANGHAI))  # district B says nothing until the five working days are over
        fire_due_timers(self.app, self.at)
        self.run_jobs()
        self.do("city_works", "close_round", "submit")

    def files(self, issue: UUID) -> None:
        make_files(self.app, issue_id=str(issue), mark="测试 签发")
