"""When an exchange runs: the clock queues those that are due, the worker does them one at a time, what goes wrong is on the job and on the page."""
from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from engine.access import audit
from engine.access.actors import Actor
from engine.kernel.errors import Invalid
from engine.packs.manifest import Exchange
from engine.runtime.application import Application
from engine.runtime.exchange.give import give_all
from engine.runtime.exchange.listed import exchanges_of, get_exchange, state_of
from engine.runtime.exchange.receive import pull_all
from engine.runtime.job_names import EXCHANGE
from engine.storage.tables.exchanges import exchange_state

OPERATOR = "operator"


def order_exchanges(app: Application, *, at: datetime) -> int:
    """Queue what is due; how many. A stopped one isn't, nor one whose last run still waits or runs."""
    with app.db.begin() as connection:
        held = {row.name: row for row in connection.execute(select(exchange_state))}
        due = [
            one for name, one in exchanges_of(app.catalogue).items()
            if connected(app, one) and (name not in held or (not held[name].stopped and (held[name].asked_at is None or held[name].asked_at <= at - timedelta(minutes=one.every))))
        ]
        return sum(_queue(app, connection, one, at) for one in due)


def connected(app: Application, exchange: Exchange) -> bool:
    """Whether this deployment says where the system answers."""
    factory = app.connectors.find(exchange.system)
    return factory is not None and bool(factory.config(app.settings).url)


def _queue(app: Application, connection: Connection, exchange: Exchange, at: datetime) -> bool:
    state_of(connection, exchange.name, lock=True)
    connection.execute(exchange_state.update().where(exchange_state.c.name == exchange.name).values(asked_at=at))
    lock = f"exchange:{exchange.name}"
    return app.jobs.defer(connection, EXCHANGE, queueing_lock=lock, lock=lock, name=exchange.name) is not None


def exchange_now(app: Application, *, actor: Actor, name: str, at: datetime) -> bool:
    """Queue one at once; False when it is queued already."""
    actor.require(OPERATOR)
    with app.db.begin() as connection:
        return _queue(app, connection, get_exchange(app.catalogue, name), at)


def run_exchange(app: Application, *, name: str) -> None:
    """The job: everything since the last time. What it raises is tried again by the queue and stands on the page meanwhile."""
    exchange, at = get_exchange(app.catalogue, name), app.clock.now()
    try:
        (pull_all if exchange.way == "in" else give_all)(app, exchange, at=at)
    except Exception as problem:
        _note(app, name, problem=str(problem)[:500] or type(problem).__name__, failed=True, at=at)
        raise
    _note(app, name, problem="", failed=False, at=at)


def _note(app: Application, name: str, *, problem: str, failed: bool, at: datetime) -> None:
    t = exchange_state.c
    with app.db.begin() as connection:
        state_of(connection, name, lock=True)
        values = {"problem": problem, "failures": t.failures + 1} if failed else {"problem": "", "failures": 0, "done_at": at}
        connection.execute(exchange_state.update().where(t.name == name).values(values))


def steer_exchange(app: Application, *, actor: Actor, name: str, stop: bool, reason: str, at: datetime) -> None:
    """Stop an exchange or let it run again; on record."""
    actor.require(OPERATOR)
    get_exchange(app.catalogue, name)
    if stop and not reason.strip():
        raise Invalid("请写明为什么停。", fields={"reason": "请写明为什么停。"})
    with app.db.begin() as connection:
        state_of(connection, name, lock=True)
        connection.execute(exchange_state.update().where(exchange_state.c.name == name).values(stopped=stop, stopped_by=actor.name if stop else "", reason=reason.strip()[:200] if stop else ""))
        audit.append(
            connection, chain=audit.chain_of(actor), at=at, actor_id=actor.person_id, actor_name=actor.name, action="exchange.stop" if stop else "exchange.resume", object=name,
            detail={"reason": reason.strip()[:200]},
        )
