"""Taking back what an act did beside moving the token. Each entry of an act's undo list has one inverse here."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, select, update

from engine.deadlines import clocks
from engine.documents.void import undo_document, void_document
from engine.kernel.ids import new_id
from engine.registers.catalogue import get_register
from engine.registers.write_record import write_record
from engine.runtime import finishers
from engine.runtime.work import Work
from engine.storage.tables.cases import case_link, case_party
from engine.storage.tables.documents import document
from engine.storage.tables.registers import record_history
from engine.storage.tables.runtime import submission, task, task_signer
from engine.storage.tables.statistics import report_issue

BEGUN = "begun"
"""Stands in the undo list of a start where its first step begins: what was done before it stays when the step is withdrawn."""


def apply_undo(work: Work, entries: list[dict[str, Any]]) -> None:
    """Undo the entries, last first."""
    for entry in reversed(entries):
        INVERSES[entry["op"]](work, entry)


def _case(work: Work, entry: Mapping[str, Any]) -> None:
    before = {name: _typed(name, value) for name, value in entry["before"].items() if name != "number"}  # a number stays, or the book would have a gap
    work.case.update(before)
    work.case_changes.update(before)


def _typed(name: str, value: Any) -> Any:
    if value is None or not isinstance(value, str):
        return value
    if name.endswith("_id"):
        return UUID(value)
    return datetime.fromisoformat(value) if name.endswith("_at") else value


def _clock(work: Work, entry: Mapping[str, Any]) -> None:
    clocks.undo_act(work.connection, act_id=UUID(entry["act_id"]), at=work.at)


def _link(work: Work, entry: Mapping[str, Any]) -> None:
    work.connection.execute(delete(case_link).where(case_link.c.id == UUID(entry["id"])))


def _party(work: Work, entry: Mapping[str, Any]) -> None:
    work.connection.execute(delete(case_party).where(case_party.c.id == UUID(entry["id"])))


def _record(work: Work, entry: Mapping[str, Any]) -> None:
    register, table = get_register(work.app.library, entry["register"])
    write_record(
        work.connection, register=register, table=table, record_id=UUID(entry["id"]), values=entry["before"], case_id=work.case["id"],
        unit_id=work.case["unit_id"], district_id=work.case["district_id"], keys=work.app.keys, at=work.at, by_id=work.actor_id,
        by_name=work.actor_name, act_id=work.act_id, reason="撤回",
    )


def _removed_record(work: Work, entry: Mapping[str, Any]) -> None:
    register, table = get_register(work.app.library, entry["register"])
    id = UUID(entry["id"])
    gone = work.connection.scalar(select(table.c.deleted_at).where(table.c.id == id))
    work.connection.execute(update(table).where(table.c.id == id).values(deleted_at=None, deleted_reason=None, updated_at=work.at))
    work.connection.execute(record_history.insert().values(
        id=new_id(), register=register.name, record_id=id, act_id=work.act_id, at=work.at, by_id=work.actor_id, by_name=work.actor_name, reason="撤回",
        changes={"deleted_at": [gone.isoformat() if gone else None, None]},
    ))


def _made_record(work: Work, entry: Mapping[str, Any]) -> None:
    register, table = get_register(work.app.library, entry["register"])
    id = UUID(entry["id"])
    work.connection.execute(update(table).where(table.c.id == id).values(deleted_at=work.at, deleted_reason="撤回", updated_at=work.at))
    work.connection.execute(record_history.insert().values(
        id=new_id(), register=register.name, record_id=id, act_id=work.act_id, at=work.at, by_id=work.actor_id, by_name=work.actor_name, reason="撤回",
        changes={"deleted_at": [None, work.at.isoformat()]},
    ))


def _document(work: Work, entry: Mapping[str, Any]) -> None:
    void_document(work.connection, document_id=UUID(entry["id"]), reason="制作它的那一步已撤回", at=work.at)


def _superseded(work: Work, entry: Mapping[str, Any]) -> None:
    work.connection.execute(update(submission).where(submission.c.id.in_([UUID(id) for id in entry["ids"]])).values(superseded=False))


def _signers(work: Work, entry: Mapping[str, Any]) -> None:
    ids = [UUID(id) for id in entry["ids"]]
    work.connection.execute(update(task_signer).where(task_signer.c.id.in_(ids), task_signer.c.status == "cancelled").values(status="planned"))


def _report(work: Work, entry: Mapping[str, Any]) -> None:
    theirs = update(report_issue).where(report_issue.c.id == UUID(entry["id"]), report_issue.c.state.in_(["draft", "approving"]))
    work.connection.execute(theirs.values(state=entry["state"], case_id=UUID(entry["case_id"]) if entry["case_id"] else None))


INVERSES: dict[str, Callable[[Work, Mapping[str, Any]], None]] = {
    "case": _case, "clock": _clock, "link": _link, "party": _party, "record": _record, "removed_record": _removed_record, "made_record": _made_record, "document": _document,
    "superseded": _superseded, BEGUN: lambda work, entry: None, "report": _report, "signers": _signers,
}


def documents_of(connection: Connection, instance_id: UUID) -> list[Mapping[str, Any]]:
    """Documents of the instance that are not ended yet, oldest first: title, number, state, sealed_sm3, created_at."""
    query = (
        select(document.c.title, document.c.number, document.c.state, document.c.sealed_sm3, document.c.created_at)
        .where(document.c.instance_id == instance_id, document.c.state.in_(["draft", "issued", "served"])).order_by(document.c.created_at, document.c.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def fate_of(row: Mapping[str, Any]) -> str:
    """What a return makes of a document: ``void``, ``withdrawn`` once it is sealed; a ``served`` one stands."""
    return "served" if row["state"] == "served" else "withdrawn" if row["sealed_sm3"] else "void"


def undo_documents(work: Work, *, since: datetime, reason: str) -> bool:
    """On a return: drafts made since then become void, issued ones withdrawn; served ones stay. True when any was touched."""
    rows = work.connection.execute(
        select(document.c.id)
        .where(document.c.instance_id == work.instance["id"], document.c.created_at >= since, document.c.state.in_(["draft", "issued"]))
    ).scalars().all()
    for id in rows:
        undo_document(work.connection, document_id=id, reason=f"退回重办：{reason}", at=work.at)
    return bool(rows)


def reopen(work: Work, task_id: UUID) -> None:
    """Open the row of a task again that the act being withdrawn had closed."""
    finishers.forget(work)
    work.batch.add(
        update(task).where(task.c.id == task_id).values(
            status="open", ended_at=None, ended_by=None, outcome=None, act_id=None, assignee_id=func.coalesce(task.c.ended_for, work.actor_id),
            ended_for=None, claimed_at=work.at,
        )
    )
