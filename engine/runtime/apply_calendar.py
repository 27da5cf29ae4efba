"""A change of the calendar: first what would shift, then the shift itself, in the background, with progress, until it is cancelled.

The days are in force as soon as the change is applied, so that acts reckon with them at once; clocks follow batch by batch,
each in a commit of its own with its entry in the history. Cancelling puts the days back and carries the clocks back.
Processes keep a calendar for half a minute: what they reckoned with the old one meanwhile is looked at once more.
"""
from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, delete, text, update
from sqlalchemy.dialects.postgresql import insert

from engine.access import audit
from engine.access.actors import Actor
from engine.deadlines import recount
from engine.deadlines.models import load_models
from engine.kernel.clock import legal_date
from engine.kernel.errors import AlreadyDone, GuichengError, Invalid
from engine.reference import calendars
from engine.reference.cache import SECONDS
from engine.reference.calendars import REGION, Calendar, Day, days_in, region_of
from engine.reference.year_paper import Entry
from engine.runtime.application import Application
from engine.runtime.draft_calendar import UNDER_WAY, change_of, district_of, entries_of, require_idle
from engine.runtime.job_names import APPLY_CALENDAR, PREVIEW_CALENDAR, RECOUNT_LATE
from engine.storage.tables.clocks import calendar_change, calendar_shift
from engine.storage.tables.reference import calendar_day

NOBODY = UUID(int=0)
LATE = timedelta(seconds=SECONDS + 15)


class Stopped(Exception):
    """Somebody asked to stop, or another run took over."""


def preview_change(app: Application, *, actor: Actor, change_id: UUID, at: datetime) -> None:
    """Have the worker find out what would shift. Raises AlreadyDone unless it is a draft."""
    actor.require("admin")
    with app.db.begin() as connection:
        run = _move(connection, change_id, since=("draft", "previewed", "failed"), to="previewing", at=at, done=0, total=0, shifted=0)
        connection.execute(delete(calendar_shift).where(calendar_shift.c.change_id == change_id))
        app.jobs.defer(connection, PREVIEW_CALENDAR, lock=f"calendar:{change_id}", change_id=str(change_id), run=run)


def apply_change(app: Application, *, actor: Actor, change_id: UUID, at: datetime) -> None:
    """Put the days in force and have the worker move the clocks. Raises Invalid before a preview, Conflict beside another one."""
    actor.require("admin")
    with app.db.begin() as connection:
        row = change_of(connection, change_id=change_id, lock=True)
        if row["state"] != "previewed":
            raise Invalid("请先预览影响，看过哪些期限会变，再生效。")
        require_idle(connection, change_id)
        own, days = days_in(connection, row["region"]), entries_of(row)
        before = [[day.isoformat(), own[day].working if day in own else None, own[day].title if day in own else ""] for day, _, _ in days]
        _write_days(connection, row["region"], days, row["source"])
        run = _move(connection, change_id, since=("previewed",), to="applying", at=at, before=before, done=0, shifted=0, applied_at=at)
        app.jobs.defer(connection, APPLY_CALENDAR, lock=f"calendar:{change_id}", change_id=str(change_id), run=run)
        audit.note(connection, actor=actor, at=at, action="calendar.apply", object=str(change_id), detail={"title": row["title"], "region": row["region"], "days": len(days)})
    with app.db.connect() as connection:
        calendars.forget(connection)


def cancel_change(app: Application, *, actor: Actor, change_id: UUID, at: datetime) -> None:
    """Stop a preview; or stop an application and carry everything back. Raises AlreadyDone when nothing is under way."""
    actor.require("admin")
    with app.db.begin() as connection:
        row = change_of(connection, change_id=change_id, lock=True)
        if row["state"] == "previewing":
            _move(connection, change_id, since=("previewing",), to="draft", at=at, note="预览已停下。")
            return
        if row["state"] != "applying":
            raise AlreadyDone("这次调整没有在处理，或已经全部生效。要改回去，请另建一次调整。")
        _write_days(connection, row["region"], entries_of(row, "before"), row["source"])
        run = _move(connection, change_id, since=("applying",), to="undoing", at=at, done=0)
        app.jobs.defer(connection, APPLY_CALENDAR, lock=f"calendar:{change_id}", change_id=str(change_id), run=run)
        audit.note(connection, actor=actor, at=at, action="calendar.cancel", object=str(change_id))
    with app.db.connect() as connection:
        calendars.forget(connection)


def _move(connection: Connection, change_id: UUID, *, since: tuple[str, ...], to: str, at: datetime, **values: Any) -> int:
    """Into state ``to``; the number of the run that this begins."""
    c = calendar_change.c
    run = connection.scalar(
        update(calendar_change).where(c.id == change_id, c.state.in_(since)).values(state=to, updated_at=at, run=c.run + 1, **{"note": "", **values}).returning(c.run)
    )
    if run is None:
        raise AlreadyDone("这一步已经办过，请刷新页面看现在的情况。")
    return int(run)


def _write_days(connection: Connection, region: str, days: list[Entry], source: str) -> None:
    c = calendar_day.c
    connection.execute(delete(calendar_day).where(c.region == region, c.day.in_([day for day, _, _ in days])))
    rows = [{"region": region, "day": day, "working": working, "title": title, "source": source} for day, working, title in days if working is not None]
    if rows:
        connection.execute(insert(calendar_day), rows)


def make_preview(app: Application, *, change_id: str, run: int) -> None:
    """The job: every clock that would shift goes into ``calendar_shift``."""
    id, at = UUID(change_id), app.clock.now()
    with app.db.connect() as reading:
        row = change_of(reading, change_id=id)
        chosen, wanted = _proposed(reading, row), _wanted(row)
        models, total = load_models(reading), recount.count_wanted(reading, wanted)
    _tell(app, id, run, total=total)
    try:
        shifted, after, done = 0, NOBODY, 0
        while True:
            with app.db.begin() as connection:
                last, looked, shifts = recount.next_batch(connection, wanted, after=after, calendars=chosen, models=models, on=legal_date(at))
                if last is None:
                    break
                recount.keep_shifts(connection, id, shifts)
                after, done, shifted = last, done + looked, shifted + len(shifts)
                _step(connection, id, run, done=done, shifted=shifted)
        _finish(app, id, run, state="previewed", at=app.clock.now(), done=done)
    except Stopped:
        with app.db.begin() as connection:
            connection.execute(delete(calendar_shift).where(calendar_shift.c.change_id == id))


def make_change(app: Application, *, change_id: str, run: int) -> None:
    """The job: every clock moves to what the days in force say; after a cancelled change, back again. May be run again from the start."""
    id = UUID(change_id)
    with app.db.connect() as reading:
        row, at = change_of(reading, change_id=id), app.clock.now()
        if row["state"] not in ("applying", "undoing") or row["run"] != run:
            return
        calendars.forget(reading)
        total = recount.count_wanted(reading, _wanted(row))
    _tell(app, id, run, total=total)
    ground = row["title"] if row["state"] == "applying" else f"{row['title']}（已取消，改回）"
    try:
        _carry(app, row, _wanted(row), ground=ground, at=at, run=run)
        with app.db.begin() as connection:
            app.jobs.defer(connection, RECOUNT_LATE, schedule_at=app.clock.now() + LATE, change_id=change_id)
        _finish(app, id, run, state="applied" if row["state"] == "applying" else "cancelled", at=app.clock.now())
    except Stopped:
        return


def recount_late(app: Application, *, change_id: str) -> None:
    """The job: clocks that changed while other processes still had the old calendar are reckoned once more."""
    with app.db.connect() as reading:
        row = change_of(reading, change_id=UUID(change_id))
        calendars.forget(reading)
    _carry(app, row, _wanted(row, since=row["applied_at"] or row["at"]), ground=row["title"], at=app.clock.now(), run=None)


def _carry(app: Application, row: RowMapping, wanted: recount.Wanted, *, ground: str, at: datetime, run: int | None) -> None:
    """Batch by batch, each in a commit of its own; only with ``run`` the progress is told and Stopped may be raised."""
    after, done = NOBODY, 0
    with app.db.connect() as reading:
        models = load_models(reading)
    while True:
        with app.db.begin() as connection:
            last, looked, shifts = recount.next_batch(
                connection, wanted, after=after, calendars=lambda district: calendars.load(connection, district_id=district), models=models, on=legal_date(at), lock=True,
            )
            if last is None:
                return
            moved = recount.write_shifts(connection, shifts, ground=ground, by=row["by_id"], at=at)
            after, done = last, done + looked
            if run is not None:
                _step(connection, row["id"], run, done=done, more=moved)


def _wanted(row: RowMapping, *, since: datetime | None = None) -> recount.Wanted:
    return recount.Wanted(first=min(day for day, _, _ in entries_of(row)), district=district_of(row), since=since)


def _proposed(connection: Connection, row: RowMapping) -> recount.Calendars:
    """District → the calendar as it would be."""
    city, own = days_in(connection, REGION), days_in(connection, row["region"])
    changed = _with(own, entries_of(row))
    made: dict[UUID | None, Calendar] = {}

    def calendar(district: UUID | None) -> Calendar:
        if district not in made:
            base = changed if row["region"] == REGION else city
            over = changed if row["region"] == region_of(district) and district else days_in(connection, region_of(district)) if district else {}
            made[district] = Calendar({**base, **over}.values())
        return made[district]

    for district in _districts(connection):
        calendar(district)
    calendar(None)
    return calendar


def _districts(connection: Connection) -> list[UUID]:
    return [*connection.scalars(text("SELECT DISTINCT district_id FROM unit WHERE district_id IS NOT NULL"))]


def _with(days: Mapping[date, Day], entries: list[Entry]) -> dict[date, Day]:
    kept = {day: one for day, one in days.items() if day not in {entry[0] for entry in entries}}
    return {**kept, **{day: Day(day=day, working=working, title=title) for day, working, title in entries if working is not None}}


def _step(connection: Connection, id: UUID, run: int, *, done: int, shifted: int | None = None, more: int = 0) -> None:
    c = calendar_change.c
    values = {"done": done, "shifted": c.shifted + more if shifted is None else shifted}
    if not connection.execute(update(calendar_change).where(c.id == id, c.run == run, c.state.in_(UNDER_WAY)).values(**values)).rowcount:
        raise Stopped


def _tell(app: Application, id: UUID, run: int, **values: Any) -> None:
    with app.db.begin() as connection:
        connection.execute(update(calendar_change).where(calendar_change.c.id == id, calendar_change.c.run == run).values(**values))


def _finish(app: Application, id: UUID, run: int, *, state: str, at: datetime, **values: Any) -> None:
    _tell(app, id, run, state=state, updated_at=at, **values)


def change_failed(app: Application, error: Exception, *, change_id: str, run: int = 0) -> None:
    """The last attempt failed: say so where the administrator looks. Days in force stay; the change can be tried again or cancelled."""
    with app.db.begin() as connection:
        row = change_of(connection, change_id=UUID(change_id))
        note = error.message if isinstance(error, GuichengError) else "后台处理出错，请值守人员查看日志后重试。"
        state = "failed" if row["state"] == "previewing" else row["state"]
        connection.execute(update(calendar_change).where(calendar_change.c.id == row["id"]).values(state=state, note=note, updated_at=app.clock.now()))
