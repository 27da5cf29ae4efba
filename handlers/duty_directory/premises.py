"""Asking the system of premises who sits where."""
from __future__ import annotations

from dataclasses import asdict
from typing import Any

from engine.sdk import TaskContext, service_task
from integrations.premises_system.client import Premises


@service_task(title="从用房管理系统取人员", mode="queued", pure=True, help="本局在用房管理系统里登记的人员、办公用房和电话。")
def ask_premises(context: TaskContext, *, agency: str) -> dict[str, Any]:
    """Result: ``people``, a list of {name, unit_name, post, room, phone} of the bureau called ``agency``."""
    client: Premises = context.connector("premises_system")
    return {"people": [asdict(one) for one in client.occupants(agency=agency)]}
