"""更正: change or take out what one submitted in a step that is done, where the diagram allows it (``gc:correct``).

The course of the case stays as it was taken: facts, outcome and what gateways decided are never touched. What belonged to the
old answers (the case's record, records that the step saved from the form) follows, with the reason, in one act beside the flow.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, update

from engine.access.actors import Actor
from engine.access.assignment import holds_role
from engine.access.scope import may_see_case
from engine.expressions import compile_expression
from engine.form_filling.attachments import link_attachments
from engine.form_filling.context import FormContext
from engine.form_filling.model import Form
from engine.form_filling.validate import TITLES, Validated, validate
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, Forbidden, Invalid, NotFound, StaleRevision
from engine.kernel.ids import new_id
from engine.kernel.names import pack_of, qualify
from engine.registers.catalogue import get_register
from engine.registers.write_record import write_record
from engine.runtime.answers import form_of_task
from engine.runtime.application import Application
from engine.runtime.begin import request_hash
from engine.runtime.beside import Beside, begin_beside, tell, write_beside
from engine.runtime.commitments import submission_digest
from engine.runtime.form_context import form_context
from engine.runtime.nodes import node_of
from engine.runtime.once import once
from engine.runtime.secrets import open_secrets, seal_secrets
from engine.runtime.work import ActResult, Row
from engine.storage.tables.cases import case_file
from engine.storage.tables.organisation import post
from engine.storage.tables.runtime import act, instance, submission, task

NOT_THERE = "没有这份表单，或者您无权查看。"
LONGEST_REASON = 500
DONE = ("complete", "sign", "start")


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A submission that may be corrected: its rows, its form, what it says, which fields are open (field → field of the saved record)."""

    submission: Row
    task: Row
    instance: Row
    case: Row
    form: Form
    data: dict[str, Any]
    fields: Mapping[str, str]
    may_delete: bool
    act: Row

    @property
    def rights(self) -> dict[str, Any]:
        return {name: "write" if name in self.fields else "read" for name in self.form.fields}


@once
def correct_submission(
    app: Application, *, actor: Actor, submission_id: UUID, data: Mapping[str, Any] | None, reason: str, key: str, at: datetime, form_hash: str | None = None,
) -> ActResult:
    """Put ``data`` in the place of what was submitted; None takes it out (意见删除): only the fields that steered the case stay.

    Raises NotFound, Forbidden for somebody else's, Conflict where the diagram or the case doesn't allow it (any more),
    StaleRevision when it was corrected meanwhile, Invalid with a message per field.
    """
    asked = request_hash(kind="correct", submission=submission_id, data=data, reason=reason)
    with app.db.begin() as connection:
        case_id = connection.scalar(select(submission.c.case_id).where(submission.c.id == submission_id))
        if case_id is None or not may_see_case(connection, actor, case_id):
            raise NotFound(NOT_THERE)
        work = begin_beside(app, connection, kind="correct", actor=actor, case_id=case_id, key=key, asked=asked, at=at)
        if isinstance(work, ActResult):
            return work
        found = find_correction(app, connection, actor=actor, submission_id=submission_id, at=at)
        if isinstance(found, str):
            raise StaleRevision(found) if found == CHANGED else Conflict(found)
        if not reason.strip() or len(reason.strip()) > LONGEST_REASON:
            raise Invalid("请写明为什么更正。", fields={"reason": "请写 1 到 500 个字的理由。"})
        if data is None and not found.may_delete:
            raise Forbidden("这份表单可以更正，不能删除。")
        valid = _taken_out(found) if data is None else _checked(app, connection, actor, found, data, at, form_hash)
        return _write(work, found, valid, reason.strip(), "删除意见" if data is None else "更正")


CHANGED = "这份表单已经更正或者退回重办过，请刷新后在新的一份上改。"


def find_correction(app: Application, connection: Connection, *, actor: Actor, submission_id: UUID, at: datetime) -> Correction | str:
    """The submission as ``actor`` may correct it now, or in Chinese why not. Raises NotFound for one they don't see."""
    held = connection.execute(select(submission).where(submission.c.id == submission_id)).mappings().one_or_none()
    if held is None or not may_see_case(connection, actor, held["case_id"]):
        raise NotFound(NOT_THERE)
    row = dict(held)
    rows = _around(connection, row)
    if rows is None:
        return "这份表单不是在一步办理里提交的，不能更正。"
    step, running, case, done = rows
    drawn = node_of(app, running, step).correct
    form = form_of_task(app, running, step)
    if drawn is None or form is None:
        return "流程没有让这一步提交以后再更正；需要的话请撤回，或者联系后面的人退回。"
    if row["superseded"]:
        return CHANGED
    if step["status"] != "done" or done is None:
        return "这一步还没有办完。"
    if not _may(connection, actor, row, step, drawn, at):
        return "只有提交的人" + ("和同一单位同岗位的人" if drawn.get("who") == "colleagues" else "") + "可以更正。"
    if not _still(drawn, case, row, at):
        return "已经过了可以更正的时候。"
    fields = dict(_pair(one) for one in drawn.get("fields", "").split())
    data = open_secrets(app.keys, row["data"])
    return Correction(submission=row, task=step, instance=running, case=case, form=form, data=data, fields=fields, may_delete=drawn.get("delete") == "true", act=done)


def _pair(text: str) -> tuple[str, str]:
    name, _, column = text.partition(":")
    return name, column or name


def _around(connection: Connection, row: Mapping[str, Any]) -> tuple[Row, Row, Row, Row | None] | None:
    """(task, instance, case, the act that ended the task) of a submission."""
    step = connection.execute(select(task).where(task.c.id == row["task_id"])).mappings().one_or_none()
    if step is None:
        return None
    running = connection.execute(select(instance).where(instance.c.id == step["instance_id"])).mappings().one()
    case = connection.execute(select(case_file).where(case_file.c.id == row["case_id"])).mappings().one()
    ended = select(act).where(act.c.instance_id == step["instance_id"], act.c.task_id == step["id"], act.c.kind.in_(DONE), act.c.undone_by.is_(None))
    done = connection.execute(ended.order_by(act.c.rev_before.desc()).limit(1)).mappings().one_or_none()
    return dict(step), dict(running), dict(case), dict(done) if done else None


def _may(connection: Connection, actor: Actor, row: Mapping[str, Any], step: Row, drawn: Mapping[str, str], at: datetime) -> bool:
    if actor.party_id is not None:
        return False
    if actor.person_id in (row["by_id"], step["ended_by"], step["ended_for"]):
        return True
    if drawn.get("who") != "colleagues":
        return False
    p, on = post.c, legal_date(at)
    theirs = set(connection.scalars(select(p.unit_id).where(p.person_id == row["by_id"], p.valid_from <= on, (p.valid_until.is_(None)) | (p.valid_until >= on))))
    beside = [pair for pair in actor.posts if pair[0] in theirs]
    return bool(beside) and holds_role(connection, role=step["role"], posts=beside, on=on)


def _still(drawn: Mapping[str, str], case: Row, row: Mapping[str, Any], at: datetime) -> bool:
    """What ``while`` says; without it as long as the case isn't closed."""
    said = drawn.get("while", "").removeprefix("=")
    names = {"state": case["state"], "closed": case["closed_at"] is not None, "days": (legal_date(at) - legal_date(row["at"])).days}
    return compile_expression(said, names=names).evaluate(names) is True if said else case["closed_at"] is None


def _taken_out(found: Correction) -> Validated:
    """The answers without the fields that may be corrected."""
    kept = {name: value for name, value in found.data.items() if name not in found.fields and name != TITLES}
    titles = {path: title for path, title in (found.data.get(TITLES) or {}).items() if path.split(".")[0] in kept}
    return Validated(data=kept, titles=titles)


def _checked(app: Application, connection: Connection, actor: Actor, found: Correction, data: Mapping[str, Any], at: datetime, form_hash: str | None) -> Validated:
    if form_hash is not None and form_hash != found.form.hash:
        raise StaleRevision("这张表已经换了版本，请刷新页面核对后再提交。")
    context = context_of(app, connection, actor=actor, found=found, at=at)
    return validate(found.form, data={name: value for name, value in data.items() if name in found.fields}, rights=found.rights, context=context)


def context_of(app: Application, connection: Connection, *, actor: Actor, found: Correction, at: datetime, url: Any = None) -> FormContext:
    """The form's context as at the step, with what was submitted in the fields that stay."""
    made = form_context(
        app, connection, actor=actor, form=found.form, at=at, case=found.case, instance_id=found.instance["id"], task=found.task, outcome=found.act["outcome"], data=found.data, url=url,
    )
    return replace(made, known=found.data)


def versions_of(app: Application, connection: Connection, *, found: Correction) -> list[Row]:
    """What was submitted at this step, the latest first: id, by_name, at, data."""
    s = submission.c
    rows = connection.execute(select(s.id, s.by_name, s.at, s.data).where(s.case_id == found.task["case_id"], s.task_id == found.task["id"]).order_by(s.at.desc(), s.id.desc()).limit(20)).mappings()
    return [{**row, "data": open_secrets(app.keys, row["data"])} for row in rows]


def _write(work: Beside, found: Correction, valid: Validated, reason: str, word: str) -> ActResult:
    connection, app = work.connection, work.app
    connection.execute(update(submission).where(submission.c.id == found.submission["id"]).values(superseded=True))
    old = found.submission
    row = {
        "id": new_id(), "case_id": old["case_id"], "instance_id": old["instance_id"], "task_id": old["task_id"], "act_id": work.act_id, "node": old["node"],
        "form": old["form"], "form_hash": found.form.hash, "data": seal_secrets(app.keys, valid.stored, valid.secrets), "by_id": work.actor.person_id,
        "by_name": work.actor.name, "at": work.at,
    }
    work.batch.insert(submission, row)
    if valid.attachments:
        link_attachments(connection, attachment_ids=valid.attachments, actor=work.actor, case_id=old["case_id"], task_id=old["task_id"])
    undo = [*_spread(work, found, valid, reason), {"op": "superseded", "ids": [str(old["id"])]}]
    _tell_others(work, found, word, reason)
    return write_beside(
        work, title=found.task["title"], outcome_title=word, words=reason, task=found.task, result={"undo": undo, "submission": str(row["id"])},
        detail={"forms": {str(row["id"]): submission_digest(app.keys, row)}, "before": str(old["id"])},
    )


def _tell_others(work: Beside, found: Correction, word: str, reason: str) -> None:
    """Whoever holds a step of the case now, and its 承办人."""
    holders = set(work.connection.scalars(select(task.c.assignee_id).where(task.c.case_id == work.case["id"], task.c.status == "open", task.c.assignee_id.is_not(None))))
    for person_id in sorted((holders | {work.case["handler_id"]}) - {None, work.actor.person_id}, key=str):
        tell(work, person_id, f"{work.actor.name}{word}了“{found.task['title']}”填的内容：{reason[:60]}　{work.case['title']}", kind="case", link=f"/cases/{work.case['id']}")


def _spread(work: Beside, found: Correction, valid: Validated, reason: str) -> list[Row]:
    """The new values into the case's own records and into those that the step saved from this form; how to undo it."""
    undo = []
    for (name, id), values in _targets(found, valid).items():
        register, table = get_register(work.app.library, name)
        before = work.connection.execute(select(table).where(table.c.id == id, table.c.deleted_at.is_(None))).mappings().one_or_none()
        if before is None:
            continue
        known = {column: value for column, value in values.items() if column in register.fields}
        changes = write_record(
            work.connection, register=register, table=table, record_id=id, values=known, case_id=before["case_id"], unit_id=before["unit_id"], district_id=before["district_id"],
            keys=work.app.keys, at=work.at, by_id=work.actor.person_id, by_name=work.actor.name, act_id=work.act_id, reason=reason,
        )
        held = {column: pair[0] for column, pair in changes.items() if not register.fields[column].encrypt}
        if held:
            undo.append({"op": "record", "register": name, "id": str(id), "before": held})
    return undo


def _targets(found: Correction, valid: Validated) -> dict[tuple[str, UUID], dict[str, Any]]:
    """{(register, record): values}: by ``x-gc.field`` the case's own record, and each record that the act made or changed from the form."""
    wanted: dict[tuple[str, UUID], dict[str, Any]] = {}
    for name in found.fields:
        path = str(found.form.fields[name].gc.get("field") or "")
        register, _, column = path.rpartition(".")
        if register:
            full = register if "." in register else qualify(register, pack_of(found.form.name))
            wanted.setdefault((full, found.case["id"]), {})[column] = valid.record_fields.get(path)
    for entry in found.act["result"].get("undo", []):
        if entry["op"] in ("made_record", "record") and (entry["register"], UUID(entry["id"])) not in wanted:
            wanted[entry["register"], UUID(entry["id"])] = {column: valid.data.get(name) for name, column in found.fields.items()}
    return wanted
