"""A small organisation with clocks in a database of its own, and the queue with the jobs of clocks: no content, so it is made fast."""
from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select

from engine.access import Actor
from engine.deadlines.clocks import By, start_clock
from engine.kernel.clock import FixedClock, legal_date
from engine.reference.calendars import seed_calendar
from engine.reference.parameters import seed_parameters
from engine.runtime import job_names
from engine.runtime.apply_calendar import change_failed, make_change, make_preview, recount_late
from engine.runtime.change_warning import replan_clocks
from engine.storage.jobs import JobQueue
from engine.storage.tables.cases import case_clock
from tests.engine.access.organisation_factory import City, small_city


@dataclass
class ClockCity:
    """``app`` is as much of an application as clocks need; thrown messages and signals land in ``thrown``."""

    app: Any
    units: dict[str, UUID]
    people: dict[str, Actor]
    thrown: list[tuple[str, dict[str, Any]]]

    def admin(self) -> Actor:
        return replace(self.people["handler"], rights=frozenset({"admin"}))

    def case(self, *, unit: str = "TA_s1") -> UUID:
        with self.app.db.begin() as connection:
            return City(connection, self.units).case(unit, handler=self.people["handler"])

    def start(self, case_id: UUID, *names: str, unit: str = "TA_s1", on: date | None = None, label: str = "") -> None:
        at = self.app.clock.now()
        with self.app.db.begin() as connection:
            for name in names:
                start_clock(
                    connection, case_id=case_id, clock=name, start_on=on or legal_date(at), by=By(at=at), unit_id=self.units[unit], district_id=self.units[unit[:2]], label=label,
                )

    def due(self) -> dict[str, date]:
        with self.app.db.connect() as connection:
            return {row.clock.split(".")[1]: row.due_on for row in connection.execute(select(case_clock))}


def clock_city(database: Engine, clock: FixedClock, parameters: Any) -> ClockCity:
    """The organisation, a handler and the heads above, the calendar and ``parameters`` of the pack ``sample``."""
    thrown: list[tuple[str, dict[str, Any]]] = []
    app: Any = SimpleNamespace(db=database, clock=clock, jobs=JobQueue(database))
    for name, function in (
        (job_names.PREVIEW_CALENDAR, make_preview), (job_names.APPLY_CALENDAR, make_change), (job_names.RECOUNT_LATE, recount_late), (job_names.REPLAN_CLOCKS, replan_clocks),
    ):
        app.jobs.register(name, function, attempts=1, exhausted=change_failed if name != job_names.REPLAN_CLOCKS else None)
    app.jobs.register(job_names.THROW_MESSAGE, lambda app, **arguments: thrown.append((job_names.THROW_MESSAGE, arguments)))
    app.jobs.register(job_names.THROW_SIGNAL, lambda app, **arguments: thrown.append((job_names.THROW_SIGNAL, arguments)))
    with database.begin() as connection:
        seed_calendar(connection)
        seed_parameters(connection, pack="sample", content=parameters)
        city = small_city(connection)
        people = {login: city.sit(login, unit, post) for login, unit, post in (("handler", "TA_s1", "officer"), ("head", "TA_s1", "unit_head"), ("chief", "TA", "bureau_head"))}
    return ClockCity(app, city.units, people, thrown)
