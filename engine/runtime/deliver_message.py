"""Messages: to the instance that waits, to a process that starts with it, or into the inbox until somebody waits."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from engine.kernel.ids import new_id
from engine.runtime.advance import advance
from engine.runtime.application import Application
from engine.runtime.begin import begin_on_instance, request_hash
from engine.runtime.settle import settle
from engine.runtime.start_on_message import find_message_start, start_on_message
from engine.runtime.work import ActResult
from engine.storage.tables.runtime import instance, message_inbox, subscription

KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """``status`` delivered (somebody waited) or waiting (kept in the inbox for 30 days)."""

    message_id: UUID
    status: str
    instance_id: UUID | None = None


def deliver_message(
    app: Application, *, name: str, correlation: str = "", payload: Mapping[str, Any], key: str, at: datetime
) -> Delivery:
    """Deliver ``payload`` to whoever waits for ``name`` with ``correlation``; the same ``key`` delivers once."""
    start = find_message_start(app, name)
    if start is not None:
        started = start_on_message(app, message=name, payload=payload, key=key, at=at)
        return Delivery(message_id=started.act_id, status="delivered", instance_id=started.instance_id)
    message_id = _keep(app, name=name, correlation=correlation, payload=payload, key=key, at=at)
    return _deliver(app, message_id, at)


def _keep(app: Application, *, name: str, correlation: str, payload: Mapping[str, Any], key: str, at: datetime) -> UUID:
    values = {"id": new_id(), "key": key, "name": name, "correlation": correlation, "payload": dict(payload), "status": "waiting",
              "received_at": at, "expires_at": at + KEPT_FOR}
    with app.db.begin() as connection:
        connection.execute(insert(message_inbox).values(values).on_conflict_do_nothing(index_elements=["key"]))
        return connection.execute(select(message_inbox.c.id).where(message_inbox.c.key == key)).scalar_one()


def _deliver(app: Application, message_id: UUID, at: datetime) -> Delivery:
    with app.db.connect() as connection:
        message = connection.execute(select(message_inbox).where(message_inbox.c.id == message_id)).mappings().one()
        if message["status"] != "waiting":
            return Delivery(message_id=message_id, status=message["status"], instance_id=message["instance_id"])
        found = connection.execute(
            select(subscription.c.instance_id, subscription.c.engine_id).join(instance, instance.c.id == subscription.c.instance_id)
            .where(instance.c.status != "suspended", subscription.c.kind == "message", subscription.c.name == message["name"], subscription.c.correlation.in_(["", message["correlation"]]))
            .order_by(subscription.c.correlation.desc()).limit(1)
        ).one_or_none()
    if found is None:
        return Delivery(message_id=message_id, status="waiting")
    taken = _hand_over(app, message_id, found.instance_id, found.engine_id, message, at)
    return Delivery(message_id=message_id, status="delivered" if taken else "waiting", instance_id=found.instance_id if taken else None)


def _hand_over(app: Application, message_id: UUID, instance_id: UUID, engine_id: str, message: Any, at: datetime) -> bool:
    with app.db.begin() as connection:
        key = f"message:{message_id}"
        work = begin_on_instance(app, connection, kind="message", actor=None, instance_id=instance_id, key=key, asked=request_hash(message=message_id), at=at)
        if isinstance(work, ActResult):
            return True
        if work.instance["status"] == "suspended" or not any(s.engine_id == engine_id and s.name == message["name"] for s in work.machine.waits().subscriptions):
            return False
        work.outcome_title = f"收到{message['name']}"
        work.machine.deliver("message", message["name"], message["payload"], engine_id, now=at)
        advance(work)
        connection.execute(
            update(message_inbox).where(message_inbox.c.id == message_id).values(status="delivered", delivered_at=at, instance_id=instance_id)
        )
        settle(work)
        return True


def match_inbox(app: Application, *, instance_id: str) -> int:
    """The job that runs when an instance begins to wait: messages that came before are delivered now."""
    at = app.clock.now()
    with app.db.connect() as connection:
        waiting = connection.execute(
            select(message_inbox.c.id).distinct().join(
                subscription, (subscription.c.name == message_inbox.c.name) & subscription.c.correlation.in_(["", message_inbox.c.correlation])
            ).where(subscription.c.instance_id == UUID(instance_id), subscription.c.kind == "message", message_inbox.c.status == "waiting",
                    message_inbox.c.expires_at > at)
        ).scalars().all()
    return sum(_deliver(app, id, at).status == "delivered" for id in waiting)


def throw_message(app: Application, *, name: str, correlation: str, payload: dict[str, Any], key: str) -> None:
    """The job behind a message throw event: to whoever waits, else to a process that starts with it, else the inbox."""
    deliver_message(app, name=name, correlation=correlation, payload=payload, key=key, at=app.clock.now())
