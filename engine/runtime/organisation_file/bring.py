"""An import from upload to undo: the file is kept, judged by the worker, shown, written in one transaction, taken back."""
from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from engine.access.actors import Actor, load_actor
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, Invalid
from engine.registers.excel import write_wrong_sheets
from engine.registers.transfers import add_transfer, alone, move, transfer, transfer_of
from engine.runtime.application import Application
from engine.runtime.export_register import mark_of
from engine.runtime.job_names import CHECK_ORGANISATION, UNDO_ORGANISATION, WRITE_ORGANISATION
from engine.runtime.organisation_file.judge import digest, judge
from engine.runtime.organisation_file.lines import Judged
from engine.runtime.organisation_file.shape import NAME
from engine.runtime.organisation_file.write import plan_rows, take_back, write_changes
from engine.runtime.organising.perform import ADMIN, Done, perform
from engine.runtime.transfer_jobs import defer_transfer, ending, keep_file

TOLD = 200


def bring_file(app: Application, *, actor: Actor, name: str, data: bytes, at: datetime) -> UUID:
    """Keep the file and have every row judged; the import's id. Raises Forbidden, Invalid, TooLarge."""
    actor.require(ADMIN)
    sm3 = keep_file(app, data)
    with app.db.begin() as connection:
        id = add_transfer(connection, register=NAME, kind="import", state="checking", actor=actor, at=at, file_name=name, source_sm3=sm3)
        defer_transfer(app, connection, CHECK_ORGANISATION, id)
    return id


def confirm_file(app: Application, *, actor: Actor, import_id: UUID, reason: str, at: datetime) -> None:
    """Write the rows that are right. Raises AlreadyDone when it was confirmed or cancelled, Invalid without a reason."""
    actor.require(ADMIN)
    if not reason.strip():
        raise Invalid("请写明原因或依据，没有导入。", fields={"reason": "例如：文号、会议决定、工作需要。"})
    with app.db.begin() as connection:
        transfer_of(connection, id=import_id, register=NAME, person_id=actor.person_id, lock=True)
        move(connection, id=import_id, since=("checked",), to="writing", at=at, done=0, written_at=at, note=reason.strip()[:500])
        defer_transfer(app, connection, WRITE_ORGANISATION, import_id)


def cancel_file(app: Application, *, actor: Actor, import_id: UUID, at: datetime) -> None:
    """Nothing of it is written. Raises AlreadyDone when it is being written or has ended."""
    actor.require(ADMIN)
    with app.db.begin() as connection:
        transfer_of(connection, id=import_id, register=NAME, person_id=actor.person_id, lock=True)
        move(connection, id=import_id, since=("checking", "checked"), to="cancelled", at=at)


def undo_file(app: Application, *, actor: Actor, import_id: UUID, at: datetime) -> None:
    """Take the whole import back as long as nobody touched what it wrote."""
    actor.require(ADMIN)
    with app.db.begin() as connection:
        transfer_of(connection, id=import_id, register=NAME, person_id=actor.person_id, lock=True)
        move(connection, id=import_id, since=("done",), to="undoing", at=at)
        defer_transfer(app, connection, UNDO_ORGANISATION, import_id)


def check_organisation(app: Application, *, transfer_id: str) -> None:
    """The job: judge every row; what it would do and what is wrong can be read, nothing is written."""
    id, at = UUID(transfer_id), app.clock.now()
    with app.db.connect() as connection:
        row = transfer(connection, id=id)
        if row["state"] != "checking":
            return
        with ending(app, id, at, since="checking"):
            actor = load_actor(connection, row["account_id"], row["post_id"], legal_date(at))
            judged = judge(connection, app.blobs.get(row["source_sm3"]), keys=app.keys, at=at)
            values = {"total": judged.total, "done": len(judged.changes), "wrong": judged.wrong, "problems": judged.problems(TOLD), "query": digest(judged)}
            with app.db.begin() as writing:
                plan_rows(writing, judged, import_id=id)
                move(writing, id=id, since=("checking",), to="checked", at=at, result_sm3=_wrong_file(app, judged, actor, at), **values)


def _wrong_file(app: Application, judged: Judged, actor: Actor, at: datetime) -> str | None:
    if not judged.wrong:
        return None
    parts = []
    for title, lines in judged.lines.items():
        wrong = [(line.number, line.cells, line.wrong) for line in lines if line.wrong]
        if wrong:
            parts.append((title, judged.titles[title], wrong))
    with tempfile.TemporaryDirectory(prefix="guicheng-import-") as folder:
        path = Path(folder) / "wrong.xlsx"
        write_wrong_sheets(path, parts, mark=mark_of(actor, at, "导入检查"))
        return app.blobs.put(path.read_bytes())


def _asked(app: Application, id: UUID, at: datetime) -> tuple[RowMapping, Actor]:
    """The import as it stands, and who asked for it with the rights of today."""
    with app.db.connect() as connection:
        row = transfer(connection, id=id)
        return row, load_actor(connection, row["account_id"], row["post_id"], legal_date(at))


def write_organisation(app: Application, *, transfer_id: str) -> None:
    """The job: judge again under the organisation's lock, and write when it would do what was shown."""
    id, at = UUID(transfer_id), app.clock.now()
    row, actor = _asked(app, id, at)
    if row["state"] != "writing":
        return

    def do(connection: Connection) -> Done:
        held = alone(connection, id=id)
        if held["state"] != "writing":
            raise Conflict("这次导入已经办过。")
        judged = judge(connection, app.blobs.get(row["source_sm3"]), keys=app.keys, at=at)
        if digest(judged) != row["query"]:
            raise Invalid("检查之后组织有变动，结果和检查时不一样，没有导入任何内容。请重新上传检查。")
        if not judged.changes:
            raise Invalid("和现在的组织一样，没有要写入的。")
        count = write_changes(connection, judged, import_id=id, actor=actor, reason=f"导入 {row['file_name']}：{row['note']}", keys=app.keys, at=at)
        move(connection, id=id, since=("writing",), to="done", at=at, done=count, written_at=at)
        return Done(text=f"从 {row['file_name']} 导入组织，{count} 处", detail=_proof(row, count))

    with ending(app, id, at, since="writing"):
        perform(app, actor=actor, right=ADMIN, verb="import_file", key=f"import/{id}", at=at, do=do, reason=row["note"], why_required=True)


def undo_organisation(app: Application, *, transfer_id: str) -> None:
    """The job: everything back as it was, or why not."""
    id, at = UUID(transfer_id), app.clock.now()
    row, actor = _asked(app, id, at)
    if row["state"] != "undoing":
        return

    def do(connection: Connection) -> Done:
        alone(connection, id=id)
        count = take_back(connection, import_id=id)
        move(connection, id=id, since=("undoing",), to="undone", at=at, note="")
        return Done(text=f"撤销从 {row['file_name']} 的导入，{count} 处", detail=_proof(row, count))

    try:
        perform(app, actor=actor, right=ADMIN, verb="undo_import", key=f"undo/{id}/{at.isoformat()}", at=at, do=do)
    except Conflict as problem:
        with app.db.begin() as connection:
            move(connection, id=id, since=("undoing",), to="done", at=at, note=problem.message)


def _proof(row: RowMapping, count: int) -> dict[str, Any]:
    return {"file": row["file_name"], "sm3": row["source_sm3"], "changes": count}
