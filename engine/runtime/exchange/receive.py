"""Items that come: each begins a process or becomes a record, once; what is not taken is kept with the reason."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select

from engine.kernel.clock import legal_date
from engine.kernel.errors import GuichengError, Invalid, TryAgain, Unavailable
from engine.packs.manifest import Exchange
from engine.registers.catalogue import get_register
from engine.registers.declaration import Register
from engine.registers.write_record import write_record
from engine.runtime.application import Application
from engine.runtime.exchange.contract import PAGE, Item
from engine.runtime.exchange.listed import keep_item, known_keys, state_of
from engine.runtime.exchange.partner import partner_of
from engine.runtime.receiving_unit import receiving_unit
from engine.runtime.start_on_message import start_on_message
from engine.storage.tables.exchanges import exchange_state
from engine.storage.tables.organisation import unit

ROOM = UUID("6f0e1e46-5d0f-4c1e-9a55-3f9d0a7f5a10")
UNIT = "unit_code"


def pull_all(app: Application, exchange: Exchange, *, at: datetime) -> int:
    """Page after page from where the last one ended; how many items were new. The place is kept after every page, so that a break loses nothing."""
    partner = partner_of(app, exchange)
    with app.db.begin() as connection:
        after, taken = str(state_of(connection, exchange.name, lock=True)["cursor"]), 0
    while True:
        page = partner.pull(exchange.feed, after=after, most=PAGE)
        taken += take_items(app, exchange, page.items, at=at)
        with app.db.begin() as connection:
            connection.execute(exchange_state.update().where(exchange_state.c.name == exchange.name).values(cursor=page.after))
        if not page.more or page.after == after:
            return taken
        after = page.after


def take_items(app: Application, exchange: Exchange, items: Sequence[Item], *, at: datetime, again: bool = False) -> int:
    """Take what isn't on record yet; with ``again`` also what was refused before. How many were looked at."""
    with app.db.connect() as connection:
        known = known_keys(connection, exchange=exchange.name, keys=[item.key for item in items], done=again)
    fresh = [item for item in items if item.key not in known]
    for item in fresh:
        _take(app, exchange, item, at)
    return len(fresh)


def _take(app: Application, exchange: Exchange, item: Item, at: datetime) -> None:
    data = {**item.data, **exchange.adds}
    found: dict[str, Any] = {"state": "refused", "told": item.problem}
    if not item.problem:
        try:
            found = {"state": "done", "told": "", **(_begin(app, exchange, item, data, at) if exchange.message else _record(app, exchange, data, at))}
        except (TryAgain, Unavailable):
            raise
        except GuichengError as problem:
            found["told"] = _words(problem)
    with app.db.begin() as connection:
        keep_item(connection, exchange=exchange.name, key=item.key, day=item.day, data=item.data, at=at, **found)


def _words(problem: GuichengError) -> str:
    fields = getattr(problem, "fields", None) or {}
    return problem.message + ("（" + "；".join(f"{name}：{text}" for name, text in fields.items()) + "）" if fields else "")


def _begin(app: Application, exchange: Exchange, item: Item, data: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    key = str(uuid5(ROOM, f"{exchange.name}:{item.key}"))
    begun = start_on_message(app, message=str(exchange.message), payload=data, key=key, at=at)
    return {"case_id": begun.case_id}


def _record(app: Application, exchange: Exchange, data: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The item as a record of the register: the one whose ``key`` field is the same, or a new one of the unit that ``unit_code`` names."""
    register, table = get_register(app.library, str(exchange.register))
    values = {name: value for name, value in data.items() if name in register.fields}
    called = values.get(str(exchange.key))
    if not called:
        raise Invalid(f"来件没有“{register.fields[str(exchange.key)].title}”，认不出是哪一条。")
    _check_required(register, values)
    id = uuid5(ROOM, f"{register.name}:{called}")
    with app.db.begin() as connection:
        owner = receiving_unit(connection, str(data.get(UNIT, "")), data)
        district = connection.scalar(select(unit.c.district_id).where(unit.c.id == owner))
        for name, field in register.fields.items():
            if field.type == "unit" and name in values:
                values[name] = str(receiving_unit(connection, str(values[name]), data))
        write_record(
            connection, register=register, table=table, record_id=id, values=values, case_id=None, unit_id=owner, district_id=district, keys=app.keys, at=at, by_id=None,
            by_name=exchange.title, reason=f"数据交换 {legal_date(at):%Y-%m-%d}",
        )
    return {"record_id": id}


def _check_required(register: Register, values: Mapping[str, Any]) -> None:
    missing = [field.title for name, field in register.fields.items() if field.required and values.get(name) in (None, "", [])]
    if missing:
        raise Invalid(f"来件缺少：{'、'.join(missing)}。")
