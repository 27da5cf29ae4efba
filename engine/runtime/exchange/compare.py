"""对账: what the other side says of a day against what is on record here; what is missing is fetched, what was refused tried again."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from engine.access.actors import Actor
from engine.kernel.errors import Invalid
from engine.runtime.application import Application
from engine.runtime.exchange.contract import PAGE, Item
from engine.runtime.exchange.listed import get_exchange
from engine.runtime.exchange.partner import partner_of
from engine.runtime.exchange.purge import cleared
from engine.runtime.exchange.receive import take_items
from engine.runtime.exchange.run_exchange import OPERATOR
from engine.storage.tables.exchanges import exchange_item


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Of one day: how many each side has, which keys only they or only we have, and which are here but refused.

    ``cleared`` is how many of ours are counted only, their time being over: then single keys are not compared.
    """

    day: date
    theirs: int
    ours: int
    missing: Sequence[str]
    surplus: Sequence[str]
    refused: Sequence[str]
    cleared: int | None = None

    @property
    def even(self) -> bool:
        if self.cleared is not None and self.theirs != self.ours:
            return False
        return not (self.missing or self.surplus or self.refused)


def compare_day(app: Application, *, name: str, day: date) -> Compared:
    """Ask the system about ``day``; raises TryAgain when it does not answer."""
    exchange = get_exchange(app.catalogue, name)
    theirs = set(partner_of(app, exchange).keys_of(exchange.feed, day=day))
    t = exchange_item.c
    with app.db.connect() as connection:
        ours = {row.key: row.state for row in connection.execute(select(t.key, t.state).where(t.exchange == name, t.day == day))}
        gone = cleared(connection, exchange=name, day=day)
    if gone is not None:
        refused = sorted(key for key, state in ours.items() if state != "done")
        return Compared(day=day, theirs=len(theirs), ours=gone + len(ours), missing=[], surplus=[], refused=refused, cleared=gone)
    taken = {key for key, state in ours.items() if state == "done"}
    return Compared(
        day=day, theirs=len(theirs), ours=len(ours), missing=sorted(theirs - set(ours)), surplus=sorted(taken - theirs), refused=sorted(key for key, state in ours.items() if state != "done"),
    )


def fetch_missing(app: Application, *, actor: Actor, name: str, keys: Sequence[str], at: datetime) -> int:
    """Fetch items by their keys, also such as were refused before; how many were looked at."""
    actor.require(OPERATOR)
    exchange = get_exchange(app.catalogue, name)
    if exchange.way != "in" or not keys or len(keys) > PAGE:
        raise Invalid(f"选 1 到 {PAGE} 条要补取的来件。")
    found: Sequence[Item] = partner_of(app, exchange).fetch(exchange.feed, keys=list(keys))
    return take_items(app, exchange, found, at=at, again=True)
