"""Colleagues asked on a task: 委派 (delegate), 加签 before and after. Rows beside the task; the engine knows nothing of them.

planned → open → done; removed by 减签, cancelled when the task ends. While a ``delegate`` or ``before`` is open, or a
completion is held for the ``after`` ones, the holder can't act on the task.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import null, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.kernel.errors import Conflict, Invalid
from engine.kernel.ids import new_id
from engine.runtime.save_draft import OPINION
from engine.runtime.work import Row, Work
from engine.storage.tables.organisation import notice
from engine.storage.tables.runtime import draft, task, task_signer

KINDS: Mapping[str, str] = {"delegate": "委派", "before": "前加签", "after": "后加签"}
AAD = b"held"
MOST = 20


def require_free(task_row: Row) -> None:
    """Raise Conflict while colleagues' opinions are waited for."""
    names = "、".join(row["person_name"] for row in task_row.get("signers", ()) if row["status"] == "open")
    if task_row.get("held"):
        raise Conflict(f"您已经提交，正等{names}同意；要改请先收回提交。", code="held")
    if names:
        raise Conflict(f"这一步正等{names}的意见，意见到了再办；不等了请先减签。", code="waiting_for_opinion")


def planned_after(task_row: Row) -> list[Row]:
    """Colleagues who must agree once the holder completes."""
    return [row for row in task_row.get("signers", ()) if row["kind"] == "after" and row["status"] == "planned"]


def ask(work: Work, people: Mapping[UUID, str], *, kind: str, words: str) -> None:
    """Put the question to each of ``people``; those asked ``after`` are told only when the holder completes."""
    assert work.task is not None and work.actor is not None
    known = {UUID(row["person_id"]): row["person_name"] for row in work.task["signers"]}
    twice = [name for id, name in people.items() if id in known]
    if twice:
        raise Invalid(f"{'、'.join(twice)}已经在征求意见的名单里。", fields={"people": "请不要重复选。"})
    if len(known) + len(people) > MOST:
        raise Invalid(f"一个步骤最多征求 {MOST} 人的意见。", fields={"people": "请少选几位，或者用抄送。"})
    status = "planned" if kind == "after" else "open"
    work.batch.insert(task_signer, [
        {"id": new_id(), "task_id": work.task["id"], "case_id": work.case["id"], "person_id": id, "person_name": name, "kind": kind, "status": status,
         "asked_by": work.actor.person_id, "asked_name": work.actor.name, "words": words, "asked_at": work.at} for id, name in people.items()
    ])
    if status == "open":
        for id in people:
            tell_person(work, id, f"{work.actor.name}请您给出意见：{work.task['title']}　{work.case['title']}")


def tell_person(work: Work, person_id: UUID | None, text: str) -> None:
    """A notice that leads to the task; none to oneself."""
    assert work.task is not None
    by = work.signer or work.actor
    if person_id is not None and (by is None or person_id != by.person_id):
        work.batch.insert(notice, {"id": new_id(), "person_id": person_id, "kind": "task", "text": text, "link": f"/tasks/{work.task['id']}",
                                   "case_id": work.case["id"], "task_id": work.task["id"], "at": work.at})


def open_after(work: Work) -> list[str]:
    """Ask those who come after, now; their names."""
    assert work.task is not None and work.actor is not None
    planned = planned_after(work.task)
    for row in planned:
        tell_person(work, UUID(row["person_id"]), f"{work.actor.name}已提交，请您表示是否同意：{work.task['title']}　{work.case['title']}")
    ids = [UUID(row["id"]) for row in planned]
    work.batch.add(update(task_signer).where(task_signer.c.id.in_(ids)).values(status="open", asked_at=work.at, stance=None, opinion="", answered_at=None))
    return [row["person_name"] for row in planned]


def keep_held(work: Work, *, data: Mapping[str, Any], outcome: str, opinion: str, form_hash: str | None) -> None:
    """Keep what the holder submitted, encrypted, with the task; the task is theirs from now on."""
    assert work.task is not None and work.actor is not None
    sealed = work.app.keys.encrypt(orjson.dumps(dict(data), default=str), AAD).hex()
    held = {"data": sealed, "outcome": outcome, "opinion": opinion, "form_hash": form_hash, "by": str(work.actor.account_id), "post": str(work.actor.post_id),
            "person": str(work.actor.person_id), "for": work.principal[1] if work.principal else None}
    work.batch.add(update(task).where(task.c.id == work.task["id"]).values(held=held, assignee_id=work.principal[0] if work.principal else work.task["assignee_id"] or work.actor_id))


def read_held(work: Work) -> Row:
    """What the holder submitted: data, outcome, opinion, form_hash, by (account), post, person, for (name of the principal, if any)."""
    assert work.task is not None
    held: Row = work.task["held"]
    return {**held, "data": orjson.loads(work.app.keys.decrypt(bytes.fromhex(held["data"]), AAD))}


def give_back_held(work: Work, words: Row | None = None) -> None:
    """The held completion ends; what was typed is the holder's draft again, and everyone after is asked anew next time. ``words``: who says why."""
    assert work.task is not None
    held, this = read_held(work), work.task["id"]
    work.batch.add(update(task).where(task.c.id == this).values(held=null(), **(words or {})))
    values = {"task_id": this, "person_id": UUID(held["person"]), "data": {**held["data"], OPINION: held["opinion"]}, "form_hash": held["form_hash"] or "",
              "rev": 1, "updated_at": work.at}
    write = insert(draft).values(values)
    fresh = {"data": write.excluded.data, "form_hash": write.excluded.form_hash, "rev": draft.c.rev + 1, "updated_at": work.at}
    work.batch.add(write.on_conflict_do_update(index_elements=["task_id", "person_id"], set_=fresh))


def plan_again(work: Work, *, but: UUID | None = None) -> None:
    """Those after who were asked, or have agreed, are asked anew at the next completion. ``but``: a row that the act itself writes."""
    assert work.task is not None
    again = [task_signer.c.task_id == work.task["id"], task_signer.c.kind == "after", task_signer.c.status.in_(["open", "done"])]
    if but is not None:
        again.append(task_signer.c.id != but)
    work.batch.add(update(task_signer).where(*again).values(status="planned"))


def tell_holders(work: Work, text: str) -> None:
    """A notice to everyone who holds an open task of the instance or is asked on one."""
    holders = select(task.c.assignee_id).where(task.c.instance_id == work.instance["id"], task.c.status == "open", task.c.assignee_id.is_not(None))
    asked = select(task_signer.c.person_id).join(task, task.c.id == task_signer.c.task_id).where(
        task.c.instance_id == work.instance["id"], task_signer.c.status == "open"
    )
    for person_id in sorted(set(work.connection.scalars(holders.union(asked))) - {work.actor_id}, key=str):
        work.batch.insert(notice, {"id": new_id(), "person_id": person_id, "kind": "case", "text": text, "link": f"/cases/{work.case['id']}",
                                   "case_id": work.case["id"], "task_id": None, "at": work.at})
