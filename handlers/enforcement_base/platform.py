"""Asking the city's platforms: whether certificate numbers agree, and telling them that an item of the list of powers changed."""
from __future__ import annotations

from datetime import date
from typing import Any

from engine.sdk import TaskContext, service_task
from integrations.city_officer_platform.client import OfficerPlatform
from integrations.city_officer_platform.messages import Claim, Registered
from integrations.power_list_exchange.client import PowerExchange
from integrations.power_list_exchange.messages import PowerChange

SHOWN = 12


@service_task(title="与市局平台校对执法证号", mode="queued", help="逐人比较姓名、有效期、状态；结果可以用 gc.save_records 记入台账。")
def compare_numbers(context: TaskContext, *, officers: list) -> dict[str, Any]:
    """``officers``: {id, name, number, valid_until}. Results: ``answers`` (record, checked, checked_on, platform_says each), ``same``, ``wrong`` (counts), ``summary``."""
    client: OfficerPlatform = context.connector("city_officer_platform")
    found = client.registered([Claim(name=str(one["name"]), number=str(one["number"])) for one in officers])
    answers = [_compared(one, found.get(str(one["number"])), context.today) for one in officers]
    wrong = [f"{one['name']} {one['number']}：{answer['platform_says']}" for one, answer in zip(officers, answers, strict=True) if answer["checked"] != "same"]
    more = f"；另有 {len(wrong) - SHOWN} 人" if len(wrong) > SHOWN else ""
    return {"answers": answers, "same": len(officers) - len(wrong), "wrong": len(wrong), "summary": "；".join(wrong[:SHOWN])[:600] + more}


def _compared(ours: dict[str, Any], theirs: Registered | None, today: date) -> dict[str, Any]:
    if theirs is None:
        return {"record": ours["id"], "checked": "unknown", "checked_on": today.isoformat(), "platform_says": "市局平台查无此证"}
    until = str(ours.get("valid_until") or "")
    told = [words for wrong, words in (
        (theirs.name != ours["name"], f"持证人是{theirs.name}"), (theirs.state != "valid", f"状态为{theirs.state_words}"),
        (bool(until) and theirs.valid_until is not None and theirs.valid_until.isoformat() != until, f"有效期到 {theirs.valid_until}"),
    ) if wrong]
    return {"record": ours["id"], "checked": "different" if told else "same", "checked_on": today.isoformat(), "platform_says": "，".join(told)}


@service_task(title="告知相关业务系统", mode="queued", reversible=False, help="一项权责调整告知每个相关业务系统，收回执。")
def tell_systems(context: TaskContext, *, action: str, code: str, name: str, effective_on: str, systems: list | None = None) -> dict[str, Any]:
    """Result: ``receipts``, one {name, action, system, receipt, told_on} for each system. The effect key makes a retry harmless."""
    client: PowerExchange = context.connector("power_list_exchange")
    change = PowerChange(action=action, code=code, name=name, effective_on=date.fromisoformat(effective_on), number=str(context.case["number"]))
    told = client.publish(change, systems=[str(one) for one in systems or []], key=context.effect_key)
    return {"receipts": [{"name": name, "action": action, "system": system, "receipt": receipt, "told_on": context.today.isoformat()} for system, receipt in told.items()]}
