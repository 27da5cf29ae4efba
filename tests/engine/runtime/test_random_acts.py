"""Random sequences of every act on the approval chain: after each one the rows and the token state agree, a refusal changes nothing."""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from engine.kernel.errors import GuichengError
from engine.runtime.add_signer import add_signer
from engine.runtime.away import appoint_deputy, end_deputy
from engine.runtime.cc_case import cc_case
from engine.runtime.claim_task import claim_task, release_task
from engine.runtime.comment_case import comment_case
from engine.runtime.complete_task import complete_task
from engine.runtime.delegate_task import delegate_task
from engine.runtime.give_opinion import give_opinion
from engine.runtime.hand_over_all import hand_over_all
from engine.runtime.invariants import find_violations
from engine.runtime.remove_signer import remove_signer, take_back_submission
from engine.runtime.return_task import return_targets, return_task
from engine.runtime.suspend_instance import resume_case, suspend_case
from engine.runtime.transfer_task import transfer_task
from engine.runtime.urge_task import urge_task
from engine.runtime.withdraw_act import withdraw_act
from engine.storage.tables.cases import case_file
from engine.storage.tables.runtime import act, deputy, instance, task, task_candidate, task_signer
from tests.engine.runtime.walk import HANDLING, application, do, key, start_clue
from tests.town import Town

STEPS = 60
OUTCOMES = {"draft": ["submit"], "section_head_review": ["approve", "joint"], "joint_staff_review": ["approve", "return"], "joint_head_review": ["approve", "return"]}


class Chaos:
    """One case on its way through random hands. ``draw`` decides everything, so that a seed tells the whole story."""

    def __init__(self, town: Town, seed: int) -> None:
        self.town, self.draw, self.done = town, Random(seed), Counter[str]()
        case_id = start_clue(town).case_id
        do(town, "officer", "verify", "file", data=HANDLING, case_id=case_id)
        with town.app.db.connect() as connection:
            self.case_id = connection.scalar(select(task.c.case_id).where(task.c.node == "draft", task.c.status == "open").order_by(task.c.id.desc()).limit(1))
        self.acts: list[Callable[[], Any]] = [
            self.complete, self.complete, self.complete, self.complete, self.turn_back, self.withdraw, self.transfer, self.claim, self.release, self.delegate,
            self.sign_before, self.sign_after, self.answer, self.answer, self.answer, self.remove, self.unhold, self.copy, self.urge, self.comment, self.suspend, self.resume,
            self.resume, self.appoint, self.end_appointment, self.hand_over,
        ]

    @property
    def at(self) -> Any:
        return self.town.app.clock.now()

    def rows(self, table: Any, *where: Any) -> list[Any]:
        with self.town.app.db.connect() as connection:
            return list(connection.execute(select(table).where(*where).order_by(*table.primary_key.columns)).mappings())

    def open(self) -> Any:
        found = self.rows(task, task.c.case_id == self.case_id, task.c.status == "open")
        return self.draw.choice(found) if found else None

    def login(self, person_id: UUID | None) -> str:
        return next((name for name, id in self.town.people.items() if id == person_id), self.anybody())

    def anybody(self) -> str:
        return self.draw.choice(sorted(self.town.people))

    def holder(self, row: Any) -> Any:
        """Mostly who may act, sometimes anybody."""
        if self.draw.random() < 0.15:
            return self.town.actor(self.anybody())
        if row["assignee_id"]:
            return self.town.actor(self.login(row["assignee_id"]))
        pool = {(one["unit_id"], one["post"]) for one in self.rows(task_candidate, task_candidate.c.task_id == row["id"])}
        fitting = [name for name in sorted(self.town.people) if pool & set(self.town.actor(name).posts)]
        return self.town.actor(self.draw.choice(fitting or [self.anybody()]))

    def on_task(self, verb: Any, **values: Any) -> Any:
        row = self.open()
        if row is None:
            return None
        return self.twice(verb, actor=self.holder(row), task_id=row["id"], **values)

    def twice(self, verb: Any, **values: Any) -> Any:
        """With one key, and now and then again with the same: the second time nothing more happens."""
        values = {**values, "key": key(), "at": self.at}
        first = verb(self.town.app, **values)
        if self.draw.random() < 0.2:
            before = self.state()
            again = verb(self.town.app, **values)
            assert self.state() == before and getattr(again, "act_id", None) == getattr(first, "act_id", None)
        return first

    def complete(self) -> Any:
        row = self.open()
        if row is None:
            return None
        outcome = self.draw.choice(OUTCOMES.get(row["node"], ["approve"]))
        data = application(self.town) if row["node"] == "draft" else {}
        if outcome == "joint":
            data = {"joint_unit": str(self.town.units["quality_section"])}
        return self.twice(complete_task, actor=self.holder(row), task_id=row["id"], data=data, outcome=outcome, opinion="同意。")

    def turn_back(self) -> Any:
        row = self.open()
        if row is None:
            return None
        who = self.holder(row)
        nodes = [target.node for target in return_targets(self.town.app, actor=who, task_id=row["id"])]
        return self.twice(return_task, actor=who, task_id=row["id"], to_node=self.draw.choice([*nodes, "draft"]), opinion="请补正。",
                          then=self.draw.choice(["again", "straight", None]))

    def withdraw(self) -> Any:
        found = self.rows(act, act.c.case_id == self.case_id, act.c.kind.in_(["complete", "return"]))
        if not found:
            return None
        row = max(found, key=lambda one: (one["at"], one["id"]))
        return self.twice(withdraw_act, actor=self.town.actor(self.login(row["actor_id"])), act_id=row["id"])

    def transfer(self) -> Any:
        return self.on_task(transfer_task, to_person_id=self.town.people[self.anybody()], reason="出差。")

    def claim(self) -> Any:
        return self.on_task(claim_task)

    def release(self) -> Any:
        return self.on_task(release_task)

    def delegate(self) -> Any:
        return self.on_task(delegate_task, to_person_id=self.town.people[self.anybody()], words="请看。")

    def sign_before(self) -> Any:
        return self.on_task(add_signer, when="before", people=[self.town.people[self.anybody()], self.town.people[self.anybody()]])

    def sign_after(self) -> Any:
        return self.on_task(add_signer, when="after", people=[self.town.people[self.anybody()]])

    def answer(self) -> Any:
        asked = self.rows(task_signer, task_signer.c.case_id == self.case_id, task_signer.c.status.in_(["open", "planned"]))
        if not asked:
            return None
        row = self.draw.choice(asked)
        return self.twice(give_opinion, actor=self.town.actor(self.login(row["person_id"])), task_id=row["task_id"], stance=self.draw.choice(["agree", "agree", "disagree"]),
                          opinion="意见。")

    def remove(self) -> Any:
        asked = self.rows(task_signer, task_signer.c.case_id == self.case_id)
        row = self.draw.choice(asked) if asked else None
        return self.on_task(remove_signer, person_id=row["person_id"]) if row else None

    def unhold(self) -> Any:
        return self.on_task(take_back_submission)

    def copy(self) -> Any:
        row = self.open()
        who = self.holder(row) if row else self.town.actor("officer")
        return self.twice(cc_case, actor=who, case_id=self.case_id, people=[self.town.people[self.anybody()]])

    def urge(self) -> Any:
        row = self.open()
        return self.twice(urge_task, actor=self.town.actor(self.anybody()), task_id=row["id"]) if row else None

    def comment(self) -> Any:
        return self.twice(comment_case, actor=self.town.actor(self.anybody()), case_id=self.case_id, text="留言。")

    def suspend(self) -> Any:
        if self.draw.random() < 0.7:
            return None
        return suspend_case(self.town.app, actor=self.town.actor("keeper"), case_id=self.case_id, reason="等批复。", key=key(), at=self.at)

    def resume(self) -> Any:
        return resume_case(self.town.app, actor=self.town.actor("keeper"), case_id=self.case_id, key=key(), at=self.at)

    def appoint(self) -> Any:
        today = self.town.app.clock.today()
        return appoint_deputy(self.town.app, actor=self.town.actor(self.anybody()), deputy_id=self.town.people[self.anybody()], from_on=today, until_on=today,
                              key=key(), at=self.at)

    def end_appointment(self) -> Any:
        for row in self.rows(deputy, deputy.c.ended_at.is_(None)):
            end_deputy(self.town.app, actor=self.town.actor(self.login(row["person_id"])), appointment_id=row["id"], at=self.at)

    def hand_over(self) -> Any:
        return hand_over_all(self.town.app, actor=self.town.actor("chief"), from_person_id=self.town.people[self.anybody()],
                             to_person_id=self.town.people[self.anybody()], reason="调离。", key=key(), at=self.at)

    def state(self) -> Any:
        """Everything that an act may change."""
        tables = (instance, task, task_signer, task_candidate, case_file)
        with self.town.app.db.connect() as connection:
            return [connection.execute(select(table).order_by(*table.primary_key.columns)).all() for table in tables] + [
                connection.scalar(select(func.count()).select_from(act))
            ]

    def step(self) -> None:
        self.town.app.clock.advance(timedelta(minutes=self.draw.choice([1, 7, 130])))
        verb = self.draw.choice(self.acts)
        before = self.state()
        refused = ""
        try:
            self.done[verb.__name__] += verb() is not None
        except GuichengError as error:
            refused = error.message
        if refused:
            assert self.state() == before, (verb.__name__, refused)


@pytest.mark.parametrize("seed", range(6))
def test_random_acts_keep_the_invariants(town: Town, seed: int) -> None:
    chaos = Chaos(town, seed)
    for number in range(STEPS):
        chaos.step()
        assert find_violations(town.app) == [], (seed, number, chaos.done)
    assert sum(chaos.done.values()) > STEPS / 5, chaos.done
