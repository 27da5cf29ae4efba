"""工作台: what waits for a person, what they started, what they did."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from engine.access.actors import Actor
from engine.deadlines.models import Models, load_models
from engine.deadlines.queries import soon_in_force
from engine.reference.calendars import Calendar
from engine.runtime.queries.lights import light_of
from engine.runtime.queries.named import statements
from engine.runtime.queries.pages import EXACT_LIMIT, Option, Page, cut, decode
from engine.runtime.queries.reader import reader
from engine.storage.prepared import Prepared

SQL = statements(__file__)
HOT = {name: Prepared(SQL[name]) for name in ("inbox_counts", "inbox_rows", "crowd_counts", "crowd_rows", "recent_acts")}
MANY = 1_000
"""From so many own tasks or tasks in pools on, a desk is read by walking indexes instead of looking at all of it."""
BUCKETS = ("all", "late", "today", "3d", "later")
GROUP_TITLES = {"late": "逾期", "today": "今天到期", "3d": "三个工作日内", "later": "以后"}


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What the reader narrowed: process name, step title, sender's name."""

    process: str = ""
    node: str = ""
    sender: str = ""

    @property
    def any(self) -> bool:
        return bool(self.process or self.node or self.sender)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """How many open tasks are due when, under the filters."""

    all: int
    late: int
    today: int
    soon: int
    later: int


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One open task on the desk."""

    task_id: UUID
    case_id: UUID
    number: str | None
    title: str
    subject: str
    tags: Sequence[str]
    process_title: str
    step: str
    from_name: str
    from_words: str
    opened_at: datetime
    returned: bool
    pool: bool
    due_on: date | None
    light: str
    remaining: str
    due_words: str
    bucket: str
    principal: str = ""
    asked: str = ""
    urged: int = 0
    waiting: bool = False
    place: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rows of one page that are due in one span."""

    title: str
    rows: Sequence[Waiting]


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """Counts and choices over the whole desk; on a crowded one, counts exact up to 10,000 and choices of what stands first."""

    figures: Figures
    process: Sequence[Option]
    node: Sequence[Option]
    sender: Sequence[Option]
    crowded: bool = False


@dataclass(frozen=True, kw_only=True)
class Past:
    """One act of mine and where its case stands now."""

    act_id: UUID
    case_id: UUID
    number: str | None
    title: str
    subject: str
    act: str
    at: datetime
    opinion: str
    undone: bool
    state: str
    closed: bool
    step: str
    holder: str


@dataclass(frozen=True, kw_only=True)
class Recent:
    """One act just done: what became of it, and whether it can still be taken back."""

    act_id: UUID
    case_id: UUID
    title: str
    subject: str
    what: str
    at: datetime
    fate: str
    can_withdraw: bool


def _narrow(filters: Filters) -> dict[str, Any]:
    return {"process": filters.process or None, "node": filters.node or None, "sender": filters.sender or None}


def inbox(connection: Connection, *, actor: Actor, today: date, soon_until: date, filters: Filters) -> Inbox:
    """Counts by due day and the choices of each filter. ``soon_until`` is the third working day from today. One statement, two for a crowded desk."""
    values = {**reader(actor), **_narrow(filters), "today": today, "soon": soon_until, "many": MANY, "exact": EXACT_LIMIT + 1}
    rows = HOT["inbox_counts"].mappings(connection, values)
    crowded = any(row["what"] == "few" for row in rows)
    if crowded:
        rows = HOT["crowd_counts"].mappings(connection, values)
    counts = {row["value"]: int(row["count"]) for row in rows if row["what"] == "due"}
    options: dict[str, list[Option]] = {"process": [], "node": [], "sender": []}
    for row in rows:
        if row["what"] in options:
            options[row["what"]].append(Option(value=row["value"], title=row["title"], count=row["count"]))
    late, due, soon = (counts.get(name, 0) for name in ("late", "today", "3d"))
    whole = counts["all"] if crowded else late + due + soon + counts.get("later", 0)
    later = whole if whole > EXACT_LIMIT else whole - late - due - soon
    return Inbox(figures=Figures(all=whole, late=late, today=due, soon=soon, later=later), crowded=crowded, **options)


def waiting(
    connection: Connection, *, actor: Actor, today: date, soon_until: date, filters: Filters, due: str, calendar: Calendar,
    total: int, size: int = 20, after: str | None = None, before: int = 0, crowded: bool = False,
) -> Page[Waiting]:
    """One page of open tasks, nearest due day first; tasks without a day come last. One statement; ``crowded`` is what ``inbox`` found."""
    day, task = decode(after, length=2) if after else (None, None)
    values = {
        **reader(actor), **_narrow(filters), "today": today, "soon": soon_until, "bucket": None if due == "all" else due,
        "after_day": day, "after_id": task, "size": size + 1,
    }
    if crowded:
        first, last = _span(due, today, soon_until)
        values |= {"first": first, "last": last, "after_day": day or "-infinity", "after_id": task or UUID(int=0)}
    models = load_models(connection)
    rows = [
        _waiting(row, today=today, soon_until=soon_until, calendar=calendar, models=models)
        for row in HOT["crowd_rows" if crowded else "inbox_rows"].mappings(connection, values)
    ]
    return cut(rows, size=size, before=before, total=total, key=lambda row: (row.due_on or "infinity", row.task_id))


def _span(due: str, today: date, soon_until: date) -> tuple[str, str]:
    """The first and the last day of a bucket."""
    day = timedelta(days=1)
    spans = {"late": ("-infinity", today - day), "today": (today, today), "3d": (today + day, soon_until), "later": (soon_until + day, "infinity")}
    first, last = spans.get(due, ("-infinity", "infinity"))
    return str(first), str(last)


def _waiting(row: Any, *, today: date, soon_until: date, calendar: Calendar, models: Models) -> Waiting:
    clock, paused = row["clock"], row["status"] == "suspended"
    soon = soon_in_force(row["soon"], clock=clock, models=models, on=today) if clock else ""
    light = light_of(row["due_on"], today=today, calendar=calendar, paused=paused, soon=soon, unit=row["day_kind"] if clock else "working_day")
    due_words = f"{row['clock_title']}至 {light.day}" if row["clock_title"] else light.due
    return Waiting(
        task_id=row["task_id"], case_id=row["case_id"], number=row["number"], title=row["title"], subject=row["subject"], tags=row["tags"],
        process_title=row["process_title"], step=row["step"], from_name=row["from_name"], from_words=row["from_words"], opened_at=row["opened_at"],
        returned=row["returned"], pool=row["pool"], due_on=row["due_on"], light=light.light, remaining=light.words, due_words=due_words,
        bucket=bucket_of(row["due_on"], today=today, soon_until=soon_until), principal=row["principal"], asked=row["asked"], urged=row["urged"],
        waiting=row["waiting"], place={name: row[name] for name in ("node", "process", "form", "bundle_id", "status")},
    )


def bucket_of(due: date | None, *, today: date, soon_until: date) -> str:
    """The span in which ``due`` falls: late, today, 3d or later."""
    if due is None or due > soon_until:
        return "later"
    if due < today:
        return "late"
    return "today" if due == today else "3d"


def groups(page: Page[Waiting], figures: Figures) -> list[Group]:
    """The page's rows under headings that count the whole span."""
    counts = {"late": figures.late, "today": figures.today, "3d": figures.soon, "later": figures.later}
    found = []
    for bucket, title in GROUP_TITLES.items():
        rows = [row for row in page.rows if row.bucket == bucket]
        if rows:
            found.append(Group(title=f"{title} {_told(counts[bucket])} 件", rows=rows))
    return found


def _told(count: int) -> str:
    return f"{EXACT_LIMIT}+" if count > EXACT_LIMIT else str(count)


def started(connection: Connection, *, actor: Actor, size: int = 20, after: str | None = None, before: int = 0) -> Page[Past]:
    """What I started, newest first."""
    return _past(connection, "started", actor=actor, size=size, after=after, before=before)


def done(connection: Connection, *, actor: Actor, size: int = 20, after: str | None = None, before: int = 0) -> Page[Past]:
    """What I did, newest first."""
    return _past(connection, "done", actor=actor, size=size, after=after, before=before)


def _past(connection: Connection, which: str, *, actor: Actor, size: int, after: str | None, before: int) -> Page[Past]:
    kinds = ["start"] if which == "started" else ["complete", "return", "withdraw", "transfer", "hold", "sign", "delegate"]
    at, act = decode(after, length=2) if after else (None, None)
    values = {"person": actor.person_id, "kinds": kinds, "after_at": at, "after_id": act, "size": size + 1, "limit": EXACT_LIMIT + 1}
    rows = [Past(**{name: row[name] for name in Past.__dataclass_fields__}) for row in connection.execute(SQL["past_rows"], values).mappings()]
    total = connection.scalar(SQL["past_count"], values) or 0
    return cut(rows, size=size, before=before, total=total, key=lambda row: (row.at.isoformat(), row.act_id))


@dataclass(frozen=True, kw_only=True)
class Copied:
    """A case that was copied to me."""

    case_id: UUID
    number: str | None
    title: str
    subject: str
    by_name: str
    words: str
    at: datetime
    state: str
    closed: bool
    step: str
    holder: str


def copied(connection: Connection, *, actor: Actor, size: int = 20, after: str | None = None, before: int = 0) -> Page[Copied]:
    """抄送我的, newest first."""
    at, case = decode(after, length=2) if after else (None, None)
    values = {"person": actor.person_id, "after_at": at, "after_id": case, "size": size + 1, "limit": EXACT_LIMIT + 1}
    rows = [Copied(**row) for row in connection.execute(SQL["copied_rows"], values).mappings()]
    total = connection.scalar(SQL["copied_count"], values) or 0
    return cut(rows, size=size, before=before, total=total, key=lambda row: (row.at.isoformat(), row.case_id))


def recent(connection: Connection, *, actor: Actor, since: datetime, limit: int = 4) -> list[Recent]:
    """My last acts since ``since``, with what became of each. One statement."""
    rows = HOT["recent_acts"].mappings(connection, {"person": actor.person_id, "since": since, "limit": limit})
    return [
        Recent(
            act_id=row["act_id"], case_id=row["case_id"], title=row["title"], subject=row["subject"], what=row["what"], at=row["at"],
            fate=_fate(row, actor.name), can_withdraw=row["can_withdraw"],
        )
        for row in rows
    ]


def _fate(row: Any, me: str) -> str:
    if row["undone"]:
        return "已撤回"
    if row["acted_by"]:
        return "你已接着往下办" if row["acted_by"] == me else f"{row['acted_by']}已接着办，不能撤回"
    if row["irreversible"]:
        return "已用印或已送出，不能撤回"
    return ("接着由你办" if row["holder"] == me else f"已送 {row['holder']}") if row["holder"] else ""
