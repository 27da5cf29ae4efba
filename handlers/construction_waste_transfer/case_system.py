"""Linking a ticket to the case that was filed for it."""
from __future__ import annotations

from typing import Any

from engine.sdk import TaskContext, service_task
from integrations.case_system.client import CaseSystem
from integrations.case_system.messages import TicketLink


@service_task(title="到网上办案系统关联案件", mode="queued", reversible=False, help="按案件编号关联；对方不接受时报告 case_not_linked，带着对方的理由。")
def link_case(context: TaskContext, *, case_number: str, officer: str) -> dict[str, Any]:
    """``linked_title`` and ``linked_state`` of their case. The effect key makes a retry harmless; they know ticket and case, so linking again changes nothing."""
    client: CaseSystem = context.connector("case_system")
    link = TicketLink(
        case_number=case_number, ticket_number=str(context.case["number"]), title=str(context.case["title"]), officer=context.person_name(officer), linked_on=context.today,
    )
    found = client.link_ticket(link, key=context.effect_key)
    return {"linked_title": found.title, "linked_state": found.state}
