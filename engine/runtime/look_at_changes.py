"""Conditional starts: a condition over one record of a register. When a committed change makes it true, one case begins.

A trigger notes every change of a register that such an event looks at, whoever wrote it. Record as it was and as it became are put together
from its history, so that the answer doesn't depend on when the clock gets here. True before and after is no new start.
"""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, delete, or_, select, update

from engine.expressions import FeelError, compile_expression
from engine.expressions.builtin_temporal import AT
from engine.kernel.errors import GuichengError
from engine.registers.catalogue import get_register
from engine.registers.declaration import Register
from engine.runtime.application import Application
from engine.runtime.job_names import START_ON_EVENT
from engine.runtime.start_on_event import note_problem
from engine.storage.tables.registers import record_history
from engine.storage.tables.waiting import start_event, start_look

log = structlog.get_logger(__name__)
AGAIN = timedelta(minutes=5)
NUMBERS = ("number", "money")


def look_at_changes(app: Application, at: datetime, *, limit: int = 200) -> int:
    """Look at noted changes, oldest first; how many cases are under way because of them."""
    waiting = select(start_look.c.id).where(or_(start_look.c.look_at.is_(None), start_look.c.look_at <= at)).order_by(start_look.c.id).limit(limit)
    with app.db.connect() as connection:
        noted = connection.scalars(waiting).all()
    begun = 0
    for id in noted:
        try:
            begun += _look(app, id, at)
        except GuichengError as error:
            log.warning("a changed record could not be looked at", change=str(id), error=error.message)
            with app.db.begin() as connection:
                connection.execute(update(start_look).where(start_look.c.id == id).values(look_at=at + AGAIN))
    return begun


def _look(app: Application, id: UUID, at: datetime) -> int:
    problems: list[tuple[str, str, str]] = []
    begun = 0
    with app.db.begin() as connection:
        taken = connection.execute(delete(start_look).where(start_look.c.id == id).returning(start_look.c.register)).one_or_none()
        if taken is None:
            return 0
        declared, table = get_register(app.library, taken.register)
        change = connection.execute(select(record_history).where(record_history.c.id == id)).mappings().one()
        before, now = _states(connection, declared, dict(change))
        armed = select(start_event).where(start_event.c.status == "armed", start_event.c.kind == "conditional", start_event.c.name == declared.name)
        for row in connection.execute(armed).mappings().all():
            try:
                if not _holds(row["rule"], now, at) or (before is not None and _holds(row["rule"], before, at)):
                    continue
            except FeelError as error:
                problems.append((row["process"], row["event"], f"条件“{row['rule']}”不能求值：{error}。请改正流程图。"))
                continue
            record = connection.execute(select(table.c.case_id, table.c.unit_id).where(table.c.id == change["record_id"])).one()
            app.jobs.defer(
                connection, START_ON_EVENT, process=row["process"], event=row["event"], key=f"start:{row['process']}:{row['event']}:{id}",
                facts={**now, "record_id": str(change["record_id"])}, case_id=str(record.case_id) if record.case_id else None,
                unit_id=str(record.unit_id) if record.unit_id else None,
            )
            begun += 1
    for process, event, message in problems:
        note_problem(app, process, event, message)
    return begun


def _states(connection: Connection, register: Register, change: Mapping[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """The record's fields before and after ``change``; None before it was there."""
    h = record_history.c
    rows = connection.execute(
        select(h.id, h.changes).where(h.register == change["register"], h.record_id == change["record_id"], h.at <= change["at"]).order_by(h.at, h.id)
    ).all()
    empty: dict[str, Any] = dict.fromkeys(register.fields)
    before: dict[str, Any] | None = None
    state = empty
    for row in rows:
        if row.id == change["id"]:
            break
        before = state = {**state, **_values(register, row.changes)}
    return before, {**state, **_values(register, change["changes"])}


def _values(register: Register, changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(register, name, pair[1]) for name, pair in changes.items() if name in register.fields}


def _value(register: Register, name: str, after: Any) -> Any:
    field = register.fields[name]
    if field.encrypt:
        return None
    return Decimal(after) if field.type in NUMBERS and isinstance(after, str) else after


def _holds(rule: str, record: Mapping[str, Any], at: datetime) -> bool:
    return compile_expression(rule, names=record).evaluate({**record, AT: at}) is True
