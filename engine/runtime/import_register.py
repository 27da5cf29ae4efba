"""Records from an Excel file: every row checked first, then all or the right ones written at once, and taken back while untouched."""
from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Table, func, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access import audit
from engine.access.actors import Actor, load_actor
from engine.kernel.clock import legal_date
from engine.kernel.errors import Forbidden, Invalid
from engine.kernel.ids import new_id
from engine.registers.catalogue import get_register
from engine.registers.check_rows import Names, Plan, plan_columns
from engine.registers.copy_records import copy_records
from engine.registers.declaration import Register
from engine.registers.excel import REQUIRED_MARK, write_wrong_rows
from engine.registers.row_choice import chosen, read_choice
from engine.registers.transfers import Progress, add_transfer, alone, move, transfer, transfer_of
from engine.registers.workbook import read_rows
from engine.runtime.application import Application
from engine.runtime.export_register import mark_of
from engine.runtime.job_names import CHECK_IMPORT, UNDO_IMPORT, WRITE_IMPORT
from engine.runtime.number_record import number_records
from engine.runtime.place_rows import found_places, import_options, placed_rows
from engine.runtime.queries.record_titles import known_titles
from engine.runtime.queries.record_words import dictionaries_of
from engine.runtime.register_rights import may_import
from engine.runtime.transfer_jobs import defer_transfer, ending, keep_file
from engine.storage.tables.organisation import person, unit
from engine.storage.tables.registers import record_history, register_transfer

TOLD = 200
BATCH = 5_000


def start_import(app: Application, *, actor: Actor, register: str, name: str, data: bytes, at: datetime, options: Mapping[str, Any] | None = None) -> UUID:
    """Keep the file and have every row checked by the worker; the import's id. ``options``: ``datum``, ``locate``. Raises Forbidden, Invalid, TooLarge."""
    declared, _ = get_register(app.library, register)
    require_import(app, declared, actor, at)
    chosen = import_options(options or {})
    sm3 = keep_file(app, data)
    with app.db.begin() as connection:
        id = add_transfer(connection, register=register, kind="import", state="checking", actor=actor, at=at, file_name=name, source_sm3=sm3, options=chosen)
        defer_transfer(app, connection, CHECK_IMPORT, id)
    return id


def require_import(app: Application, register: Register, actor: Actor, at: datetime) -> None:
    """Raise Forbidden unless the actor may bring records into ``register``."""
    if not register.importable:
        raise Forbidden(f"“{register.title}”由办案自动记入或经流程修改，不能从 Excel 导入。")
    with app.db.connect() as connection:
        _require_importer(connection, register, actor, at)


def _require_importer(connection: Connection, register: Register, actor: Actor, at: datetime) -> None:
    if not may_import(connection, register=register, actor=actor, on=legal_date(at)):
        raise Forbidden(f"您不负责维护“{register.title}”，不能导入。请找负责导入的同事。")


def confirm_import(app: Application, *, actor: Actor, register: str, import_id: UUID, at: datetime, rows: str = "") -> None:
    """Write the rows that are right, of those that ``rows`` names ("2-500、620", "" for all). Raises AlreadyDone when it was confirmed or cancelled, Invalid when no row is right."""
    picked = read_choice(rows)
    declared, _ = get_register(app.library, register)
    require_import(app, declared, actor, at)
    with app.db.begin() as connection:
        row = transfer_of(connection, id=import_id, register=register, person_id=actor.person_id, lock=True)
        if row["total"] == row["wrong"]:
            raise Invalid("没有一行可以导入，请照标出的问题改好再传。")
        move(connection, id=import_id, since=("checked",), to="writing", at=at, done=0, written_at=at, options={**row["options"], "rows": picked})
        defer_transfer(app, connection, WRITE_IMPORT, import_id)


def cancel_transfer(app: Application, *, actor: Actor, register: str, transfer_id: UUID, at: datetime) -> None:
    """Stop what is under way; of a half-written import nothing stays. Raises AlreadyDone when it has ended."""
    with app.db.begin() as connection:
        row = transfer_of(connection, id=transfer_id, register=register, person_id=actor.person_id, lock=True)
        if row["state"] == "checked":
            move(connection, id=transfer_id, since=("checked",), to="cancelled", at=at)
        else:
            move(connection, id=transfer_id, since=("waiting", "checking", "writing"), to=row["state"], at=at, cancelled=True)


def undo_import(app: Application, *, actor: Actor, register: str, import_id: UUID, at: datetime) -> None:
    """Take all records of an import back, as long as nobody changed one of them since."""
    declared, _ = get_register(app.library, register)
    require_import(app, declared, actor, at)
    with app.db.begin() as connection:
        transfer_of(connection, id=import_id, register=register, person_id=actor.person_id, lock=True)
        move(connection, id=import_id, since=("done",), to="undoing", at=at, note="")
        defer_transfer(app, connection, UNDO_IMPORT, import_id)


def check_import(app: Application, *, transfer_id: str) -> None:
    """The job: read and judge every row; write nothing but what was found."""
    id, at = UUID(transfer_id), app.clock.now()
    with app.db.connect() as connection:
        row = transfer(connection, id=id)
        if row["state"] != "checking":
            return
        with ending(app, id, at, since="checking"):
            values = _judge_all(app, connection, row, at)
            with app.db.begin() as writing:
                move(writing, id=id, since=("checking",), to="checked", at=at, **values)


def _judge_all(app: Application, connection: Connection, row: RowMapping, at: datetime) -> dict[str, Any]:
    """What the transfer's row is to say after the check; the wrong rows as a file of their own."""
    register, _ = get_register(app.library, row["register"])
    actor = load_actor(connection, row["account_id"], row["post_id"], legal_date(at))
    titles, total, rows = read_rows(app.blobs.get(row["source_sm3"]))
    plan = _plan(app, connection, register, actor, titles, row, at)
    places = placed_rows(app, connection, register=register, transfer=row)
    if not total:
        raise Invalid("表里除了第一行没有内容，没有可导入的行。")
    progress, problems = Progress(app.db, row["id"]), list[dict[str, Any]]()
    with app.db.begin() as writing:
        writing.execute(update(register_transfer).where(register_transfer.c.id == row["id"]).values(total=total))
    found = {"total": 0, "wrong": 0}

    def wrong_rows() -> Iterator[tuple[int, Sequence[Any], Mapping[int, str]]]:
        for number, cells in _filled(rows):
            found["total"] += 1
            values, wrong = plan.check(cells)
            progress.tell(number // (2 if places.locator else 1))
            if not wrong:
                places.note(values, number)
            else:
                found["wrong"] += 1
                problems.extend({"row": number, "title": titles[column].removesuffix(REQUIRED_MARK), "text": text} for column, text in wrong.items() if len(problems) < TOLD)
                yield number, cells, wrong

    with tempfile.TemporaryDirectory(prefix="guicheng-import-") as folder:
        path = Path(folder) / "wrong.xlsx"
        write_wrong_rows(path, register, titles, wrong_rows(), mark=mark_of(actor, at, "导入检查"))
        half = found["total"] // 2 if places.locator else found["total"]
        progress.tell(half, force=True)
        places.locate_all(lambda seen: progress.tell(half + seen // 2))
        sm3 = app.blobs.put(path.read_bytes()) if found["wrong"] else None
    return {**found, "done": found["total"], "problems": problems[:TOLD], "result_sm3": sm3, "located": places.located, "doubtful": places.doubtful, "doubts": places.doubts, "options": {**row["options"], "places": places.keep(app)}}


def _filled(rows: Iterator[list[Any]]) -> Iterator[tuple[int, list[Any]]]:
    """(row number in the file, cells) of every row that isn't empty."""
    for number, cells in enumerate(rows, start=2):
        if any(cell not in ("", None) for cell in cells):
            yield number, cells


def _plan(app: Application, connection: Connection, register: Register, actor: Actor, titles: Sequence[str], row: RowMapping, at: datetime) -> Plan:
    fields = list(register.fields.values())
    names = Names(people=_people(connection) if any(f.type == "person" for f in fields) else {}, units=_units(connection) if any(f.type == "unit" for f in fields) else {})
    names = replace(names, records={f.name: known_titles(connection, library=app.library, actor=actor, field=f) for f in fields if f.type == "record"})
    return plan_columns(register, titles, dictionaries=dictionaries_of(connection, fields), names=names, on=legal_date(at), datum=row["options"].get("datum", "cgcs2000"))


def _people(connection: Connection) -> dict[str, list[UUID]]:
    found: dict[str, list[UUID]] = {}
    for row in connection.execute(select(person.c.id, person.c.name, person.c.certificate_number).where(person.c.active)):
        for word in filter(None, (row.name, row.certificate_number)):
            found.setdefault(word, []).append(row.id)
    return found


def _units(connection: Connection) -> dict[str, list[UUID]]:
    found: dict[str, list[UUID]] = {}
    for row in connection.execute(select(unit.c.id, unit.c.name, unit.c.short_name).where(unit.c.active)):
        for word in {row.name, row.short_name} - {"", None}:
            found.setdefault(word, []).append(row.id)
    return found


def write_import(app: Application, *, transfer_id: str) -> None:
    """The job: all right rows in one transaction, with a history row each."""
    id, at = UUID(transfer_id), app.clock.now()
    with ending(app, id, at, since="writing"), app.db.begin() as connection:
        row = alone(connection, id=id)
        if row["state"] != "writing":
            return
        register, _ = get_register(app.library, row["register"])
        actor = load_actor(connection, row["account_id"], row["post_id"], legal_date(at))
        _require_importer(connection, register, actor, at)
        written, left = _write_all(app, connection, register, actor, row, at)
        if not written:
            raise Invalid("选的行里没有一行可以导入，没有导入任何内容。请重新上传，核对行号。")
        if written + left != row["total"] - row["wrong"]:
            raise Invalid("检查之后字典或人员有变动，结果和检查时不一样，没有导入任何内容。请重新上传检查。")
        move(connection, id=id, since=("writing",), to="done", at=at, done=written, written_at=at)
        _note(connection, actor, register, id, "register.import", written, at)


def _write_all(app: Application, connection: Connection, register: Register, actor: Actor, row: RowMapping, at: datetime) -> tuple[int, int]:
    """(rows that were written, right rows that were not chosen)."""
    titles, _, rows = read_rows(app.blobs.get(row["source_sm3"]))
    picked, left = row["options"].get("rows", []), 0
    plan, progress = _plan(app, connection, register, actor, titles, row, at), Progress(app.db, row["id"])
    places = found_places(app, register=register, transfer=row)
    written, batch = 0, list[dict[str, Any]]()
    for number, cells in _filled(rows):
        values, wrong = plan.check(cells)
        if not wrong and not chosen(number, picked):
            left += 1
        elif not wrong:
            places.fill(values, number)
            batch.append(values)
        if len(batch) >= BATCH:
            written += _copied(app, connection, register, batch, row, at)
            progress.tell(written)
            batch.clear()
    if batch:
        written += _copied(app, connection, register, batch, row, at)
    progress.tell(written, force=True)
    return written, left


def _copied(app: Application, connection: Connection, register: Register, batch: Sequence[Mapping[str, Any]], row: RowMapping, at: datetime) -> int:
    rows = number_records(app, connection, register=register, rows=batch, unit_id=row["unit_id"], at=at)
    return copy_records(connection, register=register, keys=app.keys, rows=rows, origin=row, at=at)


def undo_written(app: Application, *, transfer_id: str) -> None:
    """The job: soft-delete what the import made, or say that somebody has touched it."""
    id, at = UUID(transfer_id), app.clock.now()
    with app.db.begin() as connection:
        row = alone(connection, id=id)
        if row["state"] != "undoing":
            return
        register, table = get_register(app.library, row["register"])
        actor = load_actor(connection, row["account_id"], row["post_id"], legal_date(at))
        made = select(record_history.c.record_id).where(record_history.c.import_id == id)
        connection.execute(select(table.c.id).where(table.c.id.in_(made)).with_for_update())
        touched = connection.scalar(select(func.count()).select_from(table).where(table.c.id.in_(made), table.c.updated_at != row["written_at"])) or 0
        if touched:
            move(connection, id=id, since=("undoing",), to="done", at=at, note=f"有 {touched} 条导入后被改过或删过，没有撤销。请逐条处理，或先改回去。")
            return
        taken = _take_back(connection, table, id, row, made, at)
        move(connection, id=id, since=("undoing",), to="undone", at=at, note="")
        _note(connection, actor, register, id, "register.import.undo", taken, at)


def _take_back(connection: Connection, table: Table, id: UUID, row: RowMapping, made: Any, at: datetime) -> int:
    why = f"撤销导入 {row['file_name']}"
    taken = list(connection.scalars(
        update(table).where(table.c.id.in_(made)).values(deleted_at=at, updated_at=at, deleted_reason=why).returning(table.c.id)
    ))
    lines = [
        {"id": new_id(), "register": row["register"], "record_id": record_id, "at": at, "by_id": row["person_id"], "by_name": row["person_name"], "reason": why,
         "changes": {"deleted_at": [None, at.isoformat()]}}
        for record_id in taken
    ]
    if lines:
        connection.execute(insert(record_history), lines)
    return len(taken)


def transfer_failed(app: Application, error: BaseException, *, transfer_id: str) -> None:
    """After the last try of a job: say so on the page that waits."""
    id, at = UUID(transfer_id), app.clock.now()
    with app.db.begin() as connection:
        state = transfer(connection, id=id)["state"]
        if state in ("waiting", "checking", "writing", "undoing"):
            to, note = ("done", "没有撤销成，记录都还在，请稍后再试。") if state == "undoing" else ("failed", "没有办成，没有写入任何内容。请稍后再试；多次不行请告诉管理员。")
            move(connection, id=id, since=(state,), to=to, at=at, note=note)


def _note(connection: Connection, actor: Actor, register: Register, id: UUID, action: str, rows: int, at: datetime) -> None:
    audit.append(
        connection, chain=audit.chain_of(actor), at=at, actor_id=actor.person_id, actor_name=actor.name, action=action, object=f"{register.name}:{id}",
        detail={"rows": rows},
    )
