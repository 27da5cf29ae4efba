"""JSON lines in, JSON lines out: ``{"clock", "start", "events", "at"}`` to ``{"due", "state", "steps"}`` or ``{"error"}``.

``clock`` is the name of a pack's parameter, with or without its pack, or an inline rule ``{"amount", "unit",
"count_first_day", "roll_rest_day"}``. A year whose days off are not known is an error, never a guess. For a clock in ``hour``
or ``working_hour`` start, at, on, from and until are instants with an offset (2026-03-02T15:00:00+08:00), and so is ``due``;
``office_hours`` are the hours that count.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson

from engine.deadlines.due import compute
from engine.deadlines.hours import compute_hours
from engine.deadlines.rules import HOURS, KINDS, ClockRefused, ClockRule, Event, rule_from
from engine.kernel.clock import SHANGHAI
from engine.kernel.errors import GuichengError
from engine.packs.folder import content_files, pack_names
from engine.packs.yaml import read_yaml
from engine.reference.calendars import Calendar
from engine.reference.parameters import declared_rows

INLINE = {"amount", "unit", "count_first_day", "roll_rest_day", "office_hours"}
KEYS = {"clock", "start", "events", "at"}
EVENT_KEYS = {
    "suspend": {"type", "on"},
    "resume": {"type", "on"},
    "exclude": {"type", "from", "until", "ground"},
    "extend": {"type", "amount", "unit", "on"},
}
Declared = Mapping[str, Mapping[str, Any]]


def declared_clocks(root: Path) -> Declared:
    """``<pack>.<name>`` → what parameters.yaml says, of all packs below ``root``."""
    found: dict[str, Mapping[str, Any]] = {}
    for pack in pack_names(root):
        for file in content_files(root, pack):
            if file.kind == "parameters":
                content = read_yaml(file.content, file=file.path.name) or {}
                found |= {f"{pack}.{name}": declared for name, declared in content.items()}
    return found


def answer(line: str | bytes, *, calendar: Calendar, declared: Declared) -> dict[str, Any]:
    """The answer to one line; wrong input of any kind becomes ``{"error": Chinese message}``."""
    try:
        asked = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {"error": "这一行不是合法的 JSON。"}
    try:
        return _answer(asked, calendar, declared)
    except GuichengError as error:
        return {"error": error.message}


def _answer(asked: Any, calendar: Calendar, declared: Declared) -> dict[str, Any]:
    if not isinstance(asked, dict):
        raise ClockRefused("每一行应是一个 JSON 对象，写明 clock、start、events 和 at。")
    _only(asked, KEYS, "这一行")
    if _in_hours(asked.get("clock"), declared):
        return _answer_hours(asked, calendar, declared)
    start = _day(asked.get("start"), "start（起算日）")
    at = None if asked.get("at") is None else _day(asked["at"], "at（基准日）")
    rule = _rule(asked.get("clock"), start, declared)
    events = asked.get("events", [])
    if not isinstance(events, list):
        raise ClockRefused("events 应是列表。")
    result = compute(rule, start, [_event(event) for event in events], calendar=calendar, at=at, strict=True)
    return {
        "due": None if result.due is None else result.due.isoformat(),
        "state": result.state,
        "steps": [step.text for step in result.steps],
    }


def _in_hours(clock: Any, declared: Declared) -> bool:
    if isinstance(clock, dict):
        return clock.get("unit") in HOURS
    named = [known for name, known in declared.items() if clock in (name, name.split(".", 1)[1])] if isinstance(clock, str) else []
    return len(named) == 1 and named[0].get("unit") in HOURS


def _answer_hours(asked: Mapping[str, Any], calendar: Calendar, declared: Declared) -> dict[str, Any]:
    start = _instant(asked.get("start"), "start（起算时刻）")
    at = None if asked.get("at") is None else _instant(asked["at"], "at（基准时刻）")
    rule = _rule(asked.get("clock"), start.astimezone(SHANGHAI).date(), declared)
    events = asked.get("events", [])
    if not isinstance(events, list):
        raise ClockRefused("events 应是列表。")
    result = compute_hours(rule, start, [_hour_event(event) for event in events], calendar=calendar, at=at, strict=True)
    return {"due": None if result.due_at is None else result.due_at.isoformat(), "state": result.state, "steps": [step.text for step in result.steps]}


def _hour_event(event: Any) -> Event:
    kind = event.get("type") if isinstance(event, dict) else None
    if kind not in KINDS:
        raise ClockRefused("事件的 type 应是 suspend（暂停）、resume（恢复）、exclude（除外）或 extend（延长）。")
    _only(event, EVENT_KEYS[kind], kind)
    if kind == "extend":
        on = None if event.get("on") is None else _instant(event["on"], "extend 的 on")
        return Event(kind=kind, amount=event.get("amount"), unit=event.get("unit"), on_at=on)
    if kind == "exclude":
        return Event(kind=kind, on_at=_instant(event.get("from"), "exclude 的 from"), until_at=_instant(event.get("until"), "exclude 的 until"), ground=str(event.get("ground", "")))
    return Event(kind=kind, on_at=_instant(event.get("on"), f"{kind} 的 on"))


def _instant(text: Any, what: str) -> datetime:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) and len(text) > 10 else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ClockRefused(f"{what}应是带时区的时刻，如 2026-03-02T15:00:00+08:00。")
    return at


def _rule(clock: Any, start: date, declared: Declared) -> ClockRule:
    if isinstance(clock, str):
        return _named(clock, start, declared)
    if not isinstance(clock, dict) or not {"amount", "unit"} <= clock.keys():
        raise ClockRefused("clock 应是期限的名称，或者写明 amount 和 unit 的对象。")
    _only(clock, INLINE, "clock")
    for key in ("count_first_day", "roll_rest_day"):
        if not isinstance(clock.get(key, True), bool):
            raise ClockRefused(f"{key} 应是 true 或 false。")
    return rule_from(clock)


def _named(name: str, start: date, declared: Declared) -> ClockRule:
    names = [known for known in declared if name in (known, known.split(".", 1)[1])]
    if len(names) != 1:
        raise ClockRefused(f"没有名为 {name} 的期限。" if not names else f"{name} 不止一个：{'、'.join(sorted(names))}，请写全名。")
    rows = [row for row in declared_rows(names[0], declared[names[0]]) if row["valid_from"] <= start <= (row["valid_until"] or date.max)]
    if not rows:
        raise ClockRefused(f"{names[0]} 在 {start} 没有生效的值。")
    row = max(rows, key=lambda row: row["valid_from"])
    if row["value"] is None or row["value"] != int(row["value"]):
        raise ClockRefused(f"{names[0]} 不是期限，不能计时。")
    return rule_from({**row["detail"], "amount": int(row["value"]), "unit": row["unit"], "law": row["source"]})


def _event(event: Any) -> Event:
    kind = event.get("type") if isinstance(event, dict) else None
    if kind not in KINDS:
        raise ClockRefused("事件的 type 应是 suspend（暂停）、resume（恢复）、exclude（除外）或 extend（延长）。")
    _only(event, EVENT_KEYS[kind], kind)
    if kind == "extend":
        on = None if event.get("on") is None else _day(event["on"], "extend 的 on")
        return Event(kind=kind, amount=event.get("amount"), unit=event.get("unit"), on=on)
    if kind == "exclude":
        first, last = _day(event.get("from"), "exclude 的 from"), _day(event.get("until"), "exclude 的 until")
        return Event(kind=kind, on=first, until=last, ground=str(event.get("ground", "")))
    return Event(kind=kind, on=_day(event.get("on"), f"{kind} 的 on"))


def _day(text: Any, what: str) -> date:
    try:
        if not isinstance(text, str) or len(text) != 10:
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise ClockRefused(f"{what}应是日期，如 2026-03-02。") from None


def _only(given: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(map(str, set(given) - known)):
        raise ClockRefused(f"{where}里有不认识的项：{'、'.join(unknown)}。")
