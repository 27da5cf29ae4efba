"""Items of an exchange whose declared time is over: each day is counted, then its items go; what was refused stays until somebody has seen to it."""
from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from engine.access import audit
from engine.kernel.clock import legal_date
from engine.packs.manifest import Exchange
from engine.runtime.application import Application
from engine.runtime.exchange.listed import exchanges_of
from engine.storage.tables.exchanges import exchange_day, exchange_item

BATCH, MOST_DAYS = 5000, 60
"""Items that go in one statement, and days of one exchange that one run clears at most."""


def purge_items(app: Application, *, at: datetime) -> int:
    """Clear every exchange of days older than it keeps them; how many items went. A day that is half cleared is gone on with the next time."""
    return sum(_purge(app, exchange, at) for exchange in exchanges_of(app.catalogue).values())


def last_day(exchange: Exchange, on: date) -> date:
    """The newest day whose items go on the day ``on``."""
    return on - timedelta(days=exchange.keep + 1)


def _purge(app: Application, exchange: Exchange, at: datetime) -> int:
    t, gone = exchange_item.c, 0
    with app.db.connect() as connection:
        ended = select(t.day).where(t.exchange == exchange.name, t.day <= last_day(exchange, legal_date(at)), t.state == "done")
        days = list(connection.scalars(ended.group_by(t.day).order_by(t.day).limit(MOST_DAYS)))
    for day in days:
        while True:
            with app.db.begin() as connection:
                went = _portion(connection, exchange.name, day, at)
            gone += went
            if went < BATCH:
                break
    if gone:
        with app.db.begin() as connection:
            audit.note(connection, actor=None, at=at, action="exchange.purge", object=exchange.name, detail={"items": gone, "days": len(days), "until": days[-1].isoformat()})
    return gone


def _portion(connection: Connection, name: str, day: date, at: datetime) -> int:
    """Count a portion of the day into its total and take it out, both or neither."""
    t, d = exchange_item.c, exchange_day.c
    some = select(t.id).where(t.exchange == name, t.day == day, t.state == "done").limit(BATCH).with_for_update(skip_locked=True)
    went = connection.execute(delete(exchange_item).where(t.id.in_(some))).rowcount
    if went:
        new = insert(exchange_day).values(exchange=name, day=day, done=went, cleared_at=at)
        connection.execute(new.on_conflict_do_update(index_elements=["exchange", "day"], set_={"done": d.done + went, "cleared_at": at}))
    return went


def cleared(connection: Connection, *, exchange: str, day: date) -> int | None:
    """How many items of ``day`` were taken and have been cleared since; None when none have."""
    d = exchange_day.c
    return connection.scalar(select(func.sum(d.done)).where(d.exchange == exchange, d.day == day))
