"""Helpers to walk a case as its officers would: find my task, complete it, return it."""
from __future__ import annotations

import itertools
from typing import Any
from uuid import UUID

from sqlalchemy import select

from engine.runtime.complete_task import complete_task
from engine.runtime.return_task import return_task
from engine.runtime.start_case import start_case
from engine.runtime.work import ActResult
from engine.storage.tables.cases import case_file
from engine.storage.tables.runtime import task
from tests.town import Town

_keys = itertools.count()


def key() -> str:
    """A fresh idempotency key."""
    return f"walk-{next(_keys)}"


CLUE = {"source": "supervision", "received_on": "2026-11-19", "title": "销售超过保质期的食品", "content": "日常检查发现货架上有超过保质期的糕点 18 袋。"}
PARTY = {"kind": "organisation", "name": "上海云浦麦浪食品有限公司", "identifier_kind": "credit_code", "identifier": "91310101MA1FPX1234",
         "representative": "白晓棠", "phone": "13800000000", "address": "云浦区汀兰路 45 号"}
HANDLING = {"verified_on": "2026-11-20", "findings": "经核查，货架上待售糕点 18 袋超过标注的保质期。", "violation": "food_expired", "domain": "food_safety",
            "party": PARTY}


def application(town: Town) -> dict[str, Any]:
    """A complete 立案审批表."""
    return {
        "cause": "经营超过保质期的食品", "source": "supervision", "received_on": "2026-11-19", "violation": "food_expired", "domain": "food_safety",
        "party": PARTY, "summary": "2026 年 11 月 20 日核查发现待售糕点 18 袋超过保质期。", "filing_basis": "符合立案条件。",
        "officer_one": str(town.people["officer"]), "officer_two": str(town.people["officer_two"]),
    }


def open_task(town: Town, node: str, case_id: UUID | None = None) -> Any:
    """The open task at ``node``."""
    with town.app.db.connect() as connection:
        query = select(task).where(task.c.node == node, task.c.status == "open")
        return connection.execute(query.where(task.c.case_id == case_id) if case_id else query).mappings().one()


def open_nodes(town: Town, case_id: UUID) -> list[str]:
    with town.app.db.connect() as connection:
        return sorted(connection.scalars(select(task.c.node).where(task.c.case_id == case_id, task.c.status == "open")))


def case_of(town: Town, case_id: UUID) -> Any:
    with town.app.db.connect() as connection:
        return connection.execute(select(case_file).where(case_file.c.id == case_id)).mappings().one()


def start_clue(town: Town, *, data: dict[str, Any] | None = None) -> ActResult:
    return start_case(
        town.app, actor=town.actor("officer"), process="case_filing.clue_intake", data={**CLUE, **(data or {})}, outcome="submit", key=key(),
        at=town.app.clock.now(),
    )


def do(town: Town, who: str, node: str, outcome: str = "approve", *, data: dict[str, Any] | None = None, opinion: str = "", case_id: UUID | None = None) -> ActResult:
    """``who`` completes the open task at ``node``."""
    row = open_task(town, node, case_id)
    return complete_task(
        town.app, actor=town.actor(who), task_id=row["id"], data=data or {}, outcome=outcome, opinion=opinion, key=key(), at=town.app.clock.now(),
    )


def send_back(town: Town, who: str, node: str, to: str, opinion: str = "请补正。") -> ActResult:
    row = open_task(town, node)
    return return_task(town.app, actor=town.actor(who), task_id=row["id"], to_node=to, opinion=opinion, key=key(), at=town.app.clock.now())
