"""Issue a report: somebody else than its drafter signs it off, the worker makes the files, the audience gets them and is seen to read them."""
from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access import audit
from engine.access.actors import Actor
from engine.access.assignment import candidates, holders
from engine.access.notices import NewNotice, send_notices
from engine.documents.jobs import fonts_folder
from engine.documents.render import render_pdf
from engine.kernel.clock import SHANGHAI, legal_date
from engine.kernel.errors import Forbidden, Invalid, NotFound
from engine.reporting.reports.paper import html_of, word_of
from engine.reporting.reports.text import blocks_of
from engine.runtime.application import Application
from engine.runtime.job_names import RENDER_REPORT
from engine.runtime.reports.draft import find_issue, get_report, may_issue, require_draft
from engine.runtime.start_case import start_case
from engine.storage.tables.organisation import person, unit
from engine.storage.tables.statistics import report_issue, report_reader

ISSUING = "issuing"


def issue_report(app: Application, *, actor: Actor, issue_id: UUID, at: datetime) -> None:
    """Sign it off. Raises Forbidden for whoever drafted it or has no such post, Invalid when it went out already."""
    with app.db.begin() as connection:
        row = find_issue(connection, actor=actor, issue_id=issue_id, lock=True)
        require_draft(row)
        report = get_report(app.library, row["report"])
        if report.approval:
            raise Invalid("这份报告要经流程审签，请按“送审”。", code="needs_approval")
        if not may_issue(connection, report=report, actor=actor, unit_id=row["unit_id"], at=at):
            raise Forbidden("您的岗位不签发这份报告。")
        send_out(app, connection, row=row, actor=actor, at=at)


def send_out(app: Application, connection: Connection, *, row: RowMapping, actor: Actor, at: datetime) -> None:
    """Issued in the caller's transaction, by somebody else than its drafter: the text stands still and the files are made in the background. Raises Forbidden."""
    if row["by_id"] == actor.person_id:
        raise Forbidden("起草的人不能签发自己的报告，请交给签发人。")
    connection.execute(update(report_issue).where(report_issue.c.id == row["id"]).values(state=ISSUING, issued_at=at))
    app.jobs.defer(connection, RENDER_REPORT, lock=f"report:{row['id']}", issue_id=str(row["id"]), mark=f"{actor.name} {at.astimezone(SHANGHAI):%Y-%m-%d %H:%M} 签发")
    audit.note(connection, actor=actor, at=at, action="report.issue", object=row["report"], detail={"issue": str(row["id"]), "rev": row["rev"]})


def submit_issue(app: Application, *, actor: Actor, issue_id: UUID, key: str, at: datetime) -> UUID:
    """Send a draft into the procedure that approves such reports; the case's id. Raises Forbidden for who didn't draft it, Invalid when it is under way or out."""
    with app.db.connect() as connection:
        row = find_issue(connection, actor=actor, issue_id=issue_id)
    report = get_report(app.library, row["report"])
    require_draft(row)
    if not report.approval:
        raise Invalid("这份报告不经流程审签，由签发人签发。", code="no_approval")
    if row["by_id"] != actor.person_id:
        raise Forbidden("由起草的人送审。")
    started = start_case(app, actor=actor, process=report.approval, data={"title": row["title"], "issue": str(issue_id)}, outcome="submit", key=key, at=at)
    return started.case_id


def make_files(app: Application, *, issue_id: str, mark: str) -> None:
    """The job: PDF and Word of the text as it was signed off, kept by their hash; then the audience is told. Running twice changes nothing."""
    id = UUID(issue_id)
    with app.db.connect() as connection:
        row = connection.execute(select(report_issue).where(report_issue.c.id == id)).mappings().one_or_none()
    if row is None or row["state"] != ISSUING:
        return
    blocks, parts = blocks_of(row["body"]), row["figures"]["parts"]
    pdf = app.blobs.put(render_pdf(html_of(blocks, parts, title=row["title"], mark=mark), fonts=fonts_folder(app)))
    word = app.blobs.put(word_of(blocks, parts, title=row["title"], mark=mark))
    at = app.clock.now()
    with app.db.begin() as connection:
        moved = connection.execute(
            update(report_issue).where(report_issue.c.id == id, report_issue.c.state == ISSUING).values(state="issued", pdf_sm3=pdf, word_sm3=word)
        ).rowcount
        if moved:
            _send(app, connection, row, at)


def _send(app: Application, connection: Connection, row: RowMapping, at: datetime) -> None:
    """To everybody of the audience below the bureau of the issue."""
    people = audience_of(app, connection, report=row["report"], unit_id=row["unit_id"], at=at)
    if not people:
        return
    connection.execute(insert(report_reader).values([{"issue_id": row["id"], "person_id": one, "sent_at": at} for one in people]).on_conflict_do_nothing())
    send_notices(connection, notices=[NewNotice(person_id=one, kind="system", text=f"收到{row['title']}", link=f"/reports/issues/{row['id']}") for one in people], at=at)


def audience_of(app: Application, connection: Connection, *, report: str, unit_id: UUID, at: datetime) -> list[UUID]:
    """The people who hold a role of the audience in the bureau that ``unit_id`` belongs to; where the report reaches the branch, in its districts too."""
    declared = get_report(app.library, report)
    own = connection.execute(select(unit.c.bureau, unit.c.district_id).where(unit.c.id == unit_id)).one()
    below = [unit_id]
    if own.district_id is None and declared.branch:
        below += connection.scalars(select(unit.c.id).where(unit.c.bureau == own.bureau, unit.c.active, unit.c.kind == "district_bureau"))
    elif own.district_id is not None:
        below = list(connection.scalars(select(unit.c.id).where((unit.c.district_id == own.district_id) | (unit.c.id == own.district_id))))
    on, pairs = legal_date(at), set[tuple[UUID, str]]()
    for role in declared.audience:
        for one in below:
            pairs |= set(candidates(connection, role=role, case_unit_id=one, on=on))
    return list(dict.fromkeys(holder.person_id for holder in holders(connection, pairs=sorted(pairs, key=str), on=on)))


def mark_read(app: Application, *, actor: Actor, issue_id: UUID, at: datetime) -> None:
    """The reader has it open: the first time counts."""
    r = report_reader.c
    with app.db.begin() as connection:
        connection.execute(update(report_reader).where(r.issue_id == issue_id, r.person_id == actor.person_id, r.read_at.is_(None)).values(read_at=at))


def receipts(connection: Connection, *, issue_id: UUID) -> list[RowMapping]:
    """Who got it and when they read it, those who haven't first."""
    r = report_reader.c
    return list(connection.execute(
        select(person.c.name, r.sent_at, r.read_at).join_from(report_reader, person, person.c.id == r.person_id).where(r.issue_id == issue_id).order_by(r.read_at.nulls_first(), person.c.pinyin)
    ).mappings())


def file_of(row: RowMapping, kind: str) -> tuple[str, str]:
    """(SM3, file name) of the issue's ``word`` or ``pdf``; raises NotFound before it is made."""
    sm3: Any = row[f"{kind}_sm3"]
    if sm3 is None:
        raise NotFound("文件还没有生成，签发后由后台生成，请稍后再看。")
    return sm3, f"{row['title']}.{'docx' if kind == 'word' else 'pdf'}"
