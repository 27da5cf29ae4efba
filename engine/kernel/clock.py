"""Time is passed in. ``Clock`` is the one place that reads the machine's clock."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock:
    """The machine's clock, in UTC. Tests and the demo city use ``FixedClock``."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def today(self) -> date:
        return legal_date(self.now())


class FixedClock(Clock):
    """A clock that stands at ``at`` (timezone-aware) until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.set(at)

    def now(self) -> datetime:
        return self._at

    def set(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("a clock needs a timezone-aware instant")
        self._at = at.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        self._at += by


def legal_date(at: datetime) -> date:
    """The calendar day in Asia/Shanghai on which ``at`` falls."""
    return at.astimezone(SHANGHAI).date()
