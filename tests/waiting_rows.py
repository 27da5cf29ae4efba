"""A case that waits for a time, a message and a signal, copied as often as one likes with SQL. For tests and for the bench."""
from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, text

from engine.runtime.start_case import start_case
from engine.storage.tables.cases import case_file
from engine.storage.tables.runtime import act, instance, subscription, timer
from tests.engine.runtime.pack import check_task, declare, deploy, drawn, flow
from tests.town import Town

OUTSIDE = '<bpmn:message id="m" name="parcel"/><bpmn:signal id="s" name="all_home"/>'
EVENTS = {
    "later": "<bpmn:timerEventDefinition><bpmn:timeDuration>P30D</bpmn:timeDuration></bpmn:timerEventDefinition>",
    "parcel": '<bpmn:messageEventDefinition messageRef="m"/>', "home": '<bpmn:signalEventDefinition signalRef="s"/>',
}


def waiting_case(town: Town) -> Any:
    """The instance row of a new case that waits in three branches; a task follows the time."""
    body = '<bpmn:startEvent id="start"/><bpmn:parallelGateway id="split"/>' + flow("start", "split") + check_task() + flow("later", "check")
    for id, event in EVENTS.items():
        key = ' gc:correlation="case_id"' if id == "parcel" else ""
        body += f'<bpmn:intermediateCatchEvent id="{id}"{key}>{event}</bpmn:intermediateCatchEvent>' + flow("split", id)
    declare(town, "waiting")
    deploy(town, "waiting.bpmn", drawn("waiting", body, outside=OUTSIDE))
    made = start_case(town.app, actor=town.actor("head"), process="borrow_umbrella.waiting", key="waiting", at=town.app.clock.now())
    with town.app.db.connect() as connection:
        return connection.execute(instance.select().where(instance.c.id == made.instance_id)).mappings().one()


def copy_waiting(connection: Connection, template: Any, *, count: int, due_at: datetime, apart: timedelta, first: int = 1) -> None:
    """``count`` further cases like ``template``, whose timers are due from ``due_at``, ``apart`` from one another; keys ``copy<n>``."""
    values = {"first": first, "last": first + count - 1, "instance": template["id"], "case": template["case_id"], "due": due_at, "apart": apart}
    new = {"id": "md5('case' || g)::uuid", "number": "NULL"}
    connection.execute(_copy(case_file, new, "t.id = :case"), values)
    mine = {"case_id": "md5('case' || g)::uuid", "instance_id": "md5('instance' || g)::uuid"}
    connection.execute(_copy(instance, {"id": "md5('instance' || g)::uuid", "case_id": mine["case_id"]}, "t.id = :instance"), values)
    connection.execute(_copy(act, {"id": "md5('act' || g)::uuid", "key": "'waiting' || g", **mine}, "t.instance_id = :instance"), values)
    due = "CAST(:due AS timestamptz) + (g - CAST(:first AS bigint)) * CAST(:apart AS interval)"
    connection.execute(_copy(timer, {**mine, "due_at": due}, "t.instance_id = :instance"), values)
    key = "CASE WHEN t.kind = 'message' THEN 'copy' || g ELSE '' END"
    connection.execute(_copy(subscription, {"instance_id": mine["instance_id"], "correlation": key}, "t.instance_id = :instance"), values)


def _copy(table: Table, changed: dict[str, str], where: str) -> Any:
    columns = [column.name for column in table.c if column.computed is None]
    chosen = ", ".join(changed.get(name, f't."{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    return text(f'INSERT INTO {table.name} ({names}) SELECT {chosen} FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) g, {table.name} t WHERE {where}')


def copied(number: int) -> UUID:
    """The instance id of the copy ``number``."""
    return UUID(hashlib.md5(f"instance{number}".encode()).hexdigest())
