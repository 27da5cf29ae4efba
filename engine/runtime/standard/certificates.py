"""Officers and their certificates, from a diagram."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from engine.access import certificates
from engine.kernel.errors import Invalid
from engine.runtime.handlers import service_task
from engine.runtime.task_context import TaskContext


@service_task(title="核对执法证件", mode="inline", pure=True)
def require_certificates(context: TaskContext, *, people: list, acting: bool = False, at_least: int = 2) -> dict[str, Any]:
    """Refuse the act unless ``at_least`` different ``people`` (ids) are named and each holds a certificate valid today.

    With ``acting`` whoever acts must be one of them. Result: ``numbers`` of the certificates, in the order of the people.
    """
    named = [UUID(str(one)) for one in people if one]
    if len(set(named)) < at_least:
        raise Invalid(f"应当由{at_least}名以上办案人员进行，请先确定办案人员。", code="too_few_officers")
    if acting and context.actor_id is not None and context.actor_id not in named:
        raise Invalid("您不是本案的办案人员，不能办理这一步；要换办案人员的，先办理变更。", code="not_an_officer")
    found = certificates.holders(context.connection, people=named, on=context.today)
    wrong = [f"{one.name}{one.why}" for one in found if one.number is None]
    if wrong:
        raise Invalid(f"办案人员应当持有效执法证件：{'；'.join(wrong)}。", code="no_certificate")
    return {"numbers": [one.number for one in found]}
