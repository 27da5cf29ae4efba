"""A list of records as an Excel file: at once when it is short, by the worker when it is long."""
from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl
from uuid import UUID

from sqlalchemy import Connection, Table

from engine.access import audit
from engine.access.actors import Actor, load_actor
from engine.access.notices import NewNotice, send_notices
from engine.kernel.clock import SHANGHAI, legal_date
from engine.kernel.errors import AlreadyDone, TooLarge
from engine.kernel.names import name_of, pack_of
from engine.registers.catalogue import get_register
from engine.registers.declaration import Register
from engine.registers.excel import WIDTHS, Sheet, cell_of
from engine.registers.filters import Asked, read_asked
from engine.registers.granted import for_reader
from engine.registers.transfers import Cancelled, Progress, add_transfer, alone, move, transfer
from engine.runtime.application import Application
from engine.runtime.job_names import EXPORT_REGISTER
from engine.runtime.queries import registers as query
from engine.runtime.queries.pages import EXACT_LIMIT
from engine.runtime.register_rights import require_export
from engine.runtime.transfer_jobs import defer_transfer

MOST = 500_000


@dataclass(frozen=True, kw_only=True)
class Exported:
    """``sm3`` of the finished file, or ``transfer_id`` of the order that the worker carries out."""

    sm3: str | None = None
    transfer_id: UUID | None = None


def export_list(app: Application, *, actor: Actor, register: str, asked: Asked, at: datetime) -> Exported:
    """The actor's list as it is narrowed, ordered and shown. Raises TooLarge above half a million rows."""
    declared, table = get_register(app.library, register)
    require_export(declared, actor)
    declared = for_reader(declared, actor)
    with app.db.connect() as connection:
        total = query.count(connection, actor=actor, register=declared, table=table, asked=asked, limit=EXACT_LIMIT)
        if total > EXACT_LIMIT:
            total = query.count(connection, actor=actor, register=declared, table=table, asked=asked, limit=MOST)
    if total > MOST:
        raise TooLarge(f"要导出的超过 {MOST} 条，请先筛选再导出。", code="too_many_rows")
    if total <= EXACT_LIMIT:
        return Exported(sm3=_export_now(app, actor, declared, table, asked, at))
    with app.db.begin() as connection:
        id = add_transfer(
            connection, register=register, kind="export", state="waiting", actor=actor, at=at, query=asked.address, total=total, file_name=file_name(declared, at),
        )
        defer_transfer(app, connection, EXPORT_REGISTER, id)
    return Exported(transfer_id=id)


def file_name(register: Register, at: datetime) -> str:
    """``雨伞库存 20261120-0900.xlsx``."""
    return f"{register.title} {at.astimezone(SHANGHAI):%Y%m%d-%H%M}.xlsx"


def mark_of(actor: Actor, at: datetime, word: str) -> str:
    """What every printed page of a file says: who took it out, and when."""
    return f"{actor.name}　{actor.unit_name}　{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M} {word}"


def _export_now(app: Application, actor: Actor, register: Register, table: Table, asked: Asked, at: datetime) -> str:
    with app.db.connect() as connection:
        sm3, rows = _build(app, connection, actor, register, table, asked, at, tell=None)
    with app.db.begin() as connection:
        _note(connection, actor, register, asked, rows, at)
    return sm3


def make_export(app: Application, *, transfer_id: str) -> None:
    """The job: the file as its orderer may see the list now, kept and told."""
    id, at = UUID(transfer_id), app.clock.now()
    progress = Progress(app.db, id)
    with app.db.connect() as connection:
        order = transfer(connection, id=id)
        if order["state"] != "waiting" or order["cancelled"]:
            _stopped(app, id, at)
            return
        actor = load_actor(connection, order["account_id"], order["post_id"], legal_date(at))
        register, table = get_register(app.library, order["register"])
        require_export(register, actor)
        register = for_reader(register, actor)
        asked = read_asked(register, parse_qsl(order["query"]), on=legal_date(at))
        try:
            sm3, rows = _build(app, connection, actor, register, table, asked, at, tell=progress.tell)
        except Cancelled:
            _stopped(app, id, at)
            return
    with app.db.begin() as connection:
        if alone(connection, id=id)["state"] != "waiting":
            return
        move(connection, id=id, since=("waiting",), to="done", at=at, result_sm3=sm3, done=rows, total=rows)
        link = f"/registers/{pack_of(register.name)}/{name_of(register.name)}/transfers/{id}"
        send_notices(connection, notices=[NewNotice(person_id=actor.person_id, kind="system", text=f"{register.title}导出好了，共 {rows} 条", link=link)], at=at)
        _note(connection, actor, register, asked, rows, at)


def _stopped(app: Application, id: UUID, at: datetime) -> None:
    with suppress(AlreadyDone), app.db.begin() as connection:
        move(connection, id=id, since=("waiting",), to="cancelled", at=at)


def _build(
    app: Application, connection: Connection, actor: Actor, register: Register, table: Table, asked: Asked, at: datetime, *, tell: Callable[[int], None] | None,
) -> tuple[str, int]:
    """(SM3 of the stored file, number of rows)."""
    fields = query.shown_fields(register, asked)
    titles = [*(f"{one.title}（元）" if one.type == "money" else one.title for one in fields), *(["案件"] if register.case != "none" else []), "单位", "更新时间"]
    with tempfile.TemporaryDirectory(prefix="guicheng-export-") as folder:
        path = Path(folder) / "list.xlsx"
        sheet = Sheet(path, title=register.title, mark=mark_of(actor, at, "导出"))
        sheet.heading(titles, [*(WIDTHS.get(one.type, 20) for one in fields), *([24] if register.case != "none" else []), 16, 18])
        rows = 0
        for portion in query.every(connection, actor=actor, register=register, table=table, asked=asked):
            for record in portion:
                for column, one in enumerate(fields):
                    sheet.write(column, cell_of(one, record.values[one.name], record.cells[one.name]), one.type)
                tail = [*([record.case] if register.case != "none" else []), record.unit]
                for column, text in enumerate(tail, start=len(fields)):
                    sheet.write(column, text)
                sheet.write(len(titles) - 1, record.updated_at, "datetime")
                sheet.next()
            rows += len(portion)
            if tell is not None:
                tell(rows)
        sheet.close()
        return app.blobs.put(path.read_bytes()), rows


def _note(connection: Connection, actor: Actor, register: Register, asked: Asked, rows: int, at: datetime) -> None:
    audit.append(
        connection, chain=audit.chain_of(actor), at=at, actor_id=actor.person_id, actor_name=actor.name, action="register.export", object=register.name,
        detail={"rows": rows, "query": asked.address},
    )
