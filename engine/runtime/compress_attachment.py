"""Make an attachment smaller in the background: the original is replaced only once the result is whole, and both digests stay on record."""
from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access import audit
from engine.form_filling.attachments import keep_file
from engine.kernel.ids import new_id
from engine.runtime.application import Application
from engine.runtime.job_names import COMPRESS
from engine.runtime.work import Row
from engine.storage.compressing import KINDS, Better, Left, compress_file
from engine.storage.tables import metadata
from engine.storage.tables.cases import attachment
from engine.storage.tables.compression import attachment_compression
from engine.storage.tables.reference import blob
from engine.storage.tables.registers import record_history

KEEP_ORIGINAL = timedelta(days=7)
"""So long the bytes of an original stay after it was replaced."""
STEP = 5
LIGHT = 200_000
"""Bytes below which there is nothing to gain."""


def compress_later(app: Application, connection: Connection, *, attachment_ids: Iterable[UUID], at: datetime) -> int:
    """Order the compression of files that nobody has ordered yet, in the caller's transaction; how many. Small files and kinds that can't be made smaller are passed over."""
    a, c, ids = attachment.c, attachment_compression.c, list(attachment_ids)
    if not ids:
        return 0
    wanted = select(a.id, a.sm3, a.size).where(a.id.in_(ids), a.content_type.in_(list(KINDS)), a.size >= LIGHT, a.removed_at.is_(None))
    count = 0
    for row in connection.execute(wanted).all():
        values = {"attachment_id": row.id, "state": "waiting", "before_sm3": row.sm3, "before_size": row.size, "asked_at": at}
        made = connection.execute(insert(attachment_compression).values(values).on_conflict_do_nothing().returning(c.attachment_id)).one_or_none()
        if made is not None:
            app.jobs.defer(connection, COMPRESS, lock="compress", attachment_id=str(row.id))
            count += 1
    return count


def compression_of(connection: Connection, *, attachment_ids: Iterable[UUID]) -> dict[UUID, Row]:
    """{attachment: state, percent, before_size, before_sm3, after_size, after_sm3, words} of those that were ordered."""
    query = select(attachment_compression).where(attachment_compression.c.attachment_id.in_(list(attachment_ids)))
    return {row["attachment_id"]: dict(row) for row in connection.execute(query).mappings()}


def compress_attachment(app: Application, *, attachment_id: str) -> None:
    """The job. May run again: what is done stays done."""
    id = UUID(attachment_id)
    with app.db.begin() as connection:
        row = _begin(connection, id)
    if row is None:
        return
    with TemporaryDirectory(prefix="guicheng-") as folder:
        target = Path(folder) / "smaller"
        result = compress_file(app.blobs.path(row["sm3"]), target, kind=KINDS[row["content_type"]], tell=_Teller(app, id))
        with app.db.begin() as connection:
            _finish(app, connection, row, result)


def _begin(connection: Connection, id: UUID) -> Row | None:
    c = attachment_compression.c
    found = (
        connection.execute(
            select(attachment, c.state).join(attachment_compression, c.attachment_id == attachment.c.id)
            .where(attachment.c.id == id, c.state.in_(["waiting", "working"]), attachment.c.sm3 == c.before_sm3)
        ).mappings().one_or_none()
    )
    if found is not None:
        _note(connection, id, state="working", percent=0)
    return dict(found) if found is not None else None


class _Teller:
    """Writes progress, a step of five percent at a time."""

    def __init__(self, app: Application, id: UUID) -> None:
        self.app, self.id, self.told = app, id, 0

    def __call__(self, percent: int) -> None:
        if percent - self.told >= STEP:
            self.told = percent
            with self.app.db.begin() as connection:
                _note(connection, self.id, percent=percent)


def _note(connection: Connection, id: UUID, **values: Any) -> None:
    connection.execute(update(attachment_compression).where(attachment_compression.c.attachment_id == id).values(**values))


def _finish(app: Application, connection: Connection, row: Row, result: Better | Left) -> None:
    at = app.clock.now()
    if isinstance(result, Left):
        _note(connection, row["id"], state="failed" if result.failed else "kept", words=result.why, ended_at=at)
        return
    with result.path.open("rb") as stream:
        sm3 = keep_file(connection, app.blobs, stream=stream, content_type=row["content_type"], at=at)
    same = (attachment.c.id == row["id"]) & (attachment.c.sm3 == row["sm3"]) & attachment.c.removed_at.is_(None)
    current = connection.execute(update(attachment).where(same).values(sm3=sm3, size=result.size).returning(attachment.c.case_id, attachment.c.register, attachment.c.record_id)).one_or_none()
    if current is None:
        _note(connection, row["id"], state="kept", words="压缩时文件已经删去。", ended_at=at)
        return
    _note(connection, row["id"], state="done", percent=100, after_sm3=sm3, after_size=result.size, ended_at=at)
    if current.record_id is not None:
        connection.execute(record_history.insert().values(
            id=new_id(), register=current.register, record_id=current.record_id, act_id=None, at=at, by_id=None, by_name="", changes={},
            reason=told(row["file_name"], row["size"], row["sm3"], result.size, sm3),
        ))
    audit.note(
        connection, actor=None, at=at, action="attachment.compress", object=row["file_name"], case_id=current.case_id,
        detail={"attachment": str(row["id"]), "before": {"sm3": row["sm3"], "size": row["size"]}, "after": {"sm3": sm3, "size": result.size}},
    )


def told(name: str, size: int, sm3: str, smaller: int, its_sm3: str) -> str:
    """One line of history with both digests."""
    return f"压缩附件“{name}”：{size / 2**20:.1f} 兆（SM3 {sm3[:16]}…）→ {smaller / 2**20:.1f} 兆（SM3 {its_sm3[:16]}…）"


def compression_failed(app: Application, error: BaseException, *, attachment_id: str) -> None:
    """After the last try: the original stays, and its page says so."""
    with app.db.begin() as connection:
        _note(connection, UUID(attachment_id), state="failed", words="没有压缩成，原件照旧保留。", ended_at=app.clock.now())


def drop_originals(app: Application, *, at: datetime, limit: int = 200) -> int:
    """Delete the bytes of originals that were replaced a week ago and that nothing else holds; how many. Their digests stay."""
    c = attachment_compression.c
    with app.db.connect() as connection:
        due = connection.execute(select(c.attachment_id, c.before_sm3).where(c.state == "done", c.dropped_at.is_(None), c.ended_at < at - KEEP_ORIGINAL).limit(limit)).all()
    for id, sm3 in due:
        with app.db.begin() as connection:
            row = connection.execute(delete(blob).where(blob.c.sm3 == sm3).returning(blob)).mappings().one_or_none()  # who stores these bytes now waits
            if not _held(connection, sm3):
                app.blobs.remove(sm3)
            elif row is not None:
                connection.execute(insert(blob).values(dict(row)))
            _note(connection, id, dropped_at=at)
    return len(due)


def _held(connection: Connection, sm3: str) -> bool:
    """Whether any row of the database still names these bytes."""
    queued = select(literal(1)).where(attachment_compression.c.before_sm3 == sm3, attachment_compression.c.state.in_(["waiting", "working"]))
    named = (select(literal(1)).where(column == sm3) for column in _naming_files())
    return any(connection.execute(query.limit(1)).first() for query in (queued, *named))


def _naming_files() -> list[ColumnElement[str]]:
    """Columns that hold the SM3 of a file in the store: by their name, so that a new table is seen."""
    return [
        column for table in metadata.sorted_tables if table.name not in ("blob", "attachment_compression")
        for column in table.c if column.name == "sm3" or column.name.endswith("_sm3")
    ]
