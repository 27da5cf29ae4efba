"""Attachments: a blob by its SM3 plus a row that says whose it is, which case and field it belongs to, what the camera noted."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from os import SEEK_END
from pathlib import PurePath
from typing import IO, Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Text, cast, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from engine.access.actors import Actor
from engine.access.scope import may_see_case
from engine.form_filling.accepted import KINDS, accepted_kinds, compresses, max_bytes
from engine.form_filling.context import AttachmentMeta
from engine.form_filling.model import Field
from engine.form_filling.pictures import inspect_picture, make_thumbnail
from engine.form_filling.sniff import IMAGES, Refused, sniff
from engine.kernel.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from engine.kernel.ids import new_id
from engine.storage.blobs import BlobStore
from engine.storage.tables.cases import attachment
from engine.storage.tables.reference import blob
from engine.storage.tables.runtime import submission

MOST_PER_FIELD = 200
LONGEST_NAME = 120
MOST_HELD = 64 * 2**20
"""Bytes of one file that may be in memory at a time; only videos are larger."""
MOST_LOOSE = 2 * 2**30
"""What one person may have sent within a day that belongs to no task, case or record yet, in bytes."""
NOT_THERE = "没有这个附件，或者您无权查看。"


@dataclass(frozen=True, kw_only=True)
class FileRule:
    """What one field takes: kinds are keys of ``accepted.KINDS``, ``max_bytes`` per file, ``compress`` when it is made smaller afterwards."""

    kinds: tuple[str, ...] = ("image", "pdf", "word", "excel", "video", "audio", "zip")
    max_bytes: int = 20 * 2**20
    compress: bool = False

    @classmethod
    def of(cls, field: Field) -> FileRule:
        return cls(kinds=accepted_kinds(field), max_bytes=max_bytes(field), compress=compresses(field))


def store_attachment(
    connection: Connection,
    blobs: BlobStore,
    *,
    actor: Actor,
    case_id: UUID | None,
    task_id: UUID | None,
    field: str,
    file_name: str,
    data: bytes | IO[bytes],
    at: datetime,
    rule: FileRule | None = None,
    caption: str = "",
    capture: Mapping[str, Any] | None = None,
) -> AttachmentMeta:
    """Keep one file in the caller's transaction.

    ``capture`` is what the device said (taken_at, longitude, latitude); what the picture itself says wins. ``data`` may be a stream
    that can be moved about in: a video goes from it to the store without being held in memory. Raises TooLarge, Invalid (wrong
    kind, name and content differ, damaged, a program), always with nothing kept.
    """
    rule = rule or FileRule()
    size = len(data) if isinstance(data, bytes) else data.seek(0, SEEK_END)
    if size > rule.max_bytes:
        raise TooLarge(f"“{file_name}”有 {size / 2**20:.1f} 兆，最多 {rule.max_bytes // 2**20} 兆。请压缩或拆开后再传。")
    if not size:
        raise Invalid(f"“{file_name}”是空文件，请重新选。", fields={field: "文件是空的。"})
    data, name = _held(data, size, file_name, field), clean_name(file_name)
    head = data if isinstance(data, bytes) else _head(data)
    content_type = _checked_type(head, name, field, rule)
    noted, small = _look_into(head, content_type, field)
    _keep_room(connection, actor, task_id, field)
    if task_id is None and case_id is None:
        _keep_store(connection, actor, size, at)
    row = {
        "id": new_id(),
        "sm3": _keep_blob(connection, blobs, data, content_type, at),
        "case_id": case_id,
        "task_id": task_id,
        "field": field,
        "file_name": name,
        "content_type": content_type,
        "size": size,
        "caption": caption.strip()[:100],
        "capture": {**_plain(capture or {}), **noted},
        "unit_id": actor.unit_id,
        "district_id": actor.district_id,
        "uploaded_by": actor.person_id,
        "uploaded_at": at,
        "thumbnail_sm3": _keep_blob(connection, blobs, small, "image/jpeg", at) if small else None,
    }
    connection.execute(insert(attachment).values(row))
    return as_meta(row)


def _held(data: bytes | IO[bytes], size: int, name: str, field: str) -> bytes | IO[bytes]:
    """A stream of a video stays one; anything else is read, within what a worker may hold."""
    if isinstance(data, bytes) or _head(data)[4:8] == b"ftyp":
        return data
    if size > MOST_HELD:
        raise TooLarge(f"“{name}”有 {size / 2**20:.1f} 兆；除了视频，一个文件最多 {MOST_HELD // 2**20} 兆。")
    data.seek(0)
    return data.read()


def _head(stream: IO[bytes]) -> bytes:
    stream.seek(0)
    return stream.read(4096)


def list_attachments(connection: Connection, *, case_id: UUID) -> list[AttachmentMeta]:
    """Attachments of a case, oldest first, without removed ones."""
    rows = connection.execute(
        select(attachment)
        .where(attachment.c.case_id == case_id, attachment.c.removed_at.is_(None))
        .order_by(attachment.c.uploaded_at, attachment.c.id)
    )
    return [as_meta(dict(row)) for row in rows.mappings()]


def get_attachment(connection: Connection, *, actor: Actor, attachment_id: UUID) -> Mapping[str, Any]:
    """The row, when the actor may see it: the uploader, or whoever may see its case. Raises NotFound."""
    row = (
        connection.execute(select(attachment).where(attachment.c.id == attachment_id, attachment.c.removed_at.is_(None)))
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFound(NOT_THERE)
    mine = row["uploaded_by"] == actor.person_id
    if not mine and (row["case_id"] is None or not may_see_case(connection, actor, row["case_id"])):
        raise NotFound(NOT_THERE)
    return dict(row)


def own_attachment(connection: Connection, *, person_id: UUID, attachment_id: UUID) -> dict[str, Any]:
    """The row of a file that this very person uploaded; raises NotFound."""
    own = (attachment.c.id == attachment_id) & (attachment.c.uploaded_by == person_id) & attachment.c.removed_at.is_(None)
    row = connection.execute(select(attachment).where(own)).mappings().one_or_none()
    if row is None:
        raise NotFound(NOT_THERE)
    return dict(row)


def find_usable(
    connection: Connection, *, actor: Actor, attachment_id: str, case_id: UUID | None, record_id: UUID | None = None,
) -> AttachmentMeta | None:
    """The attachment if this officer may name it in a form of this case or record: it belongs there, or they uploaded it for none yet."""
    try:
        id = UUID(attachment_id)
    except ValueError:
        return None
    own: ColumnElement[bool] = (attachment.c.uploaded_by == actor.person_id) & attachment.c.case_id.is_(None) & attachment.c.record_id.is_(None)
    here = own if case_id is None else or_(own, _in_case(actor, case_id))
    here = here if record_id is None else or_(here, attachment.c.record_id == record_id)
    row = (
        connection.execute(select(attachment).where(attachment.c.id == id, attachment.c.removed_at.is_(None), here))
        .mappings()
        .one_or_none()
    )
    return as_meta(dict(row)) if row else None


def _in_case(actor: Actor, case_id: UUID) -> ColumnElement[bool]:
    """The files of a case that the actor may name: all of them, for a party from outside only its own."""
    here: ColumnElement[bool] = attachment.c.case_id == case_id
    return here if actor.party_id is None else here & (attachment.c.uploaded_by == actor.person_id)


def link_attachments(connection: Connection, *, attachment_ids: Iterable[str], actor: Actor, case_id: UUID, task_id: UUID | None) -> int:
    """Give files that were uploaded before the case existed to the case; the number of rows changed."""
    ids = [UUID(id) for id in attachment_ids]
    if not ids:
        return 0
    own = (attachment.c.uploaded_by == actor.person_id) & attachment.c.case_id.is_(None)
    return connection.execute(update(attachment).where(attachment.c.id.in_(ids), own).values(case_id=case_id, task_id=task_id)).rowcount


def remove_attachment(connection: Connection, *, actor: Actor, attachment_id: UUID, at: datetime) -> None:
    """Take a file away that was not submitted yet; only who uploaded it may. Raises NotFound, Forbidden, Conflict."""
    row = get_attachment(connection, actor=actor, attachment_id=attachment_id)
    if row["uploaded_by"] != actor.person_id:
        raise Forbidden("只有上传的人能删去这个文件。")
    if row["case_id"] is not None and _submitted(connection, row["case_id"], attachment_id):
        raise Conflict("这个文件已随表提交，不能删去；要更正请在表里换一个，原件仍保留在案。")
    if row["record_id"] is not None:
        raise Conflict("这个文件已在台账里，请在那条记录里删去它并写明原因。")
    connection.execute(update(attachment).where(attachment.c.id == attachment_id).values(removed_at=at))


def _submitted(connection: Connection, case_id: UUID, attachment_id: UUID) -> bool:
    named = cast(submission.c.data, Text).contains(str(attachment_id))
    return connection.scalar(select(submission.c.id).where(submission.c.case_id == case_id, named).limit(1)) is not None


def clean_name(file_name: str) -> str:
    """A file name without folders and control characters, at most 120 characters with its ending."""
    bare = PurePath(unicodedata.normalize("NFC", file_name).replace("\\", "/")).name
    bare = "".join(c for c in bare if unicodedata.category(c)[0] != "C" and c not in '<>:"|?*').strip(". ") or "文件"
    ending = PurePath(bare).suffix[:10]
    return bare if len(bare) <= LONGEST_NAME else bare[: LONGEST_NAME - len(ending)] + ending


def _checked_type(data: bytes, name: str, field: str, rule: FileRule) -> str:
    """The content type; name and content must agree, and the field must take it."""
    try:
        content_type = sniff(data)
    except Refused as problem:
        raise Invalid(f"“{name}”没有上传：{problem}", fields={field: str(problem)}, code="file_refused") from None
    words = "、".join(KINDS[kind][0] for kind in rule.kinds)
    found = next(((kind, title, endings) for kind, (title, types, endings) in KINDS.items() if content_type in types), None)
    if content_type is None or found is None or found[0] not in rule.kinds:
        raise Invalid(f"“{name}”的类型不对，这里只收{words}。", fields={field: f"只收{words}。"}, code="file_kind")
    ending = PurePath(name).suffix.lower()
    if ending and ending not in found[2]:
        message = f"“{name}”的内容是{found[1]}，和文件名的“{ending}”对不上。请确认后改名再传。"
        raise Invalid(message, fields={field: "文件名和内容对不上。"}, code="file_mismatch")
    return content_type


def _look_into(data: bytes, content_type: str, field: str) -> tuple[dict[str, Any], bytes | None]:
    if content_type not in IMAGES:
        return {}, None
    try:
        return inspect_picture(data), make_thumbnail(data)
    except Refused as problem:
        raise Invalid(str(problem), fields={field: str(problem)}, code="file_refused") from None


def _keep_room(connection: Connection, actor: Actor, task_id: UUID | None, field: str) -> None:
    """Nobody fills the store through one field."""
    here = (attachment.c.uploaded_by == actor.person_id) & (attachment.c.field == field) & attachment.c.removed_at.is_(None)
    here &= attachment.c.task_id == task_id if task_id else attachment.c.task_id.is_(None) & attachment.c.case_id.is_(None) & attachment.c.record_id.is_(None)
    if (connection.scalar(select(func.count()).select_from(attachment).where(here)) or 0) >= MOST_PER_FIELD:
        raise TooLarge(f"这一栏已经传了 {MOST_PER_FIELD} 个文件，请先删去不用的。")


def _keep_store(connection: Connection, actor: Actor, size: int, at: datetime) -> None:
    """Nobody fills the store with what belongs to nothing yet."""
    c = attachment.c
    loose = c.task_id.is_(None) & c.case_id.is_(None) & c.record_id.is_(None) & c.removed_at.is_(None)
    held = connection.scalar(select(func.sum(c.size)).where(c.uploaded_by == actor.person_id, c.uploaded_at > at - timedelta(days=1), loose)) or 0
    if held + size > MOST_LOOSE:
        raise TooLarge(f"您今天传上来还没有提交的文件已有 {held // 2**20} 兆，最多 {MOST_LOOSE // 2**20} 兆。请先提交，或者删去不用的，再传。")


def _keep_blob(connection: Connection, blobs: BlobStore, data: bytes | IO[bytes], content_type: str, at: datetime) -> str:
    if not isinstance(data, bytes):
        data.seek(0)
        return keep_file(connection, blobs, stream=data, content_type=content_type, at=at)
    sm3 = blobs.put(data)
    values = {"sm3": sm3, "size": len(data), "content_type": content_type, "created_at": at}
    _note_blob(connection, values)
    if not blobs.exists(sm3):  # the original of a compressed file was dropped meanwhile
        blobs.put(data)
    return sm3


def keep_file(connection: Connection, blobs: BlobStore, *, stream: IO[bytes], content_type: str, at: datetime) -> str:
    """Put what ``stream`` holds from here on into the store; its SM3."""
    start = stream.tell()
    sm3 = blobs.put_file(stream)
    values = {"sm3": sm3, "size": stream.tell() - start, "content_type": content_type, "created_at": at}
    _note_blob(connection, values)
    if not blobs.exists(sm3):
        stream.seek(start)
        blobs.put_file(stream)
    return sm3


def _note_blob(connection: Connection, values: Mapping[str, Any]) -> None:
    """Its row, locked until the caller commits: whoever would drop these bytes waits and then sees that they are held."""
    note = upsert(blob).values(values)
    connection.execute(note.on_conflict_do_update(index_elements=["sm3"], set_={"size": note.excluded.size}))


def _plain(capture: Mapping[str, Any]) -> dict[str, Any]:
    """Of what a device says only the known keys, and only short plain values."""
    return {
        key: capture[key]
        for key in ("taken_at", "longitude", "latitude", "device")
        if isinstance(capture.get(key), str | int | float) and len(str(capture[key])) <= 100
    }


def as_meta(row: Mapping[str, Any]) -> AttachmentMeta:
    return AttachmentMeta(
        id=str(row["id"]),
        name=row["file_name"],
        content_type=row["content_type"],
        size=row["size"],
        caption=row["caption"],
        thumbnail=row["thumbnail_sm3"] is not None,
        at=row["uploaded_at"],
        field=row["field"],
    )
