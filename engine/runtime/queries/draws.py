"""Draws as lists and pages show them."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, func, select, union

from engine.access.actors import Actor
from engine.access.scope import scope_root, visible_cases
from engine.kernel.errors import Invalid, NotFound
from engine.runtime.queries.pages import EXACT_LIMIT, Page, cut, decode
from engine.storage.tables.organisation import unit
from engine.storage.tables.sampling import sample_draw, sample_pick

PICKS = 50


def listed(connection: Connection, *, actor: Actor, register: str = "", size: int = 30, after: str | None = None, before: int = 0) -> Page[Mapping[str, Any]]:
    """Draws that ``actor`` may see, newest first; of one register when it is named."""
    statement = _seen(actor)
    if register:
        statement = statement.where(sample_draw.c.register == register)
    total = connection.scalar(select(func.count()).select_from(statement.limit(EXACT_LIMIT + 1).subquery())) or 0
    if after:
        statement = statement.where(sample_draw.c.id < _cursor(after))
    rows = [dict(row) for row in connection.execute(statement.order_by(sample_draw.c.id.desc()).limit(size + 1)).mappings()]
    return cut(rows, size=size, before=before, total=total, key=lambda row: (row["id"],))


def _cursor(after: str) -> UUID:
    (id,) = decode(after, length=1)
    try:
        return UUID(str(id))
    except ValueError:
        raise Invalid("翻页的地址不完整，请回到第一页重新翻。", code="bad_cursor") from None


def one(connection: Connection, *, actor: Actor, draw_id: UUID) -> Mapping[str, Any]:
    """The draw's row with ``next_id``, the draw that replaced it; raises NotFound."""
    later = sample_draw.alias("later")
    statement = _seen(actor).add_columns(select(later.c.id).where(later.c.previous_id == sample_draw.c.id).scalar_subquery().label("next_id"))
    row = connection.execute(statement.where(sample_draw.c.id == draw_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这次抽样，或者您无权查看。")
    return dict(row)


def picks(connection: Connection, *, draw_id: UUID, after: int = 0) -> Sequence[Mapping[str, Any]]:
    """Fifty of what was picked, from the place behind ``after``; one more says that there are others."""
    rows = connection.execute(select(sample_pick).where(sample_pick.c.draw_id == draw_id, sample_pick.c.place > after).order_by(sample_pick.c.place).limit(PICKS + 1))
    return [dict(row) for row in rows.mappings()]


def _seen(actor: Actor) -> Select[Any]:
    """By oneself, by one's unit and, for heads and offices, units below; and of cases that one may see."""
    whole = select(sample_draw)
    if actor.sees_everything:
        return whole
    root = scope_root(actor)
    units = select(unit.c.id).where(unit.c.id == actor.unit_id if root is None else unit.c.path.startswith(root, autoescape=True))
    ways = union(
        select(sample_draw.c.id).where(sample_draw.c.by_id == actor.person_id), select(sample_draw.c.id).where(sample_draw.c.unit_id.in_(units)),
        select(sample_draw.c.id).where(sample_draw.c.case_id.in_(visible_cases(actor))),
    )
    return whole.where(sample_draw.c.id.in_(ways))
