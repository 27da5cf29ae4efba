"""会签 on the simulator's side, told from the rule alone: who is asked, when it is over, what it comes to."""
from __future__ import annotations

from typing import Any

from tests.engine.runtime.bpmn.simulator import Place, Run, Wait

STANCES = ("agree", "disagree", "abstain")
PEOPLE = ("p1", "p2", "p3", "p4")


class Ballot(Run):
    """One person's vote."""

    def __init__(self, vote: VoteRun, index: int) -> None:
        super().__init__(vote.block, Place(vote.place.facts, index, vote.place.scope), vote.cast)
        self.vote, self.index = vote, index

    def start(self) -> None:
        return None

    def live(self) -> Any:
        yield ("task", self.block.id, self.index), self

    def complete(self, stance: str) -> None:
        self.gone = True
        self.vote.stances[self.index] = stance
        self.over()


class VoteRun(Run):
    """Everybody is asked at once, or one after the other; over as soon as nobody who is still out can change the outcome."""

    def start(self) -> None:
        self.stances: dict[int, str] = {}
        self.ballots = [Ballot(self, 0)] if self.block.by == "sequential" else [Ballot(self, index) for index in range(self.block.times)]

    def inner(self) -> list[Run]:
        return list(self.ballots)

    def cast(self) -> None:
        if self.decided():
            for ballot in self.ballots:
                ballot.gone = True
            self.place.facts["n_" + self.block.id] = (self.place.facts.get("n_" + self.block.id) or 0) + int(self.agreed())
            self.gone = True
            self.over()
        elif self.block.by == "sequential":
            self.ballots.append(Ballot(self, len(self.stances)))

    def agreed(self) -> bool:
        """What the votes cast so far come to, were they all."""
        return self.would_agree(self.count("agree"), self.count("disagree"))

    def would_agree(self, agree: int, against: int) -> bool:
        whole = self.block.times
        rule = {"all": agree == whole, "sequential": agree == whole, "veto": against == 0, "ratio": 2 * agree > whole, "count": agree >= (self.block.enough or 1)}
        return agree > 0 and rule[self.block.by]

    def count(self, stance: str) -> int:
        return list(self.stances.values()).count(stance)

    def decided(self) -> bool:
        out = self.block.times - len(self.stances)
        if out == 0:
            return True
        agree, against = self.count("agree"), self.count("disagree")
        if self.block.by in ("all", "sequential"):
            return agree < len(self.stances)
        if self.block.by == "veto":
            return against > 0
        outcomes = {self.would_agree(agree + more, against) for more in range(out + 1)}
        return len(outcomes) == 1 and (agree > 0 or not outcomes.pop())


__all__ = ["PEOPLE", "STANCES", "Ballot", "VoteRun", "Wait"]
