"""Records that go out: those that changed since the last time and fulfil the condition, each under a key of its revision."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Table, select, tuple_

from engine.kernel.clock import SHANGHAI, legal_date
from engine.packs.manifest import Exchange
from engine.registers.catalogue import get_register
from engine.registers.conditions import clause_of, read_condition
from engine.registers.declaration import Register
from engine.runtime.application import Application
from engine.runtime.exchange.contract import PAGE, ExchangePartner
from engine.runtime.exchange.listed import keep_item, known_keys, state_of
from engine.runtime.exchange.partner import partner_of
from engine.storage.tables.exchanges import exchange_state
from engine.storage.tables.organisation import unit

OVERLAP = timedelta(minutes=15)
"""Each run looks back so far: a change carries the time at which its act or import began, and may be seen only later. What is on record isn't given again."""


def give_all(app: Application, exchange: Exchange, *, at: datetime) -> int:
    """Page after page; how many records were given. The place is kept after every record, so that a break repeats one at most."""
    partner = partner_of(app, exchange)
    register, table = get_register(app.library, str(exchange.register))
    with app.db.begin() as connection:
        place, given = _looking_back(str(state_of(connection, exchange.name, lock=True)["cursor"])), 0
    while True:
        with app.db.begin() as connection:
            rows = _changed(connection, exchange, register, table, place)
            known = known_keys(connection, exchange=exchange.name, keys=[_key(row) for row in rows])
            codes: dict[UUID, str] = dict(connection.execute(select(unit.c.id, unit.c.code)).tuples().all()) if rows else {}
        for row in rows:
            if _key(row) not in known:
                _give(app, partner, exchange, register, row, codes, at)
                given += 1
            place = row["updated_at"], row["id"]
            with app.db.begin() as connection:
                connection.execute(exchange_state.update().where(exchange_state.c.name == exchange.name).values(cursor=f"{place[0].isoformat()} {place[1]}"))
        if len(rows) < PAGE:
            return given


def _looking_back(cursor: str) -> tuple[datetime, UUID] | None:
    """Where a run begins: some time before the record that was given last, None from the beginning."""
    moment, _, id = cursor.partition(" ")
    return (datetime.fromisoformat(moment) - OVERLAP, UUID(id)) if cursor else None


def _changed(connection: Any, exchange: Exchange, register: Register, table: Table, after: tuple[datetime, UUID] | None) -> Sequence[RowMapping]:
    query = select(table).where(table.c.deleted_at.is_(None))
    if exchange.where:
        query = query.where(clause_of(read_condition(exchange.where, register), table))
    if after is not None:
        query = query.where(tuple_(table.c.updated_at, table.c.id) > after)
    found: Sequence[RowMapping] = connection.execute(query.order_by(table.c.updated_at, table.c.id).limit(PAGE)).mappings().all()
    return found


def _give(app: Application, partner: ExchangePartner, exchange: Exchange, register: Register, row: RowMapping, codes: Mapping[UUID, str], at: datetime) -> None:
    day = legal_date(row["updated_at"])
    record = {"id": str(row["id"]), "day": day.isoformat(), "unit_code": codes.get(row["unit_id"], ""), "changed_at": row["updated_at"].astimezone(SHANGHAI).isoformat()}
    record |= {name: _plain(row[name], codes) for name in exchange.fields if row[name] is not None and not register.fields[name].secret}
    receipt = partner.push(exchange.feed, record=record, key=_key(row))
    with app.db.begin() as connection:
        keep_item(
            connection, exchange=exchange.name, key=_key(row), day=day, state="refused" if receipt.refused else "done", told=receipt.refused or receipt.number,
            data=record if receipt.refused else None, record_id=row["id"], case_id=row["case_id"], at=at,
        )


def _key(row: RowMapping) -> str:
    return f"{row['id']}:{row['updated_at']:%Y%m%dT%H%M%S%f}"


def _plain(value: Any, codes: Mapping[UUID, str]) -> Any:
    if isinstance(value, UUID):
        return codes.get(value, str(value))
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
