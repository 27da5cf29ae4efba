"""Draft a report for a period: its text in force, filled with figures as the drafter may see them; edit it until it goes out."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, false, func, insert, or_, select, tuple_, update

from engine.access import audit
from engine.access.actors import Actor
from engine.access.assignment import candidates, holds_role
from engine.access.scope import scope_root, visible_cases
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from engine.kernel.ids import new_id
from engine.packs.library import Library
from engine.reporting.reports.declaration import Report, parse_report
from engine.reporting.reports.text import LONGEST, check_body, fill
from engine.reporting.statistics.catalogue import statistics_of
from engine.reporting.statistics.granted import known_to
from engine.reporting.statistics.periods import Period, read_period
from engine.runtime.application import Application
from engine.runtime.change_counting import require_change_counting
from engine.runtime.reports.snapshot import Snapshot
from engine.storage.tables.organisation import unit
from engine.storage.tables.runtime import task, task_candidate
from engine.storage.tables.statistics import report_issue, report_reader, report_template

DRAFT, APPROVING = "draft", "approving"


def reports_of(library: Library) -> Mapping[str, Report]:
    """Every report in force, by name."""
    known = statistics_of(library)
    found: Mapping[str, Report] = library.derived("reports", lambda: {
        name: parse_report(library.current("report", name).content, name=name, statistic=lambda one: known[one][0] if one in known else None) for name in library.names("report")
    })
    return found


def get_report(library: Library, name: str) -> Report:
    """The report ``name``; raises NotFound."""
    try:
        return reports_of(library)[name]
    except KeyError:
        raise NotFound(f"没有报告 {name}。") from None


def text_in_force(connection: Connection, report: Report) -> tuple[int, str]:
    """(version, text): the last one that was edited, else the pack's own as version 0."""
    t = report_template.c
    row = connection.execute(select(t.version, t.body).where(t.report == report.name).order_by(t.version.desc()).limit(1)).one_or_none()
    return (row.version, row.body) if row else (0, report.body)


def history_of(connection: Connection, report: Report) -> list[RowMapping]:
    """Who edited the text when, the newest first."""
    t = report_template.c
    return list(connection.execute(select(t.version, t.note, t.by_name, t.at).where(t.report == report.name).order_by(t.version.desc()).limit(50)).mappings())


def save_text(app: Application, *, actor: Actor, report: Report, body: str, note: str, at: datetime) -> int:
    """A new version of the text, for issues drafted from now on. Raises Forbidden, Invalid for what the text gets wrong."""
    require_change_counting(actor)
    known = statistics_of(app.library)
    body = body.replace("\r\n", "\n")
    check_body(body, {short: known[full][0] for short, full in report.statistics.items()}, assessments=report.assessments, decisions=report.decisions)
    if not note.strip():
        raise Invalid("请写改了什么。", fields={"note": "写一句改了什么。"})
    with app.db.begin() as connection:
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"report_template:{report.name}"))))
        version = text_in_force(connection, report)[0] + 1
        connection.execute(insert(report_template).values(
            id=new_id(), report=report.name, version=version, body=body, note=note.strip()[:500], by_id=actor.person_id, by_name=actor.name, unit_id=actor.unit_id,
            district_id=actor.district_id, at=at,
        ))
        audit.note(connection, actor=actor, at=at, action="report.template", object=report.name, detail={"version": version, "note": note.strip()})
    return version


def may_make(connection: Connection, *, report: Report, actor: Actor, at: datetime) -> bool:
    return any(holds_role(connection, role=role, posts=actor.posts, on=legal_date(at)) for role in report.makes)


def may_issue(connection: Connection, *, report: Report, actor: Actor, unit_id: UUID, at: datetime) -> bool:
    """Whether one of the actor's posts issues reports of this unit."""
    return any(set(actor.posts) & set(candidates(connection, role=role, case_unit_id=unit_id, on=legal_date(at))) for role in report.issues)


def make_issue(app: Application, *, actor: Actor, report: Report, period: str, at: datetime) -> UUID:
    """Draft an issue. Raises Forbidden, Invalid for a period of another kind or that is still to come."""
    with app.db.begin() as connection:
        if not may_make(connection, report=report, actor=actor, at=at):
            raise Forbidden(f"您的岗位不起草“{report.title}”。")
        return draft_issue(connection, library=app.library, actor=actor, report=report, period=period, at=at)


def draft_issue(connection: Connection, *, library: Library, actor: Actor, report: Report, period: str, at: datetime) -> UUID:
    """The issue, drafted in the caller's transaction with what ``actor`` sees; a procedure has seen to who may. Raises Invalid."""
    asked = _period(report, period, at)
    version, body = text_in_force(connection, report)
    source = Snapshot(connection, library=library, report=report, period=asked, actor=actor, at=at)
    text = fill(body, source, period=asked.title, unit=actor.unit_name, today=f"{at.year} 年 {legal_date(at).month} 月 {legal_date(at).day} 日")
    id = new_id()
    connection.execute(insert(report_issue).values(
        id=id, report=report.name, title=f"{asked.title}{report.title}", period=asked.code, state=DRAFT, body=text, figures={"figures": source.figures, "parts": source.parts}, taken_at=at,
        template_version=version, account_id=actor.account_id, post_id=actor.post_id, by_id=actor.person_id, by_name=actor.name, unit_id=actor.unit_id, district_id=actor.district_id, at=at,
    ))
    audit.note(connection, actor=actor, at=at, action="report.draft", object=report.name, detail={"issue": str(id), "period": asked.code, "template": version})
    return id


def _period(report: Report, code: str, at: datetime) -> Period:
    asked = read_period(code)
    if asked.grain != report.period:
        raise Invalid("这份报告的期间不是这一种，请从列出的里选。", code="bad_period")
    if asked.first > legal_date(at):
        raise Invalid("这段期间还没有开始。", code="bad_period")
    return asked


def visible_issues(actor: Actor) -> ColumnElement[bool]:
    """The issues that ``actor`` may see: own ones, those sent to them, those of units below the view of their post."""
    t, r = report_issue.c, report_reader.c
    ways: list[ColumnElement[bool]] = [t.by_id == actor.person_id, t.id.in_(select(r.issue_id).where(r.person_id == actor.person_id)), t.case_id.in_(visible_cases(actor))]
    root = scope_root(actor)
    if root is not None:
        ways.append(t.unit_id.in_(select(unit.c.id).where(unit.c.path.startswith(root, autoescape=True))))
    return or_(*ways)


def find_issue(connection: Connection, *, actor: Actor, issue_id: UUID, lock: bool = False) -> RowMapping:
    """The issue as far as the actor may see it; raises NotFound."""
    statement = select(report_issue).where(report_issue.c.id == issue_id, visible_issues(actor))
    row = connection.execute(statement.with_for_update() if lock else statement).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这一期报告，或者您不能查看。")
    return row


def require_readable(library: Library, row: RowMapping, actor: Actor) -> None:
    """An issue stands as its drafter saw it: raises Forbidden for a reader from whom grants hide or mask what its figures rest on."""
    report = reports_of(library).get(row["report"])
    for name in report.statistics.values() if report is not None else ():
        statistic = statistics_of(library)[name][0] if name in statistics_of(library) else None
        if statistic is not None and (known := known_to(statistic, actor)) is not statistic and (len(known.measures), known.dimensions) != (len(statistic.measures), statistic.dimensions):
            raise Forbidden("这份报告里有您看不到的栏目的数字，不能打开。需要时请联系安全管理员。")


def save_issue(app: Application, *, actor: Actor, issue_id: UUID, title: str, body: str, rev: int, at: datetime) -> None:
    """Keep the edited text of a draft. Raises Forbidden, Conflict when somebody was faster, Invalid when it went out already."""
    body = body.replace("\r\n", "\n").strip()
    if not title.strip() or not body or len(body) > LONGEST:
        raise Invalid("请写标题和正文。", fields={"body": f"正文 1 到 {LONGEST} 字。"})
    with app.db.begin() as connection:
        row = find_issue(connection, actor=actor, issue_id=issue_id, lock=True)
        if not may_edit(connection, library=app.library, row=row, actor=actor, at=at):
            require_open(row)
            raise Forbidden("只有起草人和签发人能改；审签中的，由手上有这一步的人改。")
        if row["rev"] != rev:
            raise Conflict("别人刚刚改过这一期，请刷新后再改；您的文字还在下面，可以先复制。")
        connection.execute(update(report_issue).where(report_issue.c.id == issue_id).values(title=title.strip()[:200], body=body, rev=rev + 1))
        audit.note(connection, actor=actor, at=at, action="report.edit", object=row["report"], detail={"issue": str(issue_id), "rev": rev + 1})


def may_edit(connection: Connection, *, library: Library, row: RowMapping, actor: Actor, at: datetime) -> bool:
    """Whether ``actor`` may edit the text now: its drafter and who issues it; while it is being approved, whoever has a step of that in hand."""
    if row["state"] == APPROVING:
        t, c = task.c, task_candidate.c
        posts = select(c.task_id).where(tuple_(c.unit_id, c.post).in_(actor.posts)) if actor.posts else select(c.task_id).where(false())
        mine = or_(t.assignee_id == actor.person_id, t.assignee_id.is_(None) & t.id.in_(posts))
        return connection.scalar(select(t.id).where(t.case_id == row["case_id"], t.status == "open", mine).limit(1)) is not None
    report = reports_of(library).get(row["report"])
    return row["state"] == DRAFT and (row["by_id"] == actor.person_id or (report is not None and may_issue(connection, report=report, actor=actor, unit_id=row["unit_id"], at=at)))


def require_open(row: RowMapping) -> None:
    """Raise Invalid once the issue went out."""
    if row["state"] not in (DRAFT, APPROVING):
        raise Invalid("这一期已经签发，不能再改；要更正请重新起草一期。", code="issued")


def require_draft(row: RowMapping) -> None:
    """Raise Invalid unless nobody has taken the draft any further."""
    require_open(row)
    if row["state"] == APPROVING:
        raise Invalid("这一期正在审签，请在案件里办理。", code="approving")
