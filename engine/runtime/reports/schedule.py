"""Reports that draft themselves: some days after a period, one issue for each bureau that has somebody to draft it."""
from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select

from engine.access.actors import load_actor
from engine.access.assignment import candidates, holders
from engine.access.notices import NewNotice, send_notices
from engine.kernel.clock import legal_date
from engine.reporting.reports.declaration import Report
from engine.reporting.statistics.periods import Period, period_of
from engine.runtime.application import Application
from engine.runtime.job_names import DRAFT_REPORT
from engine.runtime.reports.draft import get_report, make_issue, reports_of
from engine.storage.tables.organisation import account, unit
from engine.storage.tables.statistics import report_issue

BUREAUS = ("city_bureau", "district_bureau")


def order_drafts(app: Application, *, at: datetime) -> int:
    """Queue what is due and not there yet; how many. Asked every hour, it queues each issue once."""
    due = [(report, past) for report in reports_of(app.library).values() if (past := _due(report, at)) is not None]
    if not due:
        return 0
    queued = 0
    with app.db.begin() as connection:
        bureaus = list(connection.scalars(select(unit.c.id).where(unit.c.kind.in_(BUREAUS))))
        for report, past in due:
            for bureau in bureaus:
                lock = f"report:{report.name}:{past.code}:{bureau}"
                if not _there(connection, report, past, bureau) and app.jobs.defer(connection, DRAFT_REPORT, queueing_lock=lock, lock=lock, report=report.name, period=past.code, bureau=str(bureau)):
                    queued += 1
    return queued


def _due(report: Report, at: datetime) -> Period | None:
    """The last whole period, from its day on for as many days more: a report that is declared late doesn't draft the past."""
    if report.schedule is None:
        return None
    past = period_of(legal_date(at), report.period).before()
    days = (legal_date(at) - past.last).days
    return past if report.schedule <= days <= report.schedule + 7 else None


def _there(connection: Connection, report: Report, period: Period, bureau: UUID) -> bool:
    t = report_issue.c
    own = t.district_id == bureau if connection.scalar(select(unit.c.kind).where(unit.c.id == bureau)) == "district_bureau" else t.district_id.is_(None)
    return connection.scalar(select(t.id).where(t.report == report.name, t.period == period.code, own).limit(1)) is not None


def draft_scheduled(app: Application, *, report: str, period: str, bureau: str) -> None:
    """The job: an issue in the name of the first person there who drafts it; nothing where nobody does."""
    declared, at = get_report(app.library, report), app.clock.now()
    on = legal_date(at)
    with app.db.connect() as connection:
        asked = period_of(on, declared.period).before()
        if asked.code != period or _there(connection, declared, asked, UUID(bureau)):
            return
        pairs = [pair for role in declared.makes for pair in candidates(connection, role=role, case_unit_id=UUID(bureau), on=on)]
        found = next(iter(holders(connection, pairs=pairs, on=on)), None)
        account_id = connection.scalar(select(account.c.id).where(account.c.person_id == found.person_id).limit(1)) if found else None
        if found is None or account_id is None:
            return
        actor = load_actor(connection, account_id, None, on)
    id = make_issue(app, actor=actor, report=declared, period=period, at=at)
    with app.db.begin() as connection:
        text = f"{declared.title}（{period}）已经自动起草，请核对后交签发人"
        send_notices(connection, notices=[NewNotice(person_id=found.person_id, kind="system", text=text, link=f"/reports/issues/{id}")], at=at)
