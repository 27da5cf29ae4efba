"""Files in and out of registers: what was asked, how far it is, what came of it."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, RowMapping, select, text, update
from sqlalchemy.dialects.postgresql import insert

from engine.access.actors import Actor
from engine.kernel.errors import AlreadyDone, NotFound
from engine.kernel.ids import new_id
from engine.storage.tables.registers import register_transfer

UNDER_WAY = ("waiting", "checking", "writing", "undoing")
STEP = 2_000


class Cancelled(Exception):
    """Somebody asked to stop; nothing of the step that was under way is kept."""


def add_transfer(
    connection: Connection, *, register: str, kind: str, state: str, actor: Actor, at: datetime, file_name: str = "", query: str = "", source_sm3: str | None = None, total: int = 0,
    options: Mapping[str, Any] | None = None,
) -> UUID:
    """A new ``export`` or ``import`` of the actor's; its id."""
    id = new_id()
    connection.execute(insert(register_transfer).values(
        id=id, register=register, kind=kind, state=state, person_id=actor.person_id, account_id=actor.account_id, post_id=actor.post_id, unit_id=actor.unit_id,
        district_id=actor.district_id, person_name=actor.name, file_name=file_name[:200], query=query, source_sm3=source_sm3, total=total, options=dict(options or {}), at=at, updated_at=at,
    ))
    return id


def transfer(connection: Connection, *, id: UUID) -> RowMapping:
    """The whole row, for jobs; raises NotFound."""
    row = connection.execute(select(register_transfer).where(register_transfer.c.id == id)).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这次导入或导出。")
    return row


def transfer_of(connection: Connection, *, id: UUID, register: str, person_id: UUID, lock: bool = False) -> RowMapping:
    """A person's own transfer; somebody else's looks like none."""
    t = register_transfer.c
    statement = select(register_transfer).where(t.id == id, t.register == register, t.person_id == person_id)
    row = connection.execute(statement.with_for_update() if lock else statement).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这次导入或导出，或者不是您办的。")
    return row


def recent_transfers(connection: Connection, *, register: str, person_id: UUID, limit: int = 10) -> Sequence[RowMapping]:
    """A person's newest transfers of a register."""
    t = register_transfer.c
    return connection.execute(select(register_transfer).where(t.register == register, t.person_id == person_id).order_by(t.at.desc()).limit(limit)).mappings().all()


def move(connection: Connection, *, id: UUID, since: Sequence[str], to: str, at: datetime, **values: Any) -> None:
    """Into state ``to`` out of one of ``since``; raises AlreadyDone when it stands elsewhere by now."""
    t = register_transfer.c
    if not connection.execute(update(register_transfer).where(t.id == id, t.state.in_(since)).values(state=to, updated_at=at, **values)).rowcount:
        raise AlreadyDone("这一步已经办过或已经取消，请刷新页面看现在的情况。")


def alone(connection: Connection, *, id: UUID) -> RowMapping:
    """The row once no other worker is at the same transfer; held until the transaction ends, without keeping progress from being written."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"register_transfer:{id}"})
    return transfer(connection, id=id)


class Progress:
    """Tells how far a transfer is, in transactions of its own, and hears when it should stop."""

    def __init__(self, db: Engine, id: UUID) -> None:
        self.db, self.id, self._told = db, id, 0

    def tell(self, done: int, *, force: bool = False) -> None:
        """``done`` rows are through; raises Cancelled when somebody asked to stop."""
        if done - self._told < STEP and not force:
            return
        self._told = done
        t = register_transfer.c
        with self.db.begin() as connection:
            stop = connection.scalar(update(register_transfer).where(t.id == self.id).values(done=done).returning(t.cancelled))
        if stop:
            raise Cancelled


def percent(row: RowMapping) -> int:
    """How far a transfer is, 0–100."""
    return min(100, round(100 * row["done"] / row["total"])) if row["total"] else 0
