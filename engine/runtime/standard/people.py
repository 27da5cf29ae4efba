"""Who holds a role: what a diagram asks before it lets several people do one step."""
from __future__ import annotations

from uuid import UUID

from engine.access.assignment import pool
from engine.kernel.errors import BusinessError
from engine.kernel.names import pack_of, qualify
from engine.runtime.handlers import service_task
from engine.runtime.task_context import TaskContext


@service_task(title="按角色找人", mode="inline", pure=True)
def people_of(context: TaskContext, *, role: str, unit: str = "", may_be_nobody: bool = False) -> dict[str, list[str]]:
    """Everybody who holds ``role`` for this case today, or in the unit with the id ``unit``. Result: ``people``, ids in the order of their names.

    Error ``nobody`` when there is none, unless ``may_be_nobody``.
    """
    found = pool(
        context.connection, role=qualify(role, pack_of(context.process)), case_unit_id=context.case["unit_id"], on=context.today,
        unit_id=UUID(unit) if unit else None,
    )
    if not found.people and not may_be_nobody:
        raise BusinessError("nobody", f"没有人担任角色“{role}”，请先在组织机构里配好人员。")
    return {"people": [str(id) for id, _ in found.people]}
