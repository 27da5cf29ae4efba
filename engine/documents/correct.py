"""Corrections before sealing: declared paragraphs only, each kept with what stood there before."""
from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, update

from engine.documents.compose import compose
from engine.documents.draft import defer_preview, template_of
from engine.documents.queries import lock_document, snapshot_of
from engine.documents.services import Services
from engine.documents.versions import add_version
from engine.kernel.errors import Conflict, Invalid, StaleRevision
from engine.storage.tables.documents import document


def correct_document(
    app: Services, connection: Connection, *, document_id: UUID, block: str, text: str, rev: int, actor_id: UUID | None,
    actor_name: str, at: datetime,
) -> int:
    """Replace the text of ``block`` in the draft that the reader saw as ``rev``; the new revision comes back.

    Raises StaleRevision when somebody was faster, Conflict once it is sealed, Invalid for an unknown block or bad text.
    """
    row = lock_document(connection, document_id)
    if row.state != "draft":
        raise Conflict(f"文书《{row.title}》已经签发，不能再改。")
    if row.rev != rev:
        raise StaleRevision("这份文书刚刚被别人改过，请刷新后再改。")
    template = template_of(app, row)
    spec = template.blocks.get(block)
    if spec is None:
        raise Invalid("这一段不能修改。", fields={"block": "不是可以修改的段落"})
    clean = "\n".join(line.strip() for line in text.splitlines() if line.strip())
    if not clean or len(clean) > spec.max_length:
        raise Invalid(f"{spec.title}没有改成。", fields={"text": f"请填写 1 到 {spec.max_length} 个字"})
    before = compose(template, snapshot_of(row.data, number=None, today=None), check_code="", verify_url="").blocks[block]
    if clean == before:
        return int(row.rev)
    content = {**row.data, "blocks": {**row.data["blocks"], block: clean}}
    connection.execute(update(document).where(document.c.id == row.id).values(data=content, rev=row.rev + 1, updated_at=at))
    add_version(
        connection, document_id=row.id, rev=row.rev + 1, title="修改稿", by_id=actor_id, by_name=actor_name, at=at,
        change={"block": block, "title": spec.title, "before": before, "after": clean},
    )
    defer_preview(app, connection, row.id, row.rev + 1)
    return int(row.rev) + 1
