"""Acts beside the flow (comments, copies, urging): history and audit like any act, but no token and no instance moves."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from engine.access import audit
from engine.access.actors import Actor
from engine.access.audit import chain_of_path
from engine.access.scope import require_case
from engine.kernel.ids import new_id
from engine.runtime.application import Application
from engine.runtime.batch import Batch
from engine.runtime.begin import replay
from engine.runtime.locate import find_act, lock_case
from engine.runtime.work import ActResult, Row
from engine.storage.tables.organisation import notice
from engine.storage.tables.runtime import act, event_feed


@dataclass(kw_only=True)
class Beside:
    """One act beside the flow in the making. ``case`` is the locked row."""

    app: Application
    connection: Connection
    kind: str
    key: str
    at: datetime
    actor: Actor
    case: Row
    request_hash: str
    act_id: UUID = field(default_factory=new_id)
    batch: Batch = field(default_factory=Batch)


def begin_beside(
    app: Application, connection: Connection, *, kind: str, actor: Actor, case_id: UUID, key: str, asked: str, at: datetime, unseen: bool = False,
) -> Beside | ActResult:
    """Lock the case; the earlier result when ``key`` was used before. Raises NotFound for a case that ``actor`` may not see.

    ``unseen``: what they may do here doesn't depend on that; the caller has checked their right to it.
    """
    if not unseen:
        require_case(connection, actor, case_id)
    case = lock_case(connection, case_id)
    earlier = find_act(connection, key)
    if earlier is not None:
        return replay(earlier, asked=asked, actor=actor)
    return Beside(app=app, connection=connection, kind=kind, key=key, at=at, actor=actor, case=case, request_hash=asked)


def tell(work: Beside, person_id: UUID, text: str, *, kind: str, link: str, task_id: UUID | None = None) -> None:
    """One notice for one person, in this act's commit."""
    work.batch.insert(notice, {
        "id": new_id(), "person_id": person_id, "kind": kind, "text": text, "link": link, "case_id": work.case["id"], "task_id": task_id, "at": work.at,
    })


def write_beside(
    work: Beside, *, title: str, outcome_title: str, words: str, task: Mapping[str, Any] | None = None, result: Mapping[str, Any] | None = None,
    detail: Mapping[str, Any] | None = None,
) -> ActResult:
    """Insert the act, its event and its audit record. ``instance_id`` stays empty, so that it never stands in the way of a withdrawal.

    ``result`` stands with the act, ``detail`` with its audit record beside the words.
    """
    work.batch.insert(act, {
        "id": work.act_id, "key": work.key, "kind": work.kind, "case_id": work.case["id"], "instance_id": None, "task_id": task["id"] if task else None,
        "node": task["node"] if task else None, "process": task["process"] if task else None, "title": title, "actor_id": work.actor.person_id,
        "actor_name": work.actor.name, "actor_post": work.actor.post_title, "at": work.at, "outcome": work.kind, "outcome_title": outcome_title,
        "opinion": words, "result": dict(result or {}), "request_hash": work.request_hash, "automatic": False,
    })
    work.batch.insert(event_feed, {
        "id": new_id(), "kind": f"act.{work.kind}", "case_id": work.case["id"], "task_id": task["id"] if task else None, "unit_id": work.case["unit_id"],
        "district_id": work.case["district_id"], "payload": {"act": str(work.act_id)}, "at": work.at,
    })
    work.batch.flush(work.connection)
    audit.append(
        work.connection, chain=chain_of_path(work.case["unit_path"], at_city=work.case["district_id"] is None), at=work.at, actor_id=work.actor.person_id,
        actor_name=work.actor.name, action=f"act.{work.kind}", object=str(work.act_id), case_id=work.case["id"], detail={"opinion": words, **(detail or {})},
    )
    return ActResult(act_id=work.act_id, case_id=work.case["id"], instance_id=None)
