"""What is looked after every hour: sessions that ended, a calendar that lacks a year."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, select

from engine.access import one_time, passwords, rates
from engine.access.notices import NewNotice, send_notices
from engine.access.sessions import sweep_sessions
from engine.kernel.clock import legal_date
from engine.reference import calendars
from engine.storage.tables.organisation import account, notice

LINK = "/admin/calendar"


def run(app: Any, *, at: datetime) -> None:
    """Delete ended sessions; from 1 December on tell administrators, once a day, that next year's days off are missing."""
    with app.db.begin() as connection:
        sweep_sessions(connection, at=at)
        one_time.sweep_steps(connection, at=at)
        rates.sweep(connection, at=at)
        passwords.sweep_strangers(connection, at=at)
        tell_missing_year(connection, at=at)


def tell_missing_year(connection: Connection, *, at: datetime) -> int:
    """A notice for every administrator who hasn't had this one today; how many."""
    on = legal_date(at)
    year = calendars.load(connection).missing_year(on)
    if year is None:
        return 0
    text = f"工作日历里没有 {year} 年的放假安排，{on:%Y-%m-%d} 起落在 {year} 年的届满日都是暂按周一至周五上班推算的。请录入后生效。"
    a = account.c
    told = exists().where(notice.c.person_id == a.person_id, notice.c.text == text)
    people = connection.scalars(select(a.person_id).where(a.active, a.rights.has_key("admin"), ~told)).all()
    return send_notices(connection, at=at, notices=[NewNotice(person_id=id, kind="system", text=text, link=LINK) for id in people])
