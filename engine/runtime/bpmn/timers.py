"""When a timer is due: ISO 8601 text or FEEL, evaluated once when the event is entered."""
from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from engine.kernel.clock import SHANGHAI
from engine.runtime.bpmn.errors import FlowError
from engine.runtime.bpmn.model import Node
from engine.runtime.bpmn.values import evaluate

CRON = re.compile(r"@\w+\Z|(?:[-\d*/?,#LW]+|[A-Z]{3}(?:[-,][A-Z]{3})*)(?:\s+(?:[-\d*/?,#LW]+|[A-Z]{3}(?:[-,][A-Z]{3})*)){4,6}\Z")
_DURATION = re.compile(
    r"(?P<sign>-)?P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?\Z"
)


class NotATime(ValueError):
    """The text is no ISO 8601 instant, duration or repetition."""


def schedule(node: Node, facts: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """``{"due": ISO instant in UTC}``, for a cycle also ``left`` (-1 = for ever) and ``every`` (ISO duration); raises FlowError."""
    event = node.event
    assert event is not None
    value: Any = event.text
    if event.text.startswith("="):
        value = evaluate(event.text, facts, element=node.id, title=node.title, process=node.process)
    if value is None:
        message = f"定时事件「{node.title}」的时间“{event.text.removeprefix('=')}”没有值。请更正事实后重试。"
        raise FlowError(message, element=node.id, title=node.title, process=node.process, kind="timer")
    try:
        if event.timer == "cycle":
            return cycle(str(value), now)
        return {"due": due_at(value, now).isoformat()}
    except (NotATime, ValueError, OverflowError):
        message = f"定时事件「{node.title}」的时间“{value}”不是 ISO 8601 的时刻、时长（如 P3D）或重复（如 R3/P1D）。请更正后重试。"
        raise FlowError(message, element=node.id, title=node.title, process=node.process, kind="timer") from None


def due_at(value: Any, now: datetime) -> datetime:
    """The instant in UTC that ``value`` (ISO text, date, datetime, duration) names, seen from ``now``."""
    if isinstance(value, datetime):
        return aware(value)
    if isinstance(value, date):
        return aware(datetime.combine(value, time()))
    if isinstance(value, timedelta):
        return (now + value).astimezone(UTC)
    text = str(value).strip()
    if text.lstrip("-").startswith("P"):
        return after(text, now)
    if len(text) == 10:
        return aware(datetime.combine(date.fromisoformat(text), time()))
    return aware(datetime.fromisoformat(text.replace("Z", "+00:00")))


def aware(instant: datetime) -> datetime:
    """``instant`` in UTC; without a zone it is Asia/Shanghai."""
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=SHANGHAI)
    return instant.astimezone(UTC)


def after(duration: str, start: datetime) -> datetime:
    """``start`` plus an ISO duration, months and days counted on the calendar of Asia/Shanghai; UTC."""
    match = _DURATION.match(duration)
    if match is None or not any(match.group(part) for part in ("years", "months", "weeks", "days", "hours", "minutes", "seconds")):
        raise NotATime(duration)
    part = {name: float(text) if name == "seconds" else int(text) for name, text in match.groupdict(default="0").items() if name != "sign"}
    sign = -1 if match.group("sign") else 1
    local = start.astimezone(SHANGHAI)
    months = sign * int(part["years"] * 12 + part["months"])
    if months:
        year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
        local = local.replace(year=year, month=month + 1, day=min(local.day, monthrange(year, month + 1)[1]))
    return (local + sign * timedelta(
        weeks=part["weeks"], days=part["days"], hours=part["hours"], minutes=part["minutes"], seconds=part["seconds"]
    )).astimezone(UTC)


def cycle(text: str, now: datetime) -> dict[str, Any]:
    """The schedule of ``R[n]/[start/]duration``; -1 is for ever, as no number is. The duration must lead on."""
    parts = text.strip().upper().split("/")
    if not parts[0].startswith("R") or len(parts) not in (2, 3):
        raise NotATime(text)
    left = int(parts[0][1:]) if parts[0][1:] else -1
    if left == 0 or left < -1 or parts[1].startswith("P") != (len(parts) == 2) or after(parts[-1], now) <= now:
        raise NotATime(text)
    if len(parts) == 2:
        return {"due": after(parts[1], now).isoformat(), "left": left, "every": parts[1]}
    return {"due": due_at(parts[1], now).isoformat(), "left": left, "every": parts[2]}


def following(schedule_now: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
    """The schedule after one firing at ``now``; occurrences missed meanwhile count as this one. None when the cycle is over."""
    left = schedule_now.get("left")
    if left is None or left == 1:
        return None
    due = datetime.fromisoformat(schedule_now["due"])
    for _ in range(100_000):
        due = after(schedule_now["every"], due)
        if due > now:
            break
    return {"due": due.isoformat(), "left": left if left < 0 else left - 1, "every": schedule_now["every"]}
