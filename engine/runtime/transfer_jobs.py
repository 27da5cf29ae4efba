"""What every transfer of a file shares: the file kept, its job deferred, its end written down."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from engine.kernel.errors import GuichengError, Invalid, TooLarge
from engine.registers.transfers import Cancelled, move
from engine.registers.workbook import LARGEST_FILE
from engine.runtime.application import Application


def keep_file(app: Application, data: bytes) -> str:
    """The SM3 under which an uploaded workbook is kept. Raises Invalid for an empty one, TooLarge."""
    if not data:
        raise Invalid("没有收到文件，请选一个 .xlsx 文件。", fields={"file": "请选一个 .xlsx 文件。"})
    if len(data) > LARGEST_FILE:
        raise TooLarge(f"文件超过 {LARGEST_FILE >> 20} MB，请拆成几个文件。")
    return app.blobs.put(data)


def defer_transfer(app: Application, connection: Connection, job: str, id: UUID) -> None:
    """Have ``job`` go on with transfer ``id``; two jobs of one transfer never run at once."""
    app.jobs.defer(connection, job, lock=f"register_transfer:{id}", transfer_id=str(id))


@contextmanager
def ending(app: Application, id: UUID, at: datetime, *, since: str) -> Iterator[None]:
    """A refusal becomes the transfer's note, a wish to stop its end."""
    try:
        yield
    except Cancelled:
        _end(app, id, at, since, "cancelled", "")
    except GuichengError as problem:
        _end(app, id, at, since, "failed", problem.message)


def _end(app: Application, id: UUID, at: datetime, since: str, to: str, note: str) -> None:
    with app.db.begin() as connection:
        move(connection, id=id, since=(since,), to=to, at=at, note=note)
