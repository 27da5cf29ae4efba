"""What happens before, at and after the end of a clock, as its parameter or its warning model declares (docs/content.md).

Pure: declared data in, instants out. ``remind``, ``escalate``, ``message`` and ``signal`` are done by somebody when they are
due (``engine.runtime.run_clock_steps``); ``close``, ``block`` and ``light`` simply hold from their instant on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import blake2b
from typing import Any

import orjson

from engine.deadlines.rules import HOURS, UNITS, ClockRefused
from engine.kernel.clock import SHANGHAI
from engine.kernel.names import is_name
from engine.reference.calendars import Calendar

ACTS = ("remind", "escalate", "message", "signal")
HOLDS = ("close", "block", "light")
WARNINGS = ("remind", "escalate", "light")
"""Kinds that a warning model may replace; the others belong to the law."""
PEOPLE = {"handler": "承办人", "holder": "当前步骤的办理人", "office_head": "办案机构负责人", "superior": "办案机关负责人"}
KEYS = {"when", "text", "title", *ACTS, *HOLDS}
ONCE = ("message", "signal")
_WHEN = re.compile(r"(\d{1,4}) (working_day|day|hour) (before|after)")
_SOON = re.compile(r"(\d{1,4}) (working_day|day|hour)")
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class ClockStep:
    """One declared step. ``side`` is before, end or after; ``names`` are people, acts that are blocked, or the one name of the
    right, message, signal or light."""

    kind: str
    amount: int
    unit: str
    side: str
    names: tuple[str, ...]
    text: str
    title: str
    key: str

    @property
    def when_words(self) -> str:
        unit = (UNITS | HOURS)[self.unit]
        if self.side == "end":
            return "届满时"
        if self.side == "after":
            return f"届满后 {self.amount} {unit}"
        return "届满当日" if not self.amount else f"届满前 {self.amount} {unit}"

    @property
    def does_words(self) -> str:
        """What it does, in Chinese."""
        people = "、".join(PEOPLE.get(name, name) for name in self.names)
        return {
            "remind": f"提醒{people}", "escalate": f"上报{people}", "close": f"{self.title or self.names[0]}的权利届满关闭", "block": "不能再办有关步骤",
            "message": "流程自动往下走", "signal": "通知有关流程", "light": "亮黄灯" if self.names == ("soon",) else "亮红灯",
        }[self.kind]


def parse_steps(declared: Any) -> tuple[ClockStep, ...]:
    """The steps of a parameter or model; raises ClockRefused naming the first that is wrong."""
    if not isinstance(declared, Sequence) or isinstance(declared, str | bytes):
        raise ClockRefused("steps 应是列表。")
    return tuple(_parse(step) for step in declared)


def _parse(step: Any) -> ClockStep:
    if not isinstance(step, Mapping):
        raise ClockRefused("steps 的每一项要写明 when 和做什么。")
    if unknown := sorted(map(str, set(step) - KEYS)):
        raise ClockRefused(f"steps 里有不认识的项：{'、'.join(unknown)}。")
    kinds = [kind for kind in (*ACTS, *HOLDS) if kind in step]
    if len(kinds) != 1:
        raise ClockRefused(f"steps 的每一项只写一件事，可以是 {'、'.join((*ACTS, *HOLDS))}。")
    amount, unit, side = _when(step.get("when"))
    names = _names(kinds[0], step[kinds[0]])
    key = blake2b(orjson.dumps([kinds[0], amount, unit, side, names]), digest_size=8).hexdigest()
    return ClockStep(
        kind=kinds[0], amount=amount, unit=unit, side=side, names=names, text=str(step.get("text") or ""), title=str(step.get("title") or ""), key=key
    )


def _when(text: Any) -> tuple[int, str, str]:
    if text == "end":
        return 0, "day", "end"
    match = _WHEN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ClockRefused("steps 的 when 应写成 3 working_day before、end 或 5 day after。")
    return int(match[1]), match[2], match[3]


def _names(kind: str, given: Any) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Sequence) else ()
    if not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise ClockRefused(f"{kind} 要写明名字。")
    if kind in ("remind", "escalate") and not all(name in PEOPLE or "." in name for name in names):
        raise ClockRefused(f"{kind} 的人应是 {'、'.join(PEOPLE)} 或者角色 <包>.<角色>。")
    if kind == "block" and not all(_is_act(name) for name in names):
        raise ClockRefused("block 应写成 <包>.<流程>、<包>.<流程>/<步骤> 或 <包>.<流程>/<步骤>/<按钮>。")
    if kind not in ("remind", "escalate", "block") and len(names) != 1:
        raise ClockRefused(f"{kind} 只写一个名字。")
    if kind == "light" and names[0] not in ("soon", "late"):
        raise ClockRefused("light 应是 soon（黄灯）或 late（红灯）。")
    return names


def _is_act(name: str) -> bool:
    process, _, rest = name.partition("/")
    pack, _, bare = process.partition(".")
    return is_name(pack) and is_name(bare) and (not rest or (len(rest.split("/")) <= 2 and all(rest.split("/"))))


def check_soon(text: str) -> None:
    """Raise ClockRefused unless ``soon`` reads like ``3 working_day``."""
    if text and not _SOON.fullmatch(text):
        raise ClockRefused("soon 应写成 3 working_day、5 day 或 4 hour。")


def soon_of(text: str) -> tuple[int, str] | None:
    """(amount, unit) of ``soon``, None when nothing is said."""
    match = _SOON.fullmatch(text)
    return (int(match[1]), match[2]) if match else None


def instant_of(step: ClockStep, due: date, due_at: datetime | None, calendar: Calendar) -> datetime:
    """When ``step`` of a clock that ends on ``due`` (in hours: at ``due_at``) is due."""
    if due_at is not None:
        return _from_instant(step, due_at.astimezone(SHANGHAI), calendar)
    if step.side == "end":
        return end_of(due)
    amount, working = step.amount, step.unit == "working_day"
    if step.side == "after":
        return end_of(_further(due, amount, working=working, calendar=calendar))
    return datetime.combine(_earlier(due, amount, working=working, calendar=calendar), time(), SHANGHAI)


def _from_instant(step: ClockStep, due_at: datetime, calendar: Calendar) -> datetime:
    if step.side == "end":
        return due_at
    if step.unit == "hour":
        return due_at + timedelta(hours=step.amount) * (1 if step.side == "after" else -1)
    move = _further if step.side == "after" else _earlier
    return datetime.combine(move(due_at.date(), step.amount, working=step.unit == "working_day", calendar=calendar), due_at.timetz())


def _further(day: date, amount: int, *, working: bool, calendar: Calendar) -> date:
    return calendar.add_working_days(day, amount) if working and amount else day + amount * _DAY


def _earlier(day: date, amount: int, *, working: bool, calendar: Calendar) -> date:
    """The day on whose morning ``amount`` days are left."""
    return calendar.working_day(calendar.count_upto(day) - amount) if working and amount else day - amount * _DAY


def end_of(day: date) -> datetime:
    """Midnight in Shanghai after ``day``."""
    return datetime.combine(day + _DAY, time(), SHANGHAI)


def start_of(day: date) -> datetime:
    """Midnight in Shanghai before ``day``."""
    return datetime.combine(day, time(), SHANGHAI)


def first_instant(steps: Iterable[ClockStep], due: date | None, due_at: datetime | None, calendar: Calendar) -> datetime | None:
    """When a clock must first be looked at; None when it stands still or does nothing by itself."""
    if due is None:
        return None
    return min((instant_of(step, due, due_at, calendar) for step in steps if step.kind in ACTS), default=None)
