"""Retry several incidents, each an act of its own: one that fails again doesn't hold the rest."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from engine.access.actors import Actor
from engine.kernel.errors import GuichengError, Invalid
from engine.runtime.application import Application
from engine.runtime.incidents import OPERATOR, retry_incident

MOST = 100


def retry_many(app: Application, *, actor: Actor, incident_ids: Sequence[UUID], reason: str, key: str, at: datetime) -> dict[UUID, str]:
    """{incident: '' or why it could not be retried, in Chinese}. Raises Forbidden without the right ``operator``, Invalid for none or too many."""
    actor.require(OPERATOR)
    if not incident_ids or len(incident_ids) > MOST:
        raise Invalid(f"请选要重试的异常，一次最多 {MOST} 条。", fields={})
    results: dict[UUID, str] = {}
    for id in incident_ids:
        try:
            retry_incident(app, actor=actor, incident_id=id, reason=reason, key=f"{key}:{id}", at=at)
            results[id] = ""
        except GuichengError as error:
            results[id] = error.message
    return results
