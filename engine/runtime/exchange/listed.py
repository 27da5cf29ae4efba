"""The exchanges that are declared, and how each of them stands."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from engine.kernel.errors import NotFound
from engine.kernel.ids import new_id
from engine.packs.catalogue import Catalogue
from engine.packs.manifest import Exchange
from engine.storage.tables.exchanges import exchange_item, exchange_state

SIZE = 50
NEVER: Mapping[str, Any] = {"cursor": "", "asked_at": None, "done_at": None, "problem": "", "failures": 0, "stopped": False, "stopped_by": "", "reason": ""}


def exchanges_of(catalogue: Catalogue) -> Mapping[str, Exchange]:
    """Every exchange in force by its name."""
    return {name: one for pack in catalogue.packs.values() for name, one in pack.exchanges.items()}


def get_exchange(catalogue: Catalogue, name: str) -> Exchange:
    """Raises NotFound."""
    found = exchanges_of(catalogue).get(name)
    if found is None:
        raise NotFound("没有这个数据交换，可能已经撤下。")
    return found


def state_of(connection: Connection, name: str, *, lock: bool = False) -> Mapping[str, Any]:
    """How the exchange stands, as columns of its row; locked and made when it isn't there yet, with ``lock``."""
    if lock:
        connection.execute(insert(exchange_state).values(name=name).on_conflict_do_nothing())
    query = select(exchange_state).where(exchange_state.c.name == name)
    found = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return NEVER if found is None else dict(found)


def states(connection: Connection) -> dict[str, Mapping[str, Any]]:
    """{exchange: its row} of those that have run."""
    return {row["name"]: dict(row) for row in connection.execute(select(exchange_state)).mappings()}


def keep_item(
    connection: Connection, *, exchange: str, key: str, day: date, state: str, told: str, at: datetime, data: Mapping[str, Any] | None = None, case_id: UUID | None = None,
    record_id: UUID | None = None,
) -> None:
    """Write down what came of one item; again when it was tried before."""
    t = exchange_item.c
    values = {"day": day, "state": state, "told": told[:500], "data": dict(data) if data is not None and state != "done" else None, "case_id": case_id, "record_id": record_id, "at": at}
    new = insert(exchange_item).values(id=new_id(), exchange=exchange, key=key, **values)
    connection.execute(new.on_conflict_do_update(index_elements=["exchange", "key"], set_={**values, "tries": t.tries + 1}))


def known_keys(connection: Connection, *, exchange: str, keys: Sequence[str], done: bool = False) -> set[str]:
    """Those of ``keys`` that are on record; only those that were taken, with ``done``."""
    t = exchange_item.c
    query = select(t.key).where(t.exchange == exchange, t.key.in_(keys))
    return set(connection.scalars(query.where(t.state == "done") if done else query))


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """{(exchange, state): how many items}."""
    t = exchange_item.c
    return {(row.exchange, row.state): row.many for row in connection.execute(select(t.exchange, t.state, func.count().label("many")).group_by(t.exchange, t.state))}


def items(connection: Connection, *, exchange: str, state: str = "", after: tuple[datetime, UUID] | None = None) -> Sequence[RowMapping]:
    """One page and one more, the newest first."""
    t = exchange_item.c
    query = select(exchange_item).where(t.exchange == exchange)
    if state:
        query = query.where(t.state == state)
    if after is not None:
        query = query.where(tuple_(t.at, t.id) < after)
    return connection.execute(query.order_by(t.at.desc(), t.id.desc()).limit(SIZE + 1)).mappings().all()
