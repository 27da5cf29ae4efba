"""Several processes that act on the same cases at once and are killed at random moments."""
from __future__ import annotations

import multiprocessing
import random
import time
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from engine.access.actors import Actor
from engine.kernel.errors import GuichengError
from engine.runtime.claim_task import claim_task, release_task
from engine.runtime.complete_task import complete_task
from engine.runtime.fire_due_timers import fire_due_timers
from engine.runtime.return_task import return_targets, return_task
from engine.runtime.save_draft import save_draft
from engine.runtime.start_case import start_case, start_matter
from engine.runtime.transfer_task import transfer_task
from engine.runtime.withdraw_act import withdraw_act
from engine.storage.tables.cases import case_file
from engine.storage.tables.runtime import act, task, task_candidate
from tests.engine.runtime.walk import CLUE, HANDLING, application
from tests.town import PEOPLE, Town

FORK = multiprocessing.get_context("fork")


class Racer:
    """One process's share: random acts on random open tasks until it is told to stop; what is no refusal goes into ``log``."""

    def __init__(self, town: Town, actors: dict[str, Actor], seed: int, log: Path) -> None:
        self.town, self.app, self.actors, self.log = town, town.app, actors, log
        self.random = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.application = application(town)

    def run(self, stop: Any) -> None:
        self.app.db.dispose(close=False)
        verbs: list[Callable[[], Any]] = [self.complete] * 12 + [
            self.send_back, self.send_back, self.withdraw, self.withdraw, self.claim, self.claim, self.release, self.transfer, self.draft,
            self.start, self.start_twice, self.matter, self.timers,
        ]
        while not stop.is_set():
            try:
                self.random.choice(verbs)()
            except GuichengError:
                continue
            except Exception:
                with self.log.open("a", encoding="utf-8") as file:
                    file.write(traceback.format_exc() + "\n")
                return

    @property
    def at(self) -> Any:
        return self.app.clock.now()

    def key(self, *parts: object) -> str:
        """Half of the time the key that the other processes use for this very thing, else one of its own."""
        return ":".join(map(str, ("race", *parts))) + ("" if self.random.random() < 0.5 else f":{self.random.getrandbits(64)}")

    def pick(self) -> tuple[Any, Actor]:
        """A random open task and somebody who may do it; now and then somebody who may not."""
        with self.app.db.connect() as connection:
            row = connection.execute(select(task).where(task.c.status == "open").order_by(func.random()).limit(1)).mappings().first()
            if row is None:
                return self.start_and_pick()
            pool = connection.execute(select(task_candidate.c.unit_id, task_candidate.c.post).where(task_candidate.c.task_id == row["id"])).all()
        pairs = {(one.unit_id, one.post) for one in pool}
        able = [a for a in self.actors.values() if a.person_id == row["assignee_id"] or (row["assignee_id"] is None and set(a.posts) & pairs)]
        everyone = list(self.actors.values())
        return row, self.random.choice(everyone if not able or self.random.random() < 0.05 else able)

    def start_and_pick(self) -> tuple[Any, Actor]:
        self.start()
        return self.pick()

    def complete(self) -> None:
        row, actor = self.pick()
        outcome, data = self.answer(row)
        complete_task(
            self.app, actor=actor, task_id=row["id"], data=data, outcome=outcome, opinion="同意。", key=self.key("complete", row["id"]), at=self.at,
        )

    def answer(self, row: Any) -> tuple[str, dict[str, Any]]:
        match row["node"]:
            case "verify":
                return "file", HANDLING
            case "draft":
                return "submit", self.application if row["form"] == "case_filing.filing_application" else self.asked
            case "section_head_review" if "short" not in row["process"] and self.random.random() < 0.7:
                return "joint", {"joint_unit": str(self.town.units["quality_section"])}
            case "joint_staff_review" | "joint_head_review" if self.random.random() < 0.3:
                return "return", {}
        return "approve", {}

    asked = {"reason": "当事人下落待查，需进一步核查。", "extension_days": 15}

    def send_back(self) -> None:
        row, actor = self.pick()
        targets = return_targets(self.app, actor=actor, task_id=row["id"])
        if targets:
            to = self.random.choice(targets).node
            return_task(self.app, actor=actor, task_id=row["id"], to_node=to, opinion="请补正。", key=self.key("return", row["id"], to), at=self.at)

    def withdraw(self) -> None:
        with self.app.db.connect() as connection:
            row = connection.execute(
                select(act.c.id, act.c.actor_id).where(act.c.kind == "complete", act.c.undone_by.is_(None)).order_by(act.c.at.desc(), act.c.id.desc())
                .limit(1).offset(self.random.randrange(6))
            ).first()
        actor = next((a for a in self.actors.values() if row is not None and a.person_id == row.actor_id), None)
        if row is not None and actor is not None:
            withdraw_act(self.app, actor=actor, act_id=row.id, key=self.key("withdraw", row.id), at=self.at)

    def claim(self) -> None:
        row, actor = self.pick()
        claim_task(self.app, actor=actor, task_id=row["id"], key=self.key("claim", row["id"], actor.person_id), at=self.at)

    def release(self) -> None:
        row, actor = self.pick()
        release_task(self.app, actor=actor, task_id=row["id"], key=self.key("release", row["id"], actor.person_id), at=self.at)

    def transfer(self) -> None:
        row, actor = self.pick()
        if row["assignee_id"] == self.actors["officer"].person_id and row["node"] == "verify":
            to = self.town.people["officer_two"]
            transfer_task(self.app, actor=actor, task_id=row["id"], to_person_id=to, reason="出差。", key=self.key("transfer", row["id"]), at=self.at)

    def draft(self) -> None:
        row, actor = self.pick()
        save_draft(self.app, actor=actor, task_id=row["id"], data={"findings": "写到一半"}, form_hash="h", rev=0, at=self.at)

    def start(self, key: str | None = None) -> None:
        start_case(
            self.app, actor=self.actors["officer"], process="case_filing.clue_intake", data=CLUE, outcome="submit", at=self.at,
            key=key or f"start:{self.random.getrandbits(64)}",
        )

    def start_twice(self) -> None:
        """The double click: every process sends the same few keys."""
        self.start(f"start:{int(time.monotonic() * 4) % 1000}")

    def matter(self) -> None:
        with self.app.db.connect() as connection:
            case_id = connection.scalar(select(case_file.c.id).where(case_file.c.state == "registered").order_by(func.random()).limit(1))
        if case_id is not None:
            start_matter(
                self.app, actor=self.actors["officer"], case_id=case_id, process="case_filing.clue_extension", data=self.asked, outcome="submit",
                key=self.key("matter", case_id), at=self.at,
            )

    def timers(self) -> None:
        if self.random.random() < 0.2:
            fire_due_timers(self.app, self.at + timedelta(days=90), limit=2)


def race(town: Town, *, processes: int, acts: int, log: Path, seed: int = 1) -> int:
    """Let ``processes`` act until ``acts`` steps are completed and half as many of them were killed, each replaced at once; how many were killed.

    It counts and doesn't time: a slow machine takes longer, ten seconds an act at the most.
    """
    actors = {login: town.actor(login) for login, *_ in PEOPLE}
    chance, seeds, killed, stop = random.Random(seed), iter(range(seed * 1000, seed * 1000 + 10_000)), 0, FORK.Event()
    latest = time.monotonic() + 10 * acts
    running = [_spawn(town, actors, next(seeds), log, stop) for _ in range(processes)]
    while (killed < acts / 2 or completed(town) < acts) and time.monotonic() < latest and not log.exists():
        time.sleep(chance.uniform(0.2, 0.8))
        victim = chance.randrange(processes)
        running[victim].kill()
        running[victim].join()
        killed += 1
        running[victim] = _spawn(town, actors, next(seeds), log, stop)
    stop.set()
    for one in running:
        one.join(60)
        assert not one.is_alive()
    return killed


def completed(town: Town) -> int:
    """How many steps were completed so far."""
    with town.app.db.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(act).where(act.c.kind == "complete")) or 0)


def _spawn(town: Town, actors: dict[str, Actor], seed: int, log: Path, stop: Any) -> Any:
    process = FORK.Process(target=Racer(town, actors, seed, log).run, args=(stop,), daemon=True)
    process.start()
    return process
