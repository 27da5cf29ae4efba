"""A simulated year: cases filed day after day, each with a life of its own, all in one bureau under one clock."""
from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from engine.kernel.clock import SHANGHAI, FixedClock
from engine.runtime.fire_due_timers import fire_due_timers
from tests.packs.case_matters.answers import application
from tests.packs.ordinary_case import answers
from tests.packs.ordinary_case.case import OrdinaryCase, ordinary_case

FIRST = date(2025, 11, 3)
HEAVY = {"discretion": "food_expired_small_heavy", "fine": "100000.00"}
Life = Iterator[int]


@dataclass
class Year:
    """``ways`` counts which branches were taken; ``cases`` are all cases."""

    town: Any
    clock: FixedClock
    rng: Random
    ways: Counter[str] = field(default_factory=Counter)
    cases: list[OrdinaryCase] = field(default_factory=list)

    def run(self, number: int) -> None:
        """File ``number`` cases within 250 days and live on until the last one has ended."""
        waiting: list[tuple[int, int, Life]] = [(self.rng.randrange(250), place, iter(())) for place in range(number)]
        heapq.heapify(waiting)
        begun: dict[int, Life] = {}
        day = 0
        while waiting:
            self.clock.set(datetime.combine(FIRST + timedelta(days=day), time(9), SHANGHAI))
            fire_due_timers(self.town.app, self.clock.now())
            while waiting and waiting[0][0] <= day:
                _, place, _ = heapq.heappop(waiting)
                if place not in begun:
                    case = ordinary_case(self.town, self.clock)
                    self.cases.append(case)
                    begun[place] = self.life(case, place)
                pause = next(begun[place], None)
                if pause is not None:
                    heapq.heappush(waiting, (day + max(pause, 0), place, iter(())))
            day += 1

    def took(self, way: str) -> str:
        self.ways[way] += 1
        return way

    def life(self, case: OrdinaryCase, place: int) -> Life:
        """What happens to one case; each pause is a number of days. The first ones take every way once, the others by chance."""
        yield self.rng.randint(1, 12)
        if self._happens(place, 3, 0.1):
            yield from self._suspended(case)
        if self._happens(place, 5, 0.1):
            case.matter("officer", "case_matters.case_extension", application(case, "case_extension"))
            case.approve()
            self.took("extended")
        if self._happens(place, 6, 0.05):
            yield from self._terminated(case)
            return
        handling = self._choose(place, {"no_penalty": 0.1, "transfer": 0.07, "no_violation": 0.13, "penalty": 0.7})
        heavy = handling == "penalty" and self.rng.random() < 0.35 or 8 <= place <= 14
        case.investigated(handling, **(HEAVY if heavy else {}))
        self.took(handling)
        yield self.rng.randint(0, 5)
        yield from {"penalty": self._penalty, "no_penalty": self._no_penalty, "transfer": self._transfer}.get(handling, self._ended)(case, heavy, place)

    def _happens(self, place: int, at: int, chance: float) -> bool:
        return place == at or (place > 15 and self.rng.random() < chance)

    def _choose(self, place: int, chances: dict[str, float]) -> str:
        ways = list(chances)
        return ways[place] if place < 3 else "penalty" if place < 15 else self.rng.choices(ways, list(chances.values()))[0]

    def _suspended(self, case: OrdinaryCase) -> Life:
        case.matter("officer", "case_matters.case_suspend", application(case, "case_suspend"))
        case.approve()
        self.took("suspended")
        yield self.rng.randint(1, 40)
        case.matter("officer", "case_matters.case_resume", {"ended_on": case.today.isoformat(), "reason": "检验报告已经收到。"})
        case.approve()
        yield self.rng.randint(0, 3)

    def _terminated(self, case: OrdinaryCase) -> Life:
        case.matter("officer", "case_matters.investigation_terminate", application(case, "investigation_terminate"))
        case.approve()
        case.deliver()
        self.took("terminated")
        yield 1
        yield from self._finish(case, "terminated")

    def _penalty(self, case: OrdinaryCase, heavy: bool, place: int) -> Life:
        case.notified(hearing=heavy)
        answer = self._answer(heavy, place)
        self.took(answer)
        if answer == "silent":
            yield (case.rights_end() - case.today).days + 1
        else:
            yield self.rng.randint(0, 1)
            again = yield from self._heard(case, answer, heavy)
            if again:
                yield from self._again(case)
                return
        if "legal_review" in case.waiting():
            case.reviewed_by_law()
            self.took("legal_review")
        if self._happens(place, 4, 0.05):
            case.evidence_is(False)
            self.took("evidence_incomplete")
            yield from self._again(case)
            return
        yield from self._decided(case, heavy, place)

    def _answer(self, heavy: bool, place: int) -> str:
        fixed = {8: "hearing", 9: "hearing_refused", 10: "hearing_public", 11: "waive", 12: "statement_uphold", 13: "statement_change", 14: "statement_reopen"}
        light = ["silent"] * 6 + ["waive", "statement_uphold", "statement_change", "statement_reopen"]
        return fixed.get(place) or self.rng.choice(light + (["hearing", "hearing_refused", "hearing_public", "hearing_reopen"] if heavy else []))

    def _heard(self, case: OrdinaryCase, answer: str, heavy: bool) -> Generator[int, None, bool]:
        """Answer, and what the legal unit makes of it; True when the investigation begins again."""
        kind, _, how = answer.partition("_")
        case.answered(kind)
        if kind == "statement":
            case.statement_reviewed(how)
        if kind == "hearing":
            case.hearing_arranged(public=how == "public", accepted=how != "refused")
            if how != "refused":
                yield 8
                case.hearing_held("reopen" if how == "reopen" else "uphold")
        return how == "reopen"

    def _again(self, case: OrdinaryCase) -> Life:
        """The second investigation ends for want of grounds."""
        assert case.waiting() == {"investigate"}
        yield self.rng.randint(1, 6)
        case.investigated("no_grounds")
        self.took("reopened")
        yield from self._ended(case, False, -1)

    def _decided(self, case: OrdinaryCase, heavy: bool, place: int) -> Life:
        case.decided(**({"discretion": HEAVY["discretion"], "fine": HEAVY["fine"]} if heavy else {}))
        deferred = self._happens(place, 7, 0.06)
        if deferred:
            until = case.today + timedelta(days=30)
            case.matter("officer", "case_matters.publicity_deferral", {**application(case, "publicity_deferral"), "deferred_until": until.isoformat()})
            case.approve()
            self.took("deferred")
        yield self.rng.randint(0, 4)
        case.served()
        yield self.rng.randint(1, 15)
        case.executed()
        while "draft" not in case.waiting():
            yield 1
        yield from self._finish(case, "executed")

    def _no_penalty(self, case: OrdinaryCase, heavy: bool, place: int) -> Life:
        case.chain(answers.NO_PENALTY)
        yield 2
        case.served()
        yield from self._finish(case, "no_penalty")

    def _transfer(self, case: OrdinaryCase, heavy: bool, place: int) -> Life:
        case.chain(answers.TRANSFER)
        yield 3
        case.do("officer", "record_receipt", "submit", {"received_on": case.today.isoformat(), "receiver": "王一二"})
        yield from self._finish(case, "transferred")

    def _ended(self, case: OrdinaryCase, heavy: bool, place: int) -> Life:
        yield 1
        yield from self._finish(case, "terminated")

    def _finish(self, case: OrdinaryCase, kind: str) -> Life:
        case.closed(kind)
        yield self.rng.randint(0, 2)
        case.archived()
