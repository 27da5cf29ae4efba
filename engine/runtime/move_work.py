"""A case goes to another unit: what hangs on it goes along, and steps that its old unit had open wait in the new one."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update

from engine.access.assignment import candidates
from engine.registers.catalogue import registers_of
from engine.runtime.application import Application
from engine.storage.tables.cases import case_clock
from engine.storage.tables.runtime import instance, task, task_candidate


def move_work(
    app: Application, connection: Connection, *, case_id: UUID, to_unit: UUID, to_district: UUID | None, on: date, running: UUID,
) -> list[str]:
    """Give rows of ``case_id`` the new unit and its open steps of the old unit to the same roles there; titles of those steps.

    ``running`` is the instance that does it: its own steps are not touched. Steps of roles that are looked up in the bureau stay.
    Lock the case before you call this.
    """
    place = {"unit_id": to_unit, "district_id": to_district}
    for table in (instance, task, case_clock):
        connection.execute(update(table).where(table.c.case_id == case_id).values(**place))
    for register, table in registers_of(app.library).values():
        if register.case != "none":
            connection.execute(update(table).where(table.c.case_id == case_id).values(**place))
    open_steps = select(task.c.id, task.c.role, task.c.title).where(task.c.case_id == case_id, task.c.status == "open", task.c.instance_id != running)
    moved = []
    for row in connection.execute(open_steps).mappings().all():
        if _is_own(app, row["role"]):
            _hand_over(connection, dict(row), to_unit=to_unit, on=on)
            moved.append(str(row["title"]))
    return moved


def _is_own(app: Application, role: str) -> bool:
    pack = app.catalogue.packs.get(role.split(".", 1)[0])
    found = pack.roles.get(role) if pack else None
    return found is not None and found.scope == "own"


def _hand_over(connection: Connection, row: Mapping[str, Any], *, to_unit: UUID, on: date) -> None:
    connection.execute(update(task).where(task.c.id == row["id"]).values(assignee_id=None, claimed_at=None))
    connection.execute(delete(task_candidate).where(task_candidate.c.task_id == row["id"]))
    pairs = candidates(connection, role=row["role"], case_unit_id=to_unit, on=on)
    if pairs:
        connection.execute(insert(task_candidate), [{"task_id": row["id"], "unit_id": unit, "post": code, "open": True} for unit, code in pairs])
