"""Legal documents from a diagram: draft, issue (number, signatures, seal), withdraw."""
from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select

from engine.access import certificates
from engine.documents import draft as drafting
from engine.documents import issue as issuing
from engine.documents.queries import find_document
from engine.documents.template import Template
from engine.documents.void import undo_document
from engine.kernel.clock import legal_date
from engine.kernel.errors import BusinessError, Conflict, GuichengError
from engine.kernel.names import pack_of, qualify
from engine.packs.library import Bundle
from engine.runtime.case_graph.build import kept_with
from engine.runtime.handlers import service_task
from engine.runtime.secrets import open_secrets
from engine.runtime.task_context import TaskContext
from engine.storage.tables.runtime import act, submission, task

MOST_ROUNDS = 50
GIVEN = "$given"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@service_task(title="起草文书", mode="inline")
def draft_document(context: TaskContext, *, template: str, seal_kind: str = "", values: dict | None = None, title: str = "") -> dict[str, Any]:
    """Draft ``template`` from the latest answers on this instance, with ``values`` over them, called ``title`` (default: as its template). Result: ``document_id``."""
    name = qualify(template, pack_of(context.process))
    pinned = context.app.library.bundle(context.work.instance["bundle_id"])
    definition_id, pieces = pinned.member("document", name), _pieces(pinned)
    parsed = drafting.read_template(context.app, definition_id=definition_id, name=name, pieces=pieces)
    drafted = _in_a_free_round(context, name, partial(
        drafting.draft_document, context.app, context.connection, template=name, definition_id=definition_id, case_id=context.case_id,
        data=_with(_answers(context, parsed, name), {**(values or {}), **kept_with(context.app, context.connection, case=context.case, template=name, at=context.at)}), at=context.at, opinions=opinions_of(context), instance_id=context.instance_id,
        act_id=context.work.act_id, actor_id=context.actor_id, actor_name=context.actor_name,
        case=context.case, pieces=pieces, title=title,
    ))
    context.work.undo.append({"op": "document", "id": str(drafted.id)})
    return {"document_id": str(drafted.id)}


def _pieces(pinned: Bundle) -> dict[str, UUID]:
    """Name → version of every piece of a document that the case is pinned to."""
    return {member.removeprefix("piece:"): id for member, id in pinned.members.items() if member.startswith("piece:")}


def _in_a_free_round(context: TaskContext, name: str, draft: Callable[..., drafting.Drafted]) -> drafting.Drafted:
    """Draft under instance:node:template, the node with the call activities above it.

    A draft that stands is written over and a document that is ended has freed its key; where one was issued in an
    earlier round of a loop, the key gets the number of the round.
    """
    node = f"{context.scope}/{context.node}" if context.scope else context.node
    for number in range(1, MOST_ROUNDS + 1):
        try:
            return draft(key=f"{context.instance_id}:{node}:{name}" + (f":{number}" if number > 1 else ""))
        except Conflict:
            continue
    raise BusinessError("too_many_documents", f"这一步已经签发 {MOST_ROUNDS} 份同样的文书，请流程管理员检查是否有死循环。")


def _with(answers: dict[str, Any], values: dict[str, Any] | None) -> dict[str, Any]:
    """``answers`` with the ``values`` that the diagram gave over them; those stay when the document is issued."""
    return {**answers, **values, GIVEN: values} if values else answers


def _answers(context: TaskContext, template: Template, name: str) -> dict[str, Any]:
    """``_latest`` answers to the template's form; where it prints the numbers of certificates, with those of the people named in them."""
    found = _latest(context, template.form, name)
    if "certificate(" in template.body:
        people = {UUID(value) for value in found.values() if isinstance(value, str) and _ID.fullmatch(value)}
        held = certificates.holders(context.connection, people=people, on=context.today) if people else []
        found["$certificates"] = {str(one.person_id): one.number for one in held if one.number}
    return found


def _latest(context: TaskContext, form: str | None, template: str) -> dict[str, Any]:
    """The latest answers to ``form`` on this instance that still count, with those of the act in the making before them."""
    pending = context.work.fresh_answers
    wanted = qualify(form, pack_of(template)) if form else None
    if wanted in pending:
        return dict(pending[wanted])
    c = submission.c
    query = select(c.data).where(c.case_id == context.case_id, c.instance_id == context.instance_id, c.superseded.is_(False))
    if wanted:
        query = query.where(c.form == wanted)
    found = context.connection.scalar(query.order_by(c.at.desc(), c.id.desc()).limit(1))
    return dict(open_secrets(context.app.keys, found) or {})


@service_task(title="文书编号、签名、用印", mode="inline", reversible=False)
def issue_document(context: TaskContext, *, document_id: str, seal_kind: str = "", approved_at: str = "") -> dict[str, Any]:
    """Issue a draft: number and signers in this act, rendering and sealing as a job. Results: ``document_id``, ``number``.

    The seal is used by whoever does this act; with ``approved_at`` by whoever approved at that node of this process
    before, whose permission counts, so that the officer who works out the final text needs none.
    """
    row = find_document(context.connection, UUID(document_id))
    if row is None:
        raise BusinessError("no_document", "要签发的文书不存在。")
    parsed, opinions = drafting.template_of(context.app, row), opinions_of(context)
    by_id, by_name = _approver(opinions, approved_at) if approved_at else (context.actor_id, context.actor_name)
    issued = issuing.issue_document(
        context.app, context.connection, document_id=UUID(document_id), actor_id=by_id, actor_name=by_name, at=context.at,
        opinions=opinions, data=_with(_answers(context, parsed, row.template), row.data["data"].get(GIVEN)), seal_kind=seal_kind or None, act_id=context.work.act_id,
    )
    return {"document_id": str(issued.id), "number": issued.number or ""}


def _approver(opinions: list[dict[str, Any]], node: str) -> tuple[UUID, str]:
    """Who last acted at ``node``."""
    found = next((one for one in opinions if one["node"] == node), None)
    if found is None:
        raise BusinessError("not_approved", "还没有人审批，不能签发文书。")
    return UUID(found["person_id"]), str(found["person"])


@service_task(title="撤回文书", mode="inline", reversible=False)
def withdraw_document(context: TaskContext, *, document_id: str, reason: str) -> None:
    """Take a document back: void before its seal is on, withdrawn after."""
    try:
        undo_document(context.connection, document_id=UUID(document_id), reason=reason, at=context.at)
    except GuichengError as error:
        raise BusinessError(error.code, error.message) from error


def opinions_of(context: TaskContext) -> list[dict[str, Any]]:
    """The last act of every step that still counts, oldest first, the act in the making last.

    A called process sees its own steps and those of what it calls: two chains on one instance don't share opinions.
    """
    within = (or_(task.c.scope == context.scope, task.c.scope.startswith(f"{context.scope}/", autoescape=True)),) if context.scope else ()
    rows = context.connection.execute(
        select(act.c.node, act.c.title, act.c.actor_id, act.c.actor_name, act.c.actor_post, act.c.on_behalf_of, act.c.opinion, act.c.outcome_title, act.c.at, act.c.id)
        .join(task, and_(task.c.instance_id == act.c.instance_id, task.c.act_id == act.c.id))
        .where(act.c.instance_id == context.instance_id, act.c.kind.in_(["complete", "start"]), act.c.undone_by.is_(None), task.c.status == "done", *within)
        .distinct(act.c.node).order_by(act.c.node, act.c.at.desc(), act.c.id.desc())
    ).mappings()
    found = {row["node"]: _opinion(dict(row)) for row in sorted(rows, key=lambda row: (row["at"], row["id"]))}
    work = context.work
    if work.task is not None and work.actor is not None:
        found.pop(work.task["node"], None)
        found[work.task["node"]] = _opinion({
            "node": work.task["node"], "title": work.task["title"], "actor_id": work.actor.person_id, "actor_name": work.actor.name,
            "actor_post": work.actor.post_title, "on_behalf_of": work.principal[1] if work.principal else "", "opinion": work.opinion, "outcome_title": work.outcome_title, "at": work.at,
        })
    return sorted(found.values(), key=lambda one: one["at"])


def _opinion(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "node": row["node"], "title": row["title"], "person": row["actor_name"], "person_id": str(row["actor_id"]), "post": row["actor_post"],
        "for": row["on_behalf_of"],
        "words": row["opinion"] or row["outcome_title"] or "同意", "date": legal_date(row["at"]).isoformat(), "at": row["at"].isoformat(),
    }
