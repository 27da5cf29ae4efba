"""撤回: take back one's own last act while no human act and no irreversible effect came after it."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access.actors import Actor
from engine.kernel.errors import Conflict, Forbidden, NotFound
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_instance, load_machine, request_hash
from engine.runtime.bpmn.again import begin_again
from engine.runtime.bundles import process_for
from engine.runtime.decide import decider
from engine.runtime.once import once
from engine.runtime.save_draft import OPINION
from engine.runtime.secrets import open_secrets
from engine.runtime.settle import settle
from engine.runtime.undo import BEGUN, apply_undo, reopen
from engine.runtime.work import ActResult, Row, Work
from engine.storage.tables.organisation import notice
from engine.storage.tables.runtime import act, draft, submission, task

WITHDRAWABLE = ("complete", "return")


@once
def withdraw_act(app: Application, *, actor: Actor, act_id: UUID, key: str, at: datetime) -> ActResult:
    """Put the case back to where it was before ``act_id``; the answers come back as a draft.

    Raises NotFound for an act that isn't the actor's own, Conflict with the reason when it can't be taken back.
    """
    asked = request_hash(kind="withdraw", act=act_id)
    with app.db.begin() as connection:
        row = _own_act(connection, actor, act_id)
        work = begin_on_instance(app, connection, kind="withdraw", actor=actor, instance_id=row["instance_id"], key=key, asked=asked, at=at)
        if isinstance(work, ActResult):
            return work
        row = _own_act(connection, actor, act_id)
        obstacle = find_obstacle(connection, row)
        if obstacle:
            raise Conflict(obstacle)
        return _take_back(work, row)


def _own_act(connection: Connection, actor: Actor, act_id: UUID) -> Row:
    row = connection.execute(select(act).where(act.c.id == act_id)).mappings().one_or_none()
    if row is None or row["actor_id"] != actor.person_id or row["instance_id"] is None:
        raise NotFound("没有这次办理，或者不是您办的。")
    return dict(row)


def find_obstacle(connection: Connection, row: Mapping[str, Any]) -> str | None:
    """Why the act can't be withdrawn now, in Chinese; None when it can."""
    started = row["kind"] == "start" and row["task_id"] is not None
    if not started and (row["kind"] not in WITHDRAWABLE or row["snapshot"] is None):
        return "这次办理不能撤回。"
    if row["undone_by"] is not None:
        return "这次办理已经撤回过了。"
    if row["result"].get("irreversible"):
        return "这次办理已经生效（例如已编号用印、已生成案件），不能撤回；要改请走变更程序。"
    if started and any(entry["op"] == "clock" for entry in row["result"].get("undo", ())):
        return "登记时已经开始计算法定期限，不能撤回；要改请在后面的环节改。"
    later = connection.execute(
        select(act.c.actor_name, act.c.automatic, act.c.result["irreversible"].as_boolean().label("irreversible"), act.c.title)
        .where(act.c.instance_id == row["instance_id"], act.c.rev_before > row["rev_before"], act.c.kind != "withdraw", act.c.undone_by.is_(None))
        .order_by(act.c.rev_before)
    ).all()
    for name, automatic, irreversible, title in later:
        if not automatic:
            return f"{name}已经接着办理，不能撤回；需要的话请联系他退回。"
        if irreversible:
            return f"后面的自动步骤“{title}”已经产生不能撤销的结果，不能撤回。"
    return None


def _take_back(work: Work, row: Row) -> ActResult:
    if work.actor is None:
        raise Forbidden("只有本人可以撤回。")
    connection = work.connection
    later = connection.execute(
        select(act.c.id, act.c.kind, act.c.result).where(act.c.instance_id == row["instance_id"], act.c.rev_before >= row["rev_before"], act.c.undone_by.is_(None))
        .order_by(act.c.rev_before)
    ).all()
    corrected = _uncorrect(work, row)
    for _, kind, result in reversed(later):
        apply_undo(work, _entries(kind, result))
    undone = [*corrected, *(id for id, _, _ in later)]
    connection.execute(update(act).where(act.c.id.in_(undone)).values(undone_by=work.act_id))
    work.batch.add(delete(notice).where(notice.c.case_id == work.case["id"], notice.c.at >= row["at"], notice.c.read_at.is_(None), notice.c.kind == "task"))
    reopened = connection.execute(select(task).where(task.c.id == row["task_id"])).mappings().one()
    _stand_before(work, row, reopened["engine_id"])
    work.outcome_title = f"撤回“{row['outcome_title'] or row['title']}”"
    _restore_answers(work, row, undone)
    reopen(work, reopened["id"])
    _forget(work, reopened["engine_id"])
    return settle(work)


def _uncorrect(work: Work, row: Row) -> list[UUID]:
    """Undo what was corrected in the answers of this step since, the last first; the ids of those acts."""
    theirs = select(act.c.id, act.c.result).where(act.c.case_id == row["case_id"], act.c.at >= row["at"], act.c.task_id == row["task_id"], act.c.kind == "correct", act.c.undone_by.is_(None))
    found = work.connection.execute(theirs.order_by(act.c.at.desc(), act.c.id.desc())).all()
    for _, result in found:
        apply_undo(work, [entry for entry in result.get("undo", []) if entry["op"] != "superseded"])
    return [id for id, _ in found]


def _entries(kind: str, result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What of an act's undo list is taken back: of a start only what its first step did."""
    entries: list[dict[str, Any]] = result.get("undo", [])
    begun = next((number for number, entry in enumerate(entries) if entry["op"] == BEGUN), -1) if kind == "start" else -1
    return [_named_still(entry) for entry in entries[begun + 1:]] if kind == "start" else entries


def _named_still(entry: dict[str, Any]) -> dict[str, Any]:
    """A case whose start is taken back keeps the name by which its applicant knows it; it had none before."""
    if entry["op"] != "case":
        return entry
    return {**entry, "before": {name: value for name, value in entry["before"].items() if name not in ("title", "subject", "address")}}


def _stand_before(work: Work, row: Row, engine_id: str) -> None:
    """The machine as it stood before the act; before the first step was done, for a start."""
    if row["snapshot"] is not None:
        work.machine = load_machine(work.app, {**work.instance, "state": row["snapshot"]}, work.at)
        return
    pinned = work.app.library.bundle(work.instance["bundle_id"])
    process = process_for(work.app, pinned, work.instance["process"])
    work.machine, work.flows, work.nodes = begin_again(process, row["moves"], before=engine_id, decide=decider(work.app, pinned, row["at"]))


def _forget(work: Work, engine_id: str) -> None:
    """The reopened task has its row already: don't open a second one."""
    wait = next(w for w in work.machine.waits().user_tasks if w.engine_id == engine_id)
    work.waits_before.user_tasks.append(wait)


def _restore_answers(work: Work, row: Row, undone: list[UUID]) -> None:
    """The submission no longer counts; what was typed, with the opinion, comes back as a draft that can be read again."""
    assert work.actor is not None
    kept = work.connection.execute(
        update(submission).where(submission.c.act_id.in_(undone)).values(superseded=True)
        .returning(submission.c.task_id, submission.c.data, submission.c.form_hash, submission.c.id)
    ).all()
    latest = max((one.id for one in kept if one.task_id == row["task_id"]), default=None)
    for task_id, data, form_hash, id in kept:
        if id == latest:
            typed = {**open_secrets(work.app.keys, data), OPINION: row["opinion"] or ""}
            values = {"task_id": task_id, "person_id": work.actor.person_id, "data": typed, "form_hash": form_hash, "rev": 1, "updated_at": work.at}
            work.batch.add(insert(draft).values(values).on_conflict_do_update(index_elements=["task_id", "person_id"], set_=values))
