"""Saved views: what one person keeps of a list's filters, order and columns, under a name of their own."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, RowMapping, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from engine.kernel.errors import Invalid, NotFound
from engine.kernel.ids import new_id
from engine.storage.tables.registers import register_view

MOST = 20
LONGEST = 20


def views_of(connection: Connection, *, person_id: UUID, register: str) -> Sequence[RowMapping]:
    """(id, title, query) of the person's views of a register, oldest first."""
    v = register_view.c
    return connection.execute(select(v.id, v.title, v.query).where(v.person_id == person_id, v.register == register).order_by(v.at, v.id)).mappings().all()


def save_view(connection: Connection, *, person_id: UUID, register: str, title: str, query: str, at: datetime) -> None:
    """Keep ``query`` as ``title``; a view of that name is replaced. Raises Invalid."""
    v, name = register_view.c, title.strip()
    if not name or len(name) > LONGEST:
        raise Invalid(f"给这个常用列表起个名字，不超过 {LONGEST} 个字。", fields={"title": "起个名字。"})
    kept = connection.scalar(select(func.count()).where(v.person_id == person_id, v.register == register, v.title != name)) or 0
    if kept >= MOST:
        raise Invalid(f"常用列表最多 {MOST} 个，请先删掉不用的。")
    new = insert(register_view).values(id=new_id(), person_id=person_id, register=register, title=name, query=query, at=at)
    connection.execute(new.on_conflict_do_update(index_elements=["person_id", "register", "title"], set_={"query": query}))


def remove_view(connection: Connection, *, person_id: UUID, view_id: UUID) -> None:
    """Raises NotFound for a view that isn't the person's."""
    if not connection.execute(delete(register_view).where(register_view.c.id == view_id, register_view.c.person_id == person_id)).rowcount:
        raise NotFound("没有这个常用列表，可能已经删掉。")
