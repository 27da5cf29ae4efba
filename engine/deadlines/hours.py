"""The instant at which a time limit in hours ends. Pure: aware instants in, an aware instant in Shanghai out.

``hour`` counts every hour of the day; ``working_hour`` only office hours on working days. A time doesn't count while
suspended (from the instant of suspension to that of resumption) nor in an excluded span; of a day alone, all of it is
meant. An extension is added after the amount before it. Where ``roll_rest_day`` holds, an end on a rest day moves to the
same time of the next working day. Hours have no first day: ``count_first_day`` says nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from engine.deadlines.due import Result, Step, check_extension, check_stops
from engine.deadlines.rules import HOURS, KINDS, ClockRefused, ClockRule, Event, check_amount, quantity
from engine.kernel.clock import SHANGHAI
from engine.reference.calendars import Calendar, CalendarUnknown

Span = tuple[datetime, datetime]
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass
class _Line:
    spans: list[Span] = field(default_factory=list)
    extensions: list[tuple[int, str]] = field(default_factory=list)
    since: datetime | None = None
    last: datetime | None = None
    stops: int = 0
    steps: list[Step] = field(default_factory=list)


def compute_hours(
    clock: ClockRule, start: datetime, events: Sequence[Event] = (), *, calendar: Calendar, at: datetime | None = None, strict: bool = False
) -> Result:
    """Like ``due.compute`` for a clock in hours: ``due_at`` is the instant, ``due`` its day. Raises ClockRefused, CalendarUnknown."""
    start = _aware(start)
    if at is not None and _aware(at) < start:
        raise ClockRefused("基准时刻早于起算时刻：期限还没有开始。")
    line = _read(clock, start, events, None if at is None else _aware(at))
    steps = [Step("start", "起算时刻", said(start), f"起算时刻 {said(start)}。"), *line.steps]
    if line.since is not None:
        steps.append(Step("note", "暂停中", f"自 {said(line.since)}", f"自 {said(line.since)} 起暂停，恢复之前没有届满时刻。"))
        return Result(due=None, state="suspended", steps=_closed(steps, clock))
    try:
        due = _count(clock, start, line, calendar, steps)
    except OverflowError:
        raise ClockRefused("届满时刻超出可以计算的范围。") from None
    provisional = (clock.roll_rest_day or clock.unit == "working_hour") and due.date() > calendar.known_until
    if provisional and strict:
        raise CalendarUnknown(f"{due.year} 年的放假安排还没有录入日历，不能确定届满时刻。")
    if provisional:
        steps.append(Step("note", f"{due.year} 年放假安排还没有公布", "暂按周一至周五", f"{due.year} 年的放假安排还没有公布，暂按周一至周五上班推算。"))
    state = "expired" if at is not None and at > due else "running"
    return Result(due=due.date(), due_at=due, state=state, steps=_closed(steps, clock), provisional=provisional)


def said(at: datetime) -> str:
    """2026-03-02 15:30（周一）."""
    return f"{at:%Y-%m-%d %H:%M}（周{'一二三四五六日'[at.weekday()]}）"


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ClockRefused("以小时计的期限，时刻要带时区，如 2026-03-02T15:30:00+08:00。")
    return at.astimezone(SHANGHAI)


def _closed(steps: list[Step], clock: ClockRule) -> tuple[Step, ...]:
    return (*steps, Step("law", "依据", clock.law, f"依据：{clock.law}。")) if clock.law else tuple(steps)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


def _read(clock: ClockRule, start: datetime, events: Sequence[Event], at: datetime | None) -> _Line:
    line = _Line(last=start)
    for event in events:
        if event.kind not in KINDS:
            raise ClockRefused("事件类型应是 suspend（暂停）、resume（恢复）、exclude（除外）或 extend（延长）。")
        on = _instant(event, start, at)
        if event.kind == "extend":
            check_amount(event.amount, event.unit, HOURS)
            assert event.amount is not None and event.unit is not None
            if event.unit != clock.unit:
                raise ClockRefused(f"以{HOURS[clock.unit]}计的期限，延长也以{HOURS[clock.unit]}计。")
            check_extension(clock, line.extensions, event.amount, event.unit)
            line.extensions.append((event.amount, event.unit))
        elif on is None:
            raise ClockRefused("暂停、恢复和除外都要写明时刻。")
        elif event.kind == "exclude":
            _exclude(line, on, event)
        else:
            _turn(line, clock, on, stop=event.kind == "suspend")
    return line


def _instant(event: Event, start: datetime, at: datetime | None) -> datetime | None:
    if event.on_at is None and event.on is None:
        return None
    on = _aware(event.on_at) if event.on_at is not None else _midnight(event.on)  # type: ignore[arg-type]
    # A day alone that is the start's own day means from the start on.
    if event.on_at is None and event.on == start.date():
        on = max(on, start)
    if on < start:
        raise ClockRefused(f"{said(on)} 早于起算时刻 {said(start)}：期限开始之前不能暂停、恢复、除外或延长。")
    if at is not None and on > at:
        raise ClockRefused(f"{said(on)} 晚于基准时刻 {said(at)}：还没有发生的事不能计入。")
    return on


def _exclude(line: _Line, on: datetime, event: Event) -> None:
    until = _aware(event.until_at) if event.until_at is not None else _midnight(event.until + _DAY) if event.until is not None else None
    if until is None or until <= on:
        raise ClockRefused("除外期间的止时不能早于起时。")
    line.spans.append((on, until))
    title = f"{said(on)} 至 {said(until)} 除外{f'（{event.ground}）' if event.ground else ''}"
    line.steps.append(Step("exclude", title, "不计入", f"{title}：不计入。"))


def _turn(line: _Line, clock: ClockRule, on: datetime, *, stop: bool) -> None:
    assert line.last is not None
    if stop and line.since is not None:
        raise ClockRefused(f"期限自 {said(line.since)} 起已经暂停，不能重复暂停。")
    if not stop and line.since is None:
        raise ClockRefused("期限没有暂停，不能恢复。")
    if on < (line.last if line.since is None else line.since):
        raise ClockRefused(f"{said(on)} 早于上一次{'恢复' if line.since is None else '暂停'}：事件应按先后顺序排列。")
    if line.since is None:
        line.stops += 1
        check_stops(clock, line.stops)
        line.since = line.last = on
        return
    line.spans.append((line.since, on))
    text = f"{said(line.since)} 暂停，{said(on)} 恢复"
    line.steps.append(Step("suspend", text, "不计入", f"{text}：不计入。"))
    line.since, line.last = None, on


def _count(clock: ClockRule, start: datetime, line: _Line, calendar: Calendar, steps: list[Step]) -> datetime:
    spans = sorted(line.spans)
    at = _after(clock, start, clock.amount, spans, calendar)
    length = quantity(clock.amount, clock.unit)
    steps.append(Step("amount", f"期限 {length}", said(at), f"期限 {length}，{'扣除不计入的时间，' if spans else ''}到 {said(at)}。"))
    for amount, unit in line.extensions:
        at = _after(clock, at, amount, spans, calendar)
        steps.append(Step("extend", f"延长 {quantity(amount, unit)}", said(at), f"延长 {quantity(amount, unit)}，到 {said(at)}。"))
    if clock.roll_rest_day and not calendar.is_working(at.date()):
        rolled = datetime.combine(calendar.next_working_day(at.date()), at.timetz(), SHANGHAI)
        text = f"{said(at)} 是休息日，顺延到下一个工作日的同一时刻 {said(rolled)}。"
        steps.append(Step("roll", f"遇{calendar.title(at.date())}顺延到下一个工作日", said(rolled), text))
        at = rolled
    return at


def _after(clock: ClockRule, used: datetime, amount: int, spans: Sequence[Span], calendar: Calendar) -> datetime:
    """The instant at which ``amount`` hours that count have passed since ``used``."""
    left = amount * _HOUR
    for first, last in _counting(clock, used, spans, calendar):
        room = last - first
        if left <= room:
            return first + left
        left -= room
    raise OverflowError(amount)


def _counting(clock: ClockRule, since: datetime, spans: Sequence[Span], calendar: Calendar) -> Iterator[Span]:
    """Stretches of time that count after ``since``, in order."""
    for first, last in _open(clock, since, calendar):
        at = max(first, since)
        for stop, go in spans:
            if go <= at or stop >= last:
                continue
            if stop > at:
                yield at, stop
            at = max(at, go)
        if at < last:
            yield at, last


def _open(clock: ClockRule, since: datetime, calendar: Calendar) -> Iterator[Span]:
    if clock.unit == "hour":
        yield since, datetime.combine(date(since.year + 30, 12, 31), time(), SHANGHAI)
        return
    day = since.date()
    while True:
        if calendar.is_working(day):
            for first, last in clock.office_hours:
                opens, closes = datetime.combine(day, first, SHANGHAI), datetime.combine(day, last, SHANGHAI)
                if closes > since:
                    yield opens, _midnight(day + _DAY) if last.microsecond else closes
        day += _DAY
