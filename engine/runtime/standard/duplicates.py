"""Looking for records that may be the same thing, as a step of a procedure, so that it can branch on what is found."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from engine.access.actors import Actor
from engine.kernel.errors import BusinessError, Invalid
from engine.kernel.names import pack_of, qualify
from engine.reference.places import read_place
from engine.registers.catalogue import get_register
from engine.registers.duplicates import WITHIN, compared, find_alike
from engine.registers.scope import visible
from engine.runtime.handlers import service_task
from engine.runtime.task_context import TaskContext


@service_task(title="查找可能重复的记录", mode="inline", pure=True)
def find_duplicates(context: TaskContext, *, register: str, place: Any = None, address: str = "", name: str = "", within: Any = WITHIN, least: Any = 0.5) -> dict[str, Any]:
    """Records of ``register`` close to ``place`` (``{"lon", "lat"}`` or "经度,纬度") and alike by ``address`` and ``name``.

    Results: ``count``, ``best`` (the highest score, 0 to 1), ``found`` (a list of ``{id, title, score, why}``, the likeliest first, at most 20)
    and ``told`` (the same in words). Without somebody acting, all records are looked at. Business error: ``bad_place``.
    """
    declared, table = get_register(context.app.library, qualify(register, pack_of(context.process)))
    point, told_in, called_in = compared(declared)
    values: dict[str, Any] = {one.name: value for one, value in ((told_in, address), (called_in, name)) if one and value}
    try:
        if point and place:
            values[point.name] = read_place({part: place[part] for part in ("lon", "lat")} if isinstance(place, Mapping) else place)
    except (Invalid, KeyError) as problem:
        raise BusinessError("bad_place", getattr(problem, "message", "坐标要有经度和纬度。")) from None
    actor: Actor | None = context.work.actor
    seen = visible(declared, table, actor, table.c.id) if actor is not None else select(table.c.id).where(table.c.deleted_at.is_(None))
    found = find_alike(context.connection, register=declared, table=table, seen=seen, values=values, within=float(within), least=float(least))
    return {
        "count": len(found), "best": round(found[0].score, 2) if found else 0,
        "found": [{"id": str(one.id), "title": one.title, "score": round(one.score, 2), "why": one.why} for one in found],
        "told": "；".join(f"{one.title}（{one.why}）" for one in found[:5]),
    }
