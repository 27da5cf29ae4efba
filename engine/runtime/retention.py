"""保管期限与销毁: dated rules say how long a closed case is kept; what may be destroyed is proposed by one and decided by another.

A destruction takes answers, drafts, files and texts of documents away for good; number, title, history and the audit trail stay.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, insert, literal, or_, select, update

from engine.access.actors import Actor
from engine.access.alarms import SECURITY
from engine.access.audit import note
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from engine.kernel.ids import new_id
from engine.runtime.application import Application
from engine.storage.tables.cases import attachment, case_export, case_file, case_party
from engine.storage.tables.compression import attachment_compression
from engine.storage.tables.documents import document, document_version
from engine.storage.tables.proof import case_bundle, destruction, retention_rule
from engine.storage.tables.runtime import act, draft, submission, task

AUDITOR = "auditor"


@dataclass(frozen=True, kw_only=True)
class Due:
    """A closed case whose time is over."""

    case_id: UUID
    number: str
    title: str
    kind: str
    due_on: date
    rule_id: UUID
    law: str


def add_rule(
    app: Application, *, actor: Actor, subject: str, years: int, forever: bool, law: str, valid_from: date, at: datetime
) -> UUID:
    """A rule from ``valid_from`` on; the one before it of the same subject ends the day before. Raises Forbidden, Invalid."""
    actor.require(SECURITY)
    if not law.strip() or not subject or not (forever or 1 <= years <= 100):
        raise Invalid("请写全：适用的案件、年数（1 到 100）或永久、依据。")
    id = new_id()
    with app.db.begin() as connection:
        before = (retention_rule.c.subject == subject) & retention_rule.c.valid_until.is_(None)
        if connection.scalar(select(func.max(retention_rule.c.valid_from)).where(before, retention_rule.c.valid_from >= valid_from)):
            raise Invalid("新规定的起日要在现行规定之后。")
        connection.execute(update(retention_rule).where(before).values(valid_until=date.fromordinal(valid_from.toordinal() - 1)))
        connection.execute(insert(retention_rule).values(id=id, subject=subject, years=years, forever=forever, law=law.strip(), valid_from=valid_from))
        note(connection, actor=actor, at=at, action="retention.rule", object=subject, detail={"years": years, "forever": forever, "law": law.strip(), "from": valid_from})
    return id


def rules(connection: Connection) -> list[Row[Any]]:
    """All rules, those in force first."""
    r = retention_rule.c
    return list(connection.execute(select(retention_rule).order_by(r.valid_until.isnot(None), r.subject, r.valid_from.desc())))


def due_cases(connection: Connection, *, on: date, limit: int = 100) -> list[Due]:
    """Closed cases whose time by the rule in force on ``on`` is over and that nobody proposed yet, the oldest first."""
    r, c = retention_rule.c, case_file.c
    in_force = (r.valid_from <= on) & or_(r.valid_until.is_(None), r.valid_until >= on) & or_(r.subject == c.kind, r.subject == "*")
    nearest = select(r.id).where(in_force).order_by((r.subject == "*"), r.valid_from.desc()).limit(1).correlate(case_file).scalar_subquery()
    ends = (func.timezone("Asia/Shanghai", c.closed_at) + func.make_interval(r.years)).cast(retention_rule.c.valid_from.type)
    proposed = select(literal(1)).where(destruction.c.case_id == c.id, destruction.c.state != "kept").exists()
    query = (
        select(c.id, c.number, c.title, c.kind, ends.label("due_on"), r.id.label("rule_id"), r.law).join(retention_rule, r.id == nearest)
        .where(c.closed_at.is_not(None), r.forever.is_(False), ends < on, ~proposed).order_by(c.closed_at, c.id).limit(limit)
    )
    return [Due(case_id=row.id, number=row.number or "", title=row.title, kind=row.kind, due_on=row.due_on, rule_id=row.rule_id, law=row.law) for row in connection.execute(query)]


def propose(app: Application, *, actor: Actor, case_ids: list[UUID], at: datetime) -> int:
    """Put cases on the list of destruction; how many. Only cases whose time is over are taken."""
    actor.require(SECURITY)
    with app.db.begin() as connection:
        wanted = [one for one in due_cases(connection, on=legal_date(at), limit=10_000) if one.case_id in set(case_ids)]
        for one in wanted:
            connection.execute(insert(destruction).values(
                id=new_id(), case_id=one.case_id, number=one.number, title=one.title, due_on=one.due_on, rule_id=one.rule_id, state="proposed",
                proposed_by=actor.person_id, proposed_name=actor.name, proposed_at=at,
            ))
        if wanted:
            note(connection, actor=actor, at=at, action="retention.propose", object=f"{len(wanted)} 件", detail={"cases": [str(one.case_id) for one in wanted][:200]})
    return len(wanted)


def decide(app: Application, *, actor: Actor, destruction_id: UUID, destroy: bool, reason: str, at: datetime) -> Mapping[str, Any]:
    """Destroy a proposed case, or keep it; by an auditor who didn't propose it, with a reason. What was removed, with counts and SM3."""
    actor.require(AUDITOR)
    if not reason.strip():
        raise Invalid("请写明理由。", fields={"reason": "请写明鉴定意见或保留的理由。"})
    with app.db.begin() as connection:
        row = connection.execute(select(destruction).where(destruction.c.id == destruction_id).with_for_update()).one_or_none()
        if row is None or row.state != "proposed":
            raise NotFound("没有这一项，或它已经决定。")
        if row.proposed_by == actor.person_id:
            raise Forbidden("提请的人不能自己决定，请由另一名审计员决定。")
        removed = _destroy(connection, row.case_id) if destroy else {}
        connection.execute(update(destruction).where(destruction.c.id == row.id).values(
            state="done" if destroy else "kept", reason=reason.strip(), decided_by=actor.person_id, decided_name=actor.name, decided_at=at, removed=removed,
        ))
        note(connection, actor=actor, at=at, action="retention.decide", object=row.number or row.title, case_id=row.case_id, detail={"destroyed": destroy, "reason": reason.strip(), **removed})
    for sm3 in removed.get("files", []):
        _drop_orphan(app, sm3)
    return removed


def _destroy(connection: Connection, case_id: UUID) -> dict[str, Any]:
    closed = connection.execute(select(case_file.c.closed_at).where(case_file.c.id == case_id).with_for_update()).scalar_one()
    if closed is None:
        raise Conflict("这个案件又在办理中，不能销毁。")
    files = set(connection.execute(select(attachment.c.sm3).where(attachment.c.case_id == case_id)).scalars())
    files |= set(connection.execute(select(attachment_compression.c.before_sm3).join(attachment, attachment.c.id == attachment_compression.c.attachment_id).where(attachment.c.case_id == case_id)).scalars())
    papers = connection.execute(select(document.c.id, document.c.pdf_sm3, document.c.sealed_sm3).where(document.c.case_id == case_id)).all()
    versions = select(document_version.c.pdf_sm3).where(document_version.c.document_id.in_([paper.id for paper in papers]))
    files |= {sm3 for paper in papers for sm3 in (paper.pdf_sm3, paper.sealed_sm3) if sm3} | {sm3 for sm3 in connection.execute(versions).scalars() if sm3}
    files |= {sm3 for sm3 in connection.execute(select(case_bundle.c.sm3).where(case_bundle.c.case_id == case_id)).scalars() if sm3}
    counts = {
        "submissions": connection.execute(update(submission).where(submission.c.case_id == case_id).values(data={})).rowcount,
        "drafts": connection.execute(delete(draft).where(draft.c.task_id.in_(select(task.c.id).where(task.c.case_id == case_id)))).rowcount,
        "parties": connection.execute(update(case_party).where(case_party.c.case_id == case_id).values(snapshot={})).rowcount,
        "attachments": connection.execute(delete(attachment).where(attachment.c.case_id == case_id)).rowcount,
        "documents": connection.execute(update(document).where(document.c.case_id == case_id).values(data={}, pdf_sm3=None, sealed_sm3=None)).rowcount,
    }
    connection.execute(update(document_version).where(document_version.c.document_id.in_([paper.id for paper in papers])).values(pdf_sm3=None, change=None))
    connection.execute(update(act).where(act.c.case_id == case_id).values(snapshot=None))
    connection.execute(delete(case_export).where(case_export.c.case_id == case_id))
    connection.execute(update(case_bundle).where(case_bundle.c.case_id == case_id).values(sm3=None, problem="案件已销毁"))
    connection.execute(update(case_file).where(case_file.c.id == case_id).values(subject="", address="", search=""))
    return {**counts, "files": sorted(files)}


def _drop_orphan(app: Application, sm3: str) -> None:
    """Delete a file that no other case and no seal still names."""
    with app.db.connect() as connection:
        named = [select(literal(1)).where(attachment.c.sm3 == sm3), select(literal(1)).where(or_(document.c.pdf_sm3 == sm3, document.c.sealed_sm3 == sm3)),
                 select(literal(1)).where(document_version.c.pdf_sm3 == sm3)]
        if not any(connection.execute(query.limit(1)).first() for query in named):
            app.blobs.remove(sm3)


def listed(connection: Connection) -> list[Row[Any]]:
    """The list of destruction: open proposals first, then what was decided."""
    d = destruction.c
    return list(connection.execute(select(destruction).order_by((d.state != "proposed"), d.proposed_at.desc()).limit(200)))
