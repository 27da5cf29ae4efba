"""Frequently used opinions (常用意见): one's own list, or the common ones until there is one."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from engine.kernel.errors import Invalid
from engine.kernel.ids import new_id
from engine.storage.tables.organisation import phrase

COMMON = ("同意。", "拟同意，请审批。", "事实清楚，证据充分，同意。", "请补充证据材料后重新提交。", "请按审核意见修改后重新提交。")
MOST, LONGEST = 30, 200


def phrases_of(connection: Connection, *, person_id: UUID) -> list[str]:
    """The opinions to offer beside an opinion box, in the person's order."""
    own = list(connection.execute(select(phrase.c.text).where(phrase.c.person_id == person_id).order_by(phrase.c.rank)).scalars())
    return own or list(COMMON)


def save_phrases(connection: Connection, *, person_id: UUID, texts: Sequence[str]) -> None:
    """Replace a person's list; an empty one brings the common opinions back. Raises Invalid when too many or too long."""
    kept = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    if len(kept) > MOST:
        raise Invalid(f"常用意见最多 {MOST} 条。", fields={"texts": f"请删去 {len(kept) - MOST} 条。"})
    if too_long := next((text for text in kept if len(text) > LONGEST), None):
        raise Invalid(f"一条常用意见最多 {LONGEST} 字。", fields={"texts": f"“{too_long[:10]}…”过长。"})
    connection.execute(delete(phrase).where(phrase.c.person_id == person_id))
    if kept:
        connection.execute(insert(phrase), [{"id": new_id(), "person_id": person_id, "text": t, "rank": i} for i, t in enumerate(kept)])
