"""Let the people of the demo city do their acts, each under the instant at which the story puts it.

An act that was done before is known by its key and left alone, so an interrupted load goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import select

from engine.access import Actor
from engine.access.actors import find_actor_by_login
from engine.access.notices import mark_read
from engine.cli.demo.load_records import record_id
from engine.cli.demo.plan import read
from engine.cli.demo.script import PlannedAct, Story, form_data, login_of, planned_acts
from engine.kernel.clock import legal_date
from engine.kernel.errors import NotFound
from engine.reference import calendars
from engine.reference.dictionaries import Dictionary, load_dictionary
from engine.runtime.application import Application
from engine.runtime.begin_process import begin_process
from engine.runtime.claim_task import claim_task
from engine.runtime.complete_task import complete_task
from engine.runtime.deliver_message import deliver_message
from engine.runtime.fire_due_timers import fire_due_timers
from engine.runtime.return_task import return_task
from engine.runtime.save_draft import save_draft
from engine.runtime.start_case import start_case, start_matter
from engine.runtime.transfer_task import transfer_task
from engine.storage.tables.cases import case_file, case_link
from engine.storage.tables.organisation import unit
from engine.storage.tables.runtime import act, instance, task

Verb = Callable[["Play", PlannedAct], None]


@dataclass
class Play:
    """One run over all stories. ``cases`` maps a story's key to its case."""

    app: Application
    violations: Dictionary
    areas: Dictionary
    units: Mapping[str, tuple[UUID, str]]
    cases: dict[str, UUID] = field(default_factory=dict)
    actors: dict[tuple[str, Any], Actor] = field(default_factory=dict)

    def actor(self, story: Story, who: str, at: datetime) -> Actor:
        key = (login_of(story, who), legal_date(at))
        if key not in self.actors:
            with self.app.db.connect() as connection:
                found = find_actor_by_login(connection, login=key[0], on=key[1])
            if found is None:
                raise NotFound(f"演示账号 {key[0]} 不存在或已停用。")
            self.actors[key] = found
        return self.actors[key]

    def task(self, planned: PlannedAct) -> Mapping[Any, Any]:
        """The open task of the act's node on its story's case, with the bundle of its instance; the latest of several."""
        case_ids = [self.cases[planned.story.key], self.filed(planned.story)]
        statement = (
            select(task, instance.c.bundle_id)
            .join(instance, instance.c.id == task.c.instance_id)
            .where(task.c.case_id.in_(case_ids), task.c.node == planned.step["node"], task.c.status == "open")
            .order_by(task.c.opened_at.desc(), task.c.id.desc())
            .limit(1)
        )
        with self.app.db.connect() as connection:
            row = connection.execute(statement).mappings().one_or_none()
        if row is None:
            raise NotFound(f"演示案件 {planned.story.key} 没有停在 {planned.step['node']}。")
        return row

    def filed(self, story: Story) -> UUID | None:
        """The case that came of the story's clue, with what begins by itself on it; None before it is filed."""
        link = select(case_file.c.id, case_file.c.kind, case_file.c.created_at).join(case_link, case_link.c.to_id == case_file.c.id)
        with self.app.db.connect() as connection:
            row = connection.execute(link.where(case_link.c.from_id == self.cases[story.key], case_link.c.kind == "became")).one_or_none()
        if row is None:
            return None
        for begin in self.app.catalogue.begins(row.kind):
            begin_process(self.app, case_id=str(row.id), process=begin.process, at=row.created_at.isoformat())
        return UUID(str(row.id))

    def data(self, planned: PlannedAct) -> dict[str, Any]:
        story = planned.story
        if story.people:
            return self._named(form_data(planned, {}), planned)
        entry = self.violations.get(story.facts["violation"])
        detail = entry.detail or {}
        second, officer = self.actor(story, "second", planned.at), self.actor(story, "officer", planned.at)
        more = {
            "domain": detail.get("domain"),
            "violated_law": detail.get("law"),
            "penalty_law": detail.get("penalty"),
            "officer_one": str(officer.person_id),
            "officer_two": str(second.person_id),
            "place": self._place(story, officer),
            "joint_unit": str(self.actor(story, "joint_head", planned.at).unit_id),
            "started_at": (planned.at - timedelta(minutes=50)).isoformat(timespec="minutes"),
            "ended_at": (planned.at - timedelta(minutes=10)).isoformat(timespec="minutes"),
            "unit_code": self.units[str(officer.unit_id)][1],
            **self._merge(story),
        }
        return form_data(planned, more)

    def _named(self, filled: Any, planned: PlannedAct) -> Any:
        """``filled`` with ids for ``@unit:<code>``, ``@record:<register>/<key>`` and ``@person:<part>``."""
        if isinstance(filled, dict):
            return {name: self._named(value, planned) for name, value in filled.items()}
        if isinstance(filled, str) and filled.startswith("@unit:"):
            return self.codes[filled.removeprefix("@unit:")]
        if isinstance(filled, str) and filled.startswith("@record:"):
            return str(record_id(*filled.removeprefix("@record:").split("/", 1)))
        if isinstance(filled, list):
            return [self._named(one, planned) for one in filled]
        if isinstance(filled, str) and filled.startswith("@person:"):
            return str(self.actor(planned.story, filled.removeprefix("@person:"), planned.at).person_id)
        return filled

    @cached_property
    def codes(self) -> dict[str, str]:
        """{code of a unit: its id}"""
        return {code: id for id, (_, code) in self.units.items()}

    def _place(self, story: Story, officer: Actor) -> dict[str, str]:
        district = self.units[str(officer.unit_id)][1].split("-")[1]
        streets = [entry.code for entry in self.areas.entries.values() if entry.parent == district]
        return {"district": district, "street": streets[story.place % len(streets)], "detail": story.facts["detail"]}

    def _merge(self, story: Story) -> dict[str, Any]:
        if story.into is None:
            return {}
        statement = (
            select(case_file.c.id, case_file.c.number)
            .join(case_link, case_link.c.to_id == case_file.c.id)
            .where(case_link.c.from_id == self.cases[story.into], case_link.c.kind == "became")
        )
        with self.app.db.connect() as connection:
            row = connection.execute(statement).one_or_none()
        return {} if row is None else {"merge_into": str(row.id), "merge_number": row.number}


def play_stories(app: Application, *, now: datetime, only: Collection[str] | None = None) -> int:
    """Do every act that has not been done, of the stories with keys in ``only`` if given; how many were."""
    with app.db.connect() as connection:
        acts = [a for a in planned_acts(calendar=calendars.load(connection), now=now) if only is None or a.story.key in only]
        done = _done(connection, [planned.key for planned in acts])
        play = Play(
            app=app,
            violations=load_dictionary(connection, dictionary=read("stories")["violations"]),
            areas=load_dictionary(connection, dictionary="common.area"),
            units={str(row.id): (row.id, row.code) for row in connection.execute(select(unit.c.id, unit.c.code))},
        )
    play.cases = {key.split(":")[1]: case_id for key, case_id in done.items() if case_id is not None}
    drafted = bool(done)
    waiting = [planned for planned in acts if planned.key not in done and not (drafted and planned.step.get("draft"))]
    day = None
    for planned in waiting:
        if legal_date(planned.at) != day:
            day = legal_date(planned.at)
            fire_due_timers(app, planned.at)
        _read_notices(play, planned)
        _verb(planned)(play, planned)
    return len(waiting)


def _read_notices(play: Play, planned: PlannedAct) -> None:
    """Whoever acts has looked at what was sent to them."""
    if "who" in planned.step:
        with play.app.db.begin() as connection:
            mark_read(connection, person_id=play.actor(planned.story, planned.step["who"], planned.at).person_id, at=planned.at)


def _done(connection: Any, keys: Sequence[str]) -> dict[str, UUID | None]:
    return dict(connection.execute(select(act.c.key, act.c.case_id).where(act.c.key.in_(keys))).all())


def _verb(planned: PlannedAct) -> Verb:
    return next(verb for word, verb in VERBS.items() if word in planned.step)


def _start(play: Play, planned: PlannedAct) -> None:
    made = start_case(
        play.app,
        actor=play.actor(planned.story, planned.step["who"], planned.at),
        process=planned.step["start"],
        data=play.data(planned),
        outcome="submit",
        opinion=planned.opinion,
        key=planned.key,
        at=planned.at,
    )
    play.cases[planned.story.key] = made.case_id


def _receive(play: Play, planned: PlannedAct) -> None:
    delivered = deliver_message(play.app, name=planned.step["message"], payload=play.data(planned), key=planned.key, at=planned.at)
    with play.app.db.connect() as connection:
        play.cases[planned.story.key] = connection.execute(
            select(instance.c.case_id).where(instance.c.id == delivered.instance_id)
        ).scalar_one()


def _matter(play: Play, planned: PlannedAct) -> None:
    start_matter(
        play.app,
        actor=play.actor(planned.story, planned.step["who"], planned.at),
        case_id=(play.filed(planned.story) if planned.step.get("filed") else None) or play.cases[planned.story.key],
        process=planned.step["matter"],
        data=play.data(planned),
        outcome="submit",
        opinion=planned.opinion,
        key=planned.key,
        at=planned.at,
    )


def _claim(play: Play, planned: PlannedAct) -> None:
    actor = play.actor(planned.story, planned.step["who"], planned.at)
    claim_task(play.app, actor=actor, task_id=play.task(planned)["id"], key=planned.key, at=planned.at)


def _draft(play: Play, planned: PlannedAct) -> None:
    row = play.task(planned)
    form = play.app.library.definition(play.app.library.bundle(row["bundle_id"]).member("form", row["form"]))
    actor = play.actor(planned.story, planned.step["who"], planned.at)
    save_draft(play.app, actor=actor, task_id=row["id"], data=play.data(planned), form_hash=form.hash, rev=0, at=planned.at)


def _transfer(play: Play, planned: PlannedAct) -> None:
    actor, to = (play.actor(planned.story, who, planned.at) for who in (planned.step["who"], planned.step["transfer"]))
    transfer_task(
        play.app,
        actor=actor,
        task_id=play.task(planned)["id"],
        to_person_id=to.person_id,
        reason=planned.opinion,
        key=planned.key,
        at=planned.at,
    )


def _back(play: Play, planned: PlannedAct) -> None:
    actor = play.actor(planned.story, planned.step["who"], planned.at)
    return_task(
        play.app,
        actor=actor,
        task_id=play.task(planned)["id"],
        to_node=planned.step["back"],
        opinion=planned.opinion,
        key=planned.key,
        at=planned.at,
    )


def _complete(play: Play, planned: PlannedAct) -> None:
    complete_task(
        play.app,
        actor=play.actor(planned.story, planned.step["who"], planned.at),
        task_id=play.task(planned)["id"],
        data=play.data(planned),
        outcome=planned.step.get("outcome", "submit"),
        opinion=planned.opinion,
        key=planned.key,
        at=planned.at,
    )


VERBS: Mapping[str, Verb] = {
    "start": _start,
    "message": _receive,
    "matter": _matter,
    "claim": _claim,
    "draft": _draft,
    "transfer": _transfer,
    "back": _back,
    "node": _complete,
}
