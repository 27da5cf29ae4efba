"""Incidents: where the machinery stopped, inside what the reader may see."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from engine.access.actors import Actor
from engine.access.scope import restrict
from engine.kernel.errors import NotFound
from engine.storage.tables.cases import case_file
from engine.storage.tables.organisation import person
from engine.storage.tables.runtime import effect, incident, instance

Row = dict[str, Any]
MOST = 100


def _statement(actor: Actor) -> Any:
    c = incident.c
    statement = (
        select(
            c.id, c.kind, c.message, c.detail, c.status, c.opened_at, c.closed_at, c.reason, c.node, c.process, c.case_id, c.instance_id, c.effect_id,
            case_file.c.number, case_file.c.title, case_file.c.subject, instance.c.title.label("instance_title"), instance.c.definition_id,
            person.c.name.label("closed_by"), effect.c.handler, effect.c.attempts, effect.c.arguments,
        )
        .select_from(
            incident.join(case_file, case_file.c.id == c.case_id).join(instance, instance.c.id == c.instance_id)
            .outerjoin(person, person.c.id == c.closed_by).outerjoin(effect, effect.c.id == c.effect_id)
        )
    )
    return restrict(statement, actor, case_id=c.case_id)


def listed(connection: Connection, *, actor: Actor, open_only: bool, case_id: UUID | None = None) -> list[Row]:
    """The newest hundred, open ones or all. One statement."""
    statement = _statement(actor)
    if open_only:
        statement = statement.where(incident.c.status == "open")
    if case_id is not None:
        statement = statement.where(incident.c.case_id == case_id)
    return [dict(row) for row in connection.execute(statement.order_by(incident.c.opened_at.desc()).limit(MOST)).mappings()]


def one(connection: Connection, *, actor: Actor, incident_id: UUID) -> Row:
    """One incident; raises NotFound."""
    row = connection.execute(_statement(actor).where(incident.c.id == incident_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这条异常，或者您无权查看。")
    return dict(row)
