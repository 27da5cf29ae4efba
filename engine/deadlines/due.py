"""The day on which a time limit ends, and the sum that leads there. Pure: dates in, dates out.

Counting: the start day doesn't count unless the rule says so. A day doesn't count while suspended (from the day of
suspension up to, not including, the day of resumption) nor in an excluded span (both ends included). A limit in months
or years reaches the same day of the month, or its last day, and moves on by one day for every day that doesn't count. An
extension is added after the amount before it. Last of all, a due date on a rest day moves to the next working day.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from engine.deadlines.rules import KINDS, ClockRefused, ClockRule, Event, check_amount, quantity
from engine.reference.calendars import Calendar, CalendarUnknown

_DAY = timedelta(days=1)
Span = tuple[date, date]


@dataclass(frozen=True)
class Step:
    """One line of the sum: ``title`` and ``value`` as a table shows it, ``text`` as a sentence.

    ``kind`` is start, suspend, exclude, amount, extend, roll, note or law.
    """

    kind: str
    title: str
    value: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """``due`` is None while suspended; ``state`` running, suspended or expired; ``provisional`` when a year's days off that
    the date rests on are not published yet; ``due_at`` is the instant for clocks in hours."""

    due: date | None
    state: str
    steps: tuple[Step, ...]
    provisional: bool = False
    due_at: datetime | None = None


@dataclass
class _Timeline:
    """What the events say: which days don't count, which amounts were added, since when it stands still."""

    spans: list[Span] = field(default_factory=list)
    extensions: list[tuple[int, str]] = field(default_factory=list)
    since: date | None = None
    stops: int = 0
    steps: list[Step] = field(default_factory=list)


def compute(
    clock: ClockRule, start: date, events: Sequence[Event] = (), *, calendar: Calendar, at: date | None = None, strict: bool = False
) -> Result:
    """The due date of ``clock`` started on ``start``, as seen on ``at`` (None: no matter when).

    Raises ClockRefused on events that contradict each other, lie before the start or after ``at``, or extend too far; and
    CalendarUnknown where the calendar does not reach, with ``strict`` also where a year has not been published.
    """
    if at is not None and at < start:
        raise ClockRefused("基准日早于起算日：期限还没有开始。")
    line = _read(clock, start, events, at, calendar)
    steps = [_first_step(clock, start), *line.steps]
    if line.since is not None:
        steps.append(Step("note", "暂停中", f"自 {line.since}", f"自 {line.since} 起暂停，恢复之前没有届满日。"))
        return Result(due=None, state="suspended", steps=_closed(steps, clock))
    due = _count(clock, start, line, calendar, steps)
    if clock.roll_rest_day and not calendar.is_working(due):
        rolled = calendar.next_working_day(due)
        text = f"{due}（{calendar.title(due)}）是休息日，顺延到下一个工作日 {_day(rolled)}。"
        steps.append(Step("roll", f"遇{calendar.title(due)}顺延到下一个工作日", _day(rolled), text))
        due = rolled
    provisional = _rests_on_unknown(clock, line, due, calendar)
    if provisional and strict:
        raise CalendarUnknown(f"{due.year} 年的放假安排还没有录入日历，不能确定届满日。")
    if provisional:
        unknown = calendar.known_until.year + 1
        steps.append(Step("note", f"{unknown} 年放假安排还没有公布", "暂按周一至周五", f"{unknown} 年的放假安排还没有公布，暂按周一至周五上班推算。"))
    return Result(
        due=due, state="expired" if at is not None and at > due else "running", steps=_closed(steps, clock), provisional=provisional
    )


def _closed(steps: list[Step], clock: ClockRule) -> tuple[Step, ...]:
    return (*steps, Step("law", "依据", clock.law, f"依据：{clock.law}。")) if clock.law else tuple(steps)


def _first_step(clock: ClockRule, start: date) -> Step:
    counted = "当日计入" if clock.count_first_day else "当日不计入"
    return Step("start", f"起算日（{counted}）", _day(start), f"起算日 {_day(start)}，{counted}。")


def _rests_on_unknown(clock: ClockRule, line: _Timeline, due: date, calendar: Calendar) -> bool:
    units = {clock.unit, *(unit for _, unit in line.extensions)}
    return (clock.roll_rest_day or "working_day" in units) and due > calendar.known_until


def _read(clock: ClockRule, start: date, events: Sequence[Event], at: date | None, calendar: Calendar) -> _Timeline:
    line = _Timeline()
    last = start
    for event in events:
        if event.kind not in KINDS:
            raise ClockRefused("事件类型应是 suspend（暂停）、resume（恢复）、exclude（除外）或 extend（延长）。")
        _check_when(event, start, at)
        if event.kind == "suspend":
            last = _suspend(line, event, clock, last)
        elif event.kind == "resume":
            last = _resume(line, event, clock, calendar)
        elif event.kind == "exclude":
            _exclude(line, event, clock, calendar)
        else:
            _extend(line, event, clock)
    return line


def _check_when(event: Event, start: date, at: date | None) -> None:
    if event.on is None:
        if event.kind != "extend":
            raise ClockRefused("暂停、恢复和除外都要写明日期。")
        return
    if event.on < start:
        raise ClockRefused(f"{event.on} 早于起算日 {start}：期限开始之前不能暂停、恢复、除外或延长。")
    if at is not None and event.on > at:
        raise ClockRefused(f"{event.on} 晚于基准日 {at}：还没有发生的事不能计入。")


def _suspend(line: _Timeline, event: Event, clock: ClockRule, last: date) -> date:
    assert event.on is not None
    line.stops += 1
    check_stops(clock, line.stops)
    if line.since is not None:
        raise ClockRefused(f"期限自 {line.since} 起已经暂停，不能重复暂停。")
    if event.on < last:
        raise ClockRefused(f"{event.on} 早于上一次恢复日 {last}：事件应按先后顺序排列。")
    line.since = event.on
    return event.on


def _resume(line: _Timeline, event: Event, clock: ClockRule, calendar: Calendar) -> date:
    assert event.on is not None
    if line.since is None:
        raise ClockRefused("期限没有暂停，不能恢复。")
    if event.on < line.since:
        raise ClockRefused(f"恢复日 {event.on} 早于暂停日 {line.since}。")
    if event.on > line.since:
        span = (line.since, event.on - _DAY)
        line.spans.append(span)
        loss = _loss(span, clock, calendar)
        line.steps.append(Step("suspend", f"{line.since} 暂停，{event.on} 恢复", loss, f"{line.since} 暂停，{event.on} 恢复：{loss}。"))
    line.since = None
    return event.on


def _exclude(line: _Timeline, event: Event, clock: ClockRule, calendar: Calendar) -> None:
    assert event.on is not None
    if event.until is None or event.until < event.on:
        raise ClockRefused("除外期间的止日不能早于起日。")
    span = (event.on, event.until)
    line.spans.append(span)
    ground = f"（{event.ground}）" if event.ground else ""
    loss = _loss(span, clock, calendar)
    title = f"{event.on} 至 {event.until} 除外{ground}"
    line.steps.append(Step("exclude", title, loss, f"{title}：{loss}。"))


def _extend(line: _Timeline, event: Event, clock: ClockRule) -> None:
    check_amount(event.amount, event.unit)
    assert event.amount is not None and event.unit is not None
    check_extension(clock, line.extensions, event.amount, event.unit)
    line.extensions.append((event.amount, event.unit))


def check_stops(clock: ClockRule, stops: int) -> None:
    """Raise ClockRefused when the clock may not be suspended ``stops`` times."""
    if clock.suspensions is not None and stops > clock.suspensions:
        raise ClockRefused(f"这项期限最多暂停 {clock.suspensions} 次，不能再暂停。")


def check_extension(clock: ClockRule, before: Sequence[tuple[int, str]], amount: int, unit: str) -> None:
    """Raise ClockRefused when ``amount`` of ``unit`` after the extensions ``before`` is more than the rule allows."""
    if clock.extensions is not None and len(before) >= clock.extensions:
        raise ClockRefused(f"这项期限最多延长 {clock.extensions} 次，不能再延长。")
    wanted, longest, total = clock.extension_unit or clock.unit, clock.extension_amount, clock.extension_total
    if longest is not None and (unit != wanted or amount > longest):
        raise ClockRefused(f"每次延长不得超过 {quantity(longest, wanted)}。")
    if total is not None and (unit != wanted or sum(one for one, _ in before) + amount > total):
        raise ClockRefused(f"延长合计不得超过 {quantity(total, wanted)}。")


def _loss(span: Span, clock: ClockRule, calendar: Calendar) -> str:
    days = (span[1] - span[0]).days + 1
    if clock.unit != "working_day":
        return f"{days} 日不计入"
    return f"{days} 日（其中 {calendar.count_between(span[0] - _DAY, span[1])} 个工作日）不计入"


def _count(clock: ClockRule, start: date, line: _Timeline, calendar: Calendar, steps: list[Step]) -> date:
    """Walk through the amounts; every line of the sum that this adds goes to ``steps``."""
    spans = _merged(line.spans)
    at = _after(start - _DAY if clock.count_first_day else start, start, clock.amount, clock.unit, spans, calendar)
    length = quantity(clock.amount, clock.unit)
    steps.append(Step("amount", f"期限 {length}", _day(at), f"期限 {length}，{'扣除不计入的日子，' if spans else ''}到 {_day(at)}。"))
    for amount, unit in line.extensions:
        at = _after(at, at, amount, unit, spans, calendar)
        length = quantity(amount, unit)
        steps.append(Step("extend", f"延长 {length}", _day(at), f"延长 {length}，到 {_day(at)}。"))
    return at


def _after(used: date, base: date, amount: int, unit: str, spans: Sequence[Span], calendar: Calendar) -> date:
    """The day on which ``amount`` more is used up when everything up to ``used`` is; months are reckoned from ``base``."""
    try:
        if unit in ("month", "year"):
            amount = (add_months(base, amount * (12 if unit == "year" else 1)) - base).days
        working = unit == "working_day"
        for first, last in spans:
            if last <= used:
                continue
            room = max(_units(used, first - _DAY, working, calendar), 0)
            if room >= amount:
                break
            amount -= room
            used = last
        return calendar.add_working_days(used, amount) if working else used + amount * _DAY
    except OverflowError:
        raise ClockRefused("届满日超出可以计算的范围。") from None


def _units(after: date, until: date, working: bool, calendar: Calendar) -> int:
    return calendar.count_between(after, until) if working else (until - after).days


def _merged(spans: list[Span]) -> list[Span]:
    """The spans in order, overlapping and touching ones joined."""
    merged: list[Span] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + _DAY:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def add_months(day: date, months: int) -> date:
    """The same day of the month ``months`` later, or that month's last day."""
    month = day.year * 12 + day.month - 1 + months
    year, month = divmod(month, 12)
    if year > date.max.year:
        raise OverflowError(year)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _day(day: date) -> str:
    return f"{day}（周{'一二三四五六日'[day.weekday()]}）"


def add_time(start: date, amount: int, unit: str, *, calendar: Calendar) -> date:
    """The day ``amount`` of ``unit`` after ``start``, the start day not counted, no rolling; for due dates of steps."""
    check_amount(amount, unit)
    return _after(start, start, amount, unit, (), calendar)
