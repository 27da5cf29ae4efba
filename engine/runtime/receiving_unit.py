"""Which unit gets a case that nobody in an office opens: what ``gc:unit`` of the start event says."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from engine.expressions import FeelError, compile_expression
from engine.kernel.errors import Invalid
from engine.storage.tables.organisation import unit


def receiving_unit(connection: Connection, text: str, payload: Mapping[str, Any], *, fallback: UUID | None = None) -> UUID:
    """The active unit whose code (or id) ``text`` names, literally or as FEEL over ``payload``; without a text ``fallback``.

    Raises Invalid when there is none.
    """
    code = text
    if code.startswith("="):
        try:
            code = str(compile_expression(code[1:], names=payload).evaluate(payload) or "")
        except FeelError as error:
            raise Invalid(f"要办理的单位算不出来：{error}。请改正开始事件的 gc:unit。") from None
    if not code and fallback is not None:
        return fallback
    same = unit.c.id == UUID(code) if _is_id(code) else unit.c.code == code
    found: UUID | None = connection.scalar(select(unit.c.id).where(same, unit.c.active))
    if found is None:
        raise Invalid("要办理的单位没有找到。", fields={"unit_code": f"没有代码为“{code}”的单位，请核对单位代码表。"})
    return found


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
