"""Whom a bulletin goes to, who took a step, and who is still to be reminded."""
from __future__ import annotations

from typing import Any

from engine.sdk import Invalid, TaskContext, service_task

LATE_WORDS = {"unread": "还没有阅读，请尽快阅读。", "waiting": "还没有反馈，请尽快反馈。"}


@service_task(title="列出发布范围", mode="inline", pure=True, help="选定种类的单位加上另外选的，不含发布的单位自己；区局只能发给本区。")
def list_readers(context: TaskContext, *, kinds: list | None = None, areas: list | None = None, units: list | None = None) -> dict[str, Any]:
    """``units``, ids of the audience, each once; refuses an empty one and a unit of another district."""
    own = context.case["district_id"]
    found = context.units_below(kinds or (), districts=[row["area"] for row in areas or ()]) if kinds else []
    for row in units or ():
        if own is not None and context.unit(row["unit"])["district_id"] != own:
            raise Invalid("发布范围要改。", fields={"units": "区局只能发给本区的单位。"})
        found.append(str(row["unit"]))
    chosen = [id for id in dict.fromkeys(found) if id != str(context.case["unit_id"])]
    if not chosen:
        raise Invalid("发布范围里一个单位也没有。", fields={"kinds": "请选至少一类单位，或者在“另外发给”里选。"})
    return {"units": chosen}


@service_task(title="谁办的", mode="inline", pure=True)
def name_actor(context: TaskContext) -> dict[str, str]:
    """``name`` of whoever takes this step."""
    return {"name": context.actor_name}


@service_task(title="列出要提醒的单位", mode="inline", pure=True)
def list_late(context: TaskContext, *, whom: str, words: str | None = None) -> dict[str, Any]:
    """``units`` that are still unread or waiting for their feedback, and the ``text`` of the reminder; refuses when there are none."""
    late = [str(row["receiver"]) for row in context.records("bulletin_copy", state=whom)]
    if not late:
        raise Invalid("没有要提醒的单位。", fields={"whom": "都阅读了。" if whom == "unread" else "没有已阅而未反馈的单位。"})
    return {"units": late, "text": words or LATE_WORDS[whom]}
