"""Drawing a sample as a step of a procedure."""
from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import select

from engine.kernel.errors import BusinessError, Invalid
from engine.kernel.ids import new_id
from engine.kernel.names import pack_of, qualify
from engine.reporting.sampling.draw import Rule
from engine.runtime.draw_sample import Order, make_draw
from engine.runtime.handlers import service_task
from engine.runtime.task_context import TaskContext
from engine.storage.tables.sampling import sample_pick


@service_task(title="抽样", mode="inline", reversible=False)
def draw_sample(
    context: TaskContext, *, register: str, title: str = "", filter: dict | None = None, stratum: str = "", ratio: str = "", number: int = 0, numbers: dict | None = None,
    least: int = 0, must: list | None = None, without: list | None = None, seed: str = "", seed_source: str = "", redraw_of: str = "", reason: str = "",
) -> dict[str, Any]:
    """Draw records of ``register`` as whoever takes this step sees them. Results: ``draw_id``, ``picked`` (ids in order), ``count``.

    ``filter``: {field: value or list of values}. ``ratio`` percent of every stratum, ``number`` in all, or ``numbers`` {stratum: count}.
    Business errors: ``nothing_to_draw``.
    """
    if context.work.actor is None:
        raise BusinessError("nothing_to_draw", "抽样要由人办理的一步带出，不能由系统自己开始。")
    pairs = [(f"f.{name}", str(value)) for name, held in (filter or {}).items() for value in (held if isinstance(held, list) else [held])]
    order = Order(
        title=title or context.case["title"], register=qualify(register, pack_of(context.process)), query=urlencode(pairs), stratum=stratum, seed=seed, seed_source=seed_source,
        rule=_rule(ratio, number, numbers, least, must, without), previous_id=UUID(redraw_of) if redraw_of else None, reason=reason,
    )
    id = new_id()
    try:
        make_draw(context.app, context.connection, actor=context.work.actor, order=order, id=id, at=context.at, case_id=context.case_id)
    except Invalid as problem:
        raise BusinessError("nothing_to_draw", problem.message) from None
    picked = [str(one) for one in context.connection.scalars(select(sample_pick.c.record_id).where(sample_pick.c.draw_id == id).order_by(sample_pick.c.place))]
    return {"draw_id": str(id), "picked": picked, "count": len(picked)}


def _rule(ratio: Any, number: Any, numbers: Any, least: Any, must: Any, without: Any) -> Rule:
    try:
        return Rule(
            ratio=Decimal(str(ratio)) if ratio not in ("", None) else None, number=int(number) if number else None, numbers={str(k): int(v) for k, v in (numbers or {}).items()},
            least=int(least or 0), must=frozenset(map(str, must or ())), without=frozenset(map(str, without or ())),
        )
    except (InvalidOperation, TypeError, ValueError):
        raise BusinessError("nothing_to_draw", "抽样数量要写数字。") from None
