"""When a step is due: so many days from today, or when a legal clock of the case is, which it then follows."""
from __future__ import annotations

from datetime import date

from engine.deadlines.clocks import end_instant
from engine.deadlines.due import compute
from engine.deadlines.hours import compute_hours
from engine.deadlines.rules import ClockRule
from engine.kernel.errors import NotFound
from engine.kernel.names import pack_of, qualify
from engine.reference import calendars
from engine.runtime.bpmn.waits import Wait
from engine.runtime.work import Work

FOLLOWS = "clock:"


def due_day(work: Work, wait: Wait, text: str) -> tuple[date | None, str | None]:
    """(last day, clock that the step follows) of ``gc:due``: ``3 working_day``, ``24 hour`` or ``clock:<name>``.

    A clock that stands still or hasn't started gives no day yet; the step gets it when the clock runs.
    """
    if text.startswith(FOLLOWS):
        name = clock_named(text.removeprefix(FOLLOWS), wait.process)
        try:
            end = end_instant(work.connection, case_id=work.case["id"], clock=name)
        except NotFound:
            end = None
        return (None if end is None else end[0]), name
    amount, unit = text.split()
    rule = ClockRule(amount=int(amount), unit=unit)
    calendar = calendars.load(work.connection, district_id=work.case["district_id"])
    found = compute_hours(rule, work.at, calendar=calendar) if rule.in_hours else compute(rule, work.today, calendar=calendar)
    return found.due, None


def clock_named(name: str, process: str) -> str:
    """The full name of a clock as ``process`` says it: ``seal_detain/仓库`` → ``coercive_measures.seal_detain/仓库``."""
    bare, slash, label = name.partition("/")
    return f"{qualify(bare, pack_of(process))}{slash}{label}"
