"""Fan-outs of a case: how far they are, and their items, inside what the reader may see."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, func, select

from engine.access.actors import Actor
from engine.access.scope import restrict
from engine.kernel.errors import NotFound
from engine.storage.tables.cases import case_file
from engine.storage.tables.runtime import incident, instance
from engine.storage.tables.waiting import fanout, fanout_item

Row = dict[str, Any]
SIZE = 50
STATES = ("running", "planned", "done", "skipped", "cancelled")


def of_case(connection: Connection, *, actor: Actor, case_id: UUID) -> list[Row]:
    """The fan-outs of a case, the newest first, each with ``counts`` by state. Two statements."""
    found = _statement(actor).where(fanout.c.case_id == case_id).order_by(fanout.c.created_at.desc()).limit(20)
    rows = [dict(row) for row in connection.execute(found).mappings()]
    counts = _counts(connection, [row["id"] for row in rows])
    return [{**row, "counts": counts.get(row["id"], {})} for row in rows]


def one(connection: Connection, *, actor: Actor, fanout_id: UUID) -> Row:
    """One fan-out with ``counts`` and ``troubled`` (items that stand at an incident); raises NotFound."""
    row = connection.execute(_statement(actor).where(fanout.c.id == fanout_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这次分办，或者您无权查看。")
    stopped = select(func.count(incident.c.instance_id.distinct())).join(fanout_item, fanout_item.c.instance_id == incident.c.instance_id)
    troubled = connection.scalar(stopped.where(fanout_item.c.fanout_id == fanout_id, fanout_item.c.status == "running", incident.c.status == "open"))
    return {**row, "counts": _counts(connection, [fanout_id]).get(fanout_id, {}), "troubled": troubled or 0}


def items(connection: Connection, *, fanout_id: UUID, status: str | None, after: int) -> list[Row]:
    """The next items behind number ``after`` (from 0; -1 for the first page), one more than a page holds."""
    i = fanout_item.c
    trouble = select(incident.c.id).where(incident.c.instance_id == i.instance_id, incident.c.status == "open").limit(1).scalar_subquery().label("incident")
    query = (
        select(i.index, i.title, i.status, i.case_id, i.result, i.ended_at, i.reason, case_file.c.title.label("case_title"), instance.c.status.label("instance_status"), trouble)
        .select_from(fanout_item.outerjoin(case_file, case_file.c.id == i.case_id).outerjoin(instance, instance.c.id == i.instance_id))
        .where(and_(i.fanout_id == fanout_id, i.index > after)).order_by(i.index).limit(SIZE + 1)
    )
    if status is not None:
        query = query.where(i.status == status)
    return [dict(row) for row in connection.execute(query).mappings()]


def parent_of(connection: Connection, *, actor: Actor, case_id: UUID) -> Row | None:
    """The fan-out that made ``case_id``, when the reader may see the case it belongs to."""
    own = select(fanout_item.c.fanout_id).join(instance, instance.c.id == fanout_item.c.instance_id).where(instance.c.case_id == case_id).limit(1)
    row = connection.execute(_statement(actor).where(fanout.c.id == own.scalar_subquery())).mappings().one_or_none()
    return dict(row) if row else None


def _statement(actor: Actor) -> Any:
    f = fanout.c
    columns = (f.id, f.case_id, f.process, f.node, f.title, f.total, f.remaining, f.status, f.suspended, f.started_by, f.created_at, f.ended_at, f.ended_name, f.reason, f.problem)
    statement = select(*columns, case_file.c.title.label("case_title"), case_file.c.handler_id).join(case_file, case_file.c.id == f.case_id)
    return restrict(statement, actor, case_id=f.case_id)


def _counts(connection: Connection, ids: list[UUID]) -> dict[UUID, dict[str, int]]:
    counts: dict[UUID, dict[str, int]] = {}
    if ids:
        query = select(fanout_item.c.fanout_id, fanout_item.c.status, func.count()).where(fanout_item.c.fanout_id.in_(ids)).group_by(fanout_item.c.fanout_id, fanout_item.c.status)
        for id, status, count in connection.execute(query):
            counts.setdefault(id, {})[status] = count
    return counts
