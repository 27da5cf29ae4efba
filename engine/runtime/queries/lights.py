"""What a due day says: light, remaining working days in words."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True)
class Light:
    """``light`` is late, soon, ok, hold or none; ``words`` the number with its unit; ``due`` the day in words."""

    light: str
    words: str
    due: str


def light_of(due: date | None, *, today: date, working_days: Callable[[date, date], int], paused: bool = False) -> Light:
    """How ``due`` reads today. ``working_days(a, b)`` counts working days after a up to and including b."""
    if paused:
        return Light(light="hold", words="已暂停", due="")
    if due is None:
        return Light(light="none", words="没有期限", due="")
    written = f"{due:%m-%d}" if due.year == today.year else f"{due:%Y-%m-%d}"
    if due == today:
        return Light(light="soon", words="今天到期", due=f"{written} 下班前")
    if due < today:
        over = working_days(due, today)
        words = f"逾期 {over} 个工作日" if over else f"逾期 {(today - due).days} 天"
        return Light(light="late", words=words, due=f"应于 {written} 办结")
    left = working_days(today, due)
    words = f"还剩 {left} 个工作日" if left else f"还剩 {(due - today).days} 天"
    return Light(light="soon" if left <= 1 else "ok", words=words, due=f"应于 {written} 办结")
