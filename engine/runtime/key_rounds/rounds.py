"""Start, run, stop and take up again a round that moves everything to the newest key."""
from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from engine.access.actors import Actor
from engine.access.alarms import SECURITY
from engine.access.audit import note
from engine.kernel.errors import Conflict, Invalid, NotFound
from engine.kernel.ids import new_id
from engine.kernel.sealed_config import seal_configuration
from engine.runtime.application import Application
from engine.runtime.job_names import KEY_ROUND
from engine.runtime.key_rounds.stores import stores
from engine.storage.tables.proof import key_round

KINDS = {"data": "数据密钥（SM4）", "index": "检索密钥（HMAC-SM3）"}
STATES = {"running": ("wait", "进行中"), "done": ("done", "已完成"), "cancelled": ("hold", "已停下"), "failed": ("late", "出错停下")}
BATCH = 200
FIRST = UUID(int=0)


def start_round(app: Application, *, actor: Actor, kind: str, renew: bool, at: datetime, id: UUID | None = None) -> UUID:
    """Make a new key (``renew``), or take up the one there is, and move everything to it in the background.

    Raises Forbidden, Invalid for an unknown kind, Conflict while a round is running or for an ``id`` that was begun already.
    """
    actor.require(SECURITY)
    if kind not in KINDS:
        raise Invalid("没有这种密钥。")
    id = id or new_id()
    try:
        with app.db.begin() as connection:
            values = {"id": id, "kind": kind, "version": 0, "state": "running", "started_by": actor.person_id, "started_name": actor.name, "started_at": at, "updated_at": at}
            connection.execute(insert(key_round).values(values))
            version = _renewed(app, kind) if renew else max(app.keys.versions()[kind])
            total = sum(store.left(connection, _data_version(app)) for store in stores(app, kind))
            connection.execute(update(key_round).where(key_round.c.id == id).values(version=version, total=total))
            app.jobs.defer(connection, KEY_ROUND, round_id=str(id))
            note(connection, actor=actor, at=at, action="keys.round", object=f"{kind}:{version}", detail={"renewed": renew, "rows": total})
    except IntegrityError:
        raise Conflict("已有一轮换密钥在进行，先等它完成，或停下它。") from None
    return id


def _renewed(app: Application, kind: str) -> int:
    return app.keys.renew_data_key().version if kind == "data" else app.keys.renew_index_key()


def _data_version(app: Application) -> int:
    return app.keys.data_key.version


def run_round(app: Application, *, round_id: str) -> None:
    """The job: small commits, each looking first whether the round still runs. Called again it goes on where it stopped."""
    id = UUID(round_id)
    while True:
        with app.db.begin() as connection:
            row = connection.execute(select(key_round).where(key_round.c.id == id).with_for_update()).one()
            if row.state != "running" or _step(app, connection, row):
                return


def _step(app: Application, connection: Connection, row: Row[Any]) -> bool:
    """Move one batch; True when nothing is left. ``place`` is <number of the store>:<last id>."""
    at, known = app.clock.now(), stores(app, row.kind)
    number, _, last = (row.place or f"0:{FIRST}").partition(":")
    store, version = known[int(number)], _data_version(app) if row.kind == "data" else -1
    moved, end = store.move(connection, app.keys, version, after=UUID(last), limit=BATCH)
    if end is not None:
        _note_place(connection, row.id, f"{number}:{end}", row.done + moved, at)
        return False
    if int(number) + 1 < len(known):
        _note_place(connection, row.id, f"{int(number) + 1}:{FIRST}", row.done, at)
        return False
    if row.kind == "data" and any(one.left(connection, version) for one in known):
        _note_place(connection, row.id, f"0:{FIRST}", row.done, at)  # written under the old key while we passed
        return False
    _finish(app, connection, row, at)
    return True


def _note_place(connection: Connection, id: UUID, place: str, done: int, at: datetime) -> None:
    connection.execute(update(key_round).where(key_round.c.id == id).values(place=place, done=done, updated_at=at))


def _finish(app: Application, connection: Connection, row: Row[Any], at: datetime) -> None:
    if row.kind == "data":
        seal_configuration(app.settings.data_dir, app.keys)
    if row.kind == "index":
        app.keys.retire_index_keys(below=row.version)
    connection.execute(update(key_round).where(key_round.c.id == row.id).values(state="done", updated_at=at, ended_at=at))
    note(connection, actor=None, at=at, action="keys.round_done", object=f"{row.kind}:{row.version}", detail={"rows": row.done})


def stop_round(app: Application, *, actor: Actor, round_id: UUID, at: datetime) -> None:
    """Stop after the batch under way; nothing is lost, both keys stay. Raises NotFound when it doesn't run."""
    actor.require(SECURITY)
    with app.db.begin() as connection:
        running = (key_round.c.id == round_id) & (key_round.c.state == "running")
        if not connection.execute(update(key_round).where(running).values(state="cancelled", updated_at=at, ended_at=at)).rowcount:
            raise NotFound("这一轮已经结束。")
        note(connection, actor=actor, at=at, action="keys.round_stop", object=str(round_id))


def round_failed(app: Application, error: BaseException, *, round_id: str) -> None:
    """After the last try: the round can be taken up again from the page."""
    with app.db.begin() as connection:
        words = "出错停下，已换的不受影响，可以接着换；再出错请看后台日志。"
        connection.execute(update(key_round).where(key_round.c.id == UUID(round_id)).values(state="failed", note=words, ended_at=app.clock.now()))


def rounds(connection: Connection) -> list[Row[Any]]:
    """The last rounds, the newest first."""
    return list(connection.execute(select(key_round).order_by(key_round.c.started_at.desc(), key_round.c.id.desc()).limit(20)))
