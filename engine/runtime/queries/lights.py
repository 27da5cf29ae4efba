"""What the due day of a step says: light, what is left in words, the day in words."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from engine.deadlines.queries import countdown
from engine.reference.calendars import Calendar


@dataclass(frozen=True, kw_only=True)
class Light:
    """``light`` is late, soon, ok, hold or none; ``words`` the number with its unit; ``due`` what the day means, ``day`` the day alone."""

    light: str
    words: str
    due: str
    day: str = ""


def light_of(due: date | None, *, today: date, calendar: Calendar, paused: bool = False, soon: str = "", unit: str = "working_day") -> Light:
    """How ``due`` reads today; steps are counted in working days, what follows a legal clock in its ``unit``, yellow from ``soon`` on."""
    if paused:
        return Light(light="hold", words="已暂停", due="")
    if due is None:
        return Light(light="none", words="没有期限", due="")
    told = countdown(due, on=today, unit=unit, state="running", calendar=calendar, soon=soon)
    written = f"{due:%m-%d}" if due.year == today.year else f"{due:%Y-%m-%d}"
    return Light(light=told.light, words=told.words, due=f"{written} 下班前" if due == today else f"应于 {written} 办结", day=written)
