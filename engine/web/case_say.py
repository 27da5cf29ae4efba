"""The state of a case in one sentence per open step: who holds it, since when, who sent it with which words."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup, escape

from engine.access.actors import Actor
from engine.kernel.clock import legal_date
from engine.runtime.queries.case_page import CasePage
from engine.web import words


def says(page: CasePage, *, actor: Actor, now: datetime, awaited: Sequence[Mapping[str, Any]] = ()) -> list[Markup]:
    """One sentence per open step, the reader's own first; one about the end for a closed case, or about the clocks that are ``awaited``."""
    if page.tasks:
        ordered = sorted(page.tasks, key=lambda task: (not task["mine"], not task["claimable"], task["opened_at"]))
        return [_step(task, actor=actor, now=now) for task in ordered]
    head = page.head
    if head["closed_at"]:
        return [Markup("这个案件 <b>{}</b>，{}办结。").format(head["state_title"], words.when(head["closed_at"], today=legal_date(now)))]
    if awaited:
        return [Markup("现在没有要人办的步骤，在等 <b>{}</b>，到 {} 届满后自动继续。").format(one["title"], words.day(one["due_on"], today=legal_date(now))) for one in awaited]
    return [Markup("现在没有人工步骤在办，状态：<b>{}</b>。").format(head["state_title"])]


def _step(task: Mapping[str, Any], *, actor: Actor, now: datetime) -> Markup:
    since = f"已 {words.span(now - task['opened_at'])}" if now - task["opened_at"] >= timedelta(minutes=1) else "刚刚到"
    if task["instance_status"] == "suspended":
        return Markup("<b>{}</b> 这一步已暂停办理，恢复以后才能接着办。").format(task["title"])
    if task["waiting"] and (task["mine"] or not task["asked"]):
        return _waiting(task, since)
    if task["asked"]:
        return Markup("<b>{}</b> 请 <b>你</b> 对 <b>{}</b> 给出意见，{}。").format(task["asked"]["asked_name"], task["title"], since)
    if task["principal"] and not task["mine"]:
        held = Markup("等 <b>{}</b> 或同岗位的人 <b>{}</b>，他委托 <b>你</b> 代办，{}。").format(task["principal"], task["title"], since)
    elif task["principal"]:
        held = Markup("现在在 <b>{}</b> 手里，他委托 <b>你</b> 代办 <b>{}</b>，{}。").format(task["principal"], task["title"], since)
    elif task["mine"]:
        held = Markup("现在在 <b>你</b> 手里，等你 <b>{}</b>，{}。").format(task["title"], since)
    elif task["assignee"]:
        post = _beside(task["assignee_post"])
        held = Markup("现在在 <b>{}</b>{} 手里，等待 <b>{}</b>，{}。").format(task["assignee"], post, task["title"], since)
    elif task["claimable"]:
        held = Markup("等 <b>你</b> 或同岗位的人 <b>{}</b>，谁先办谁算，{}。").format(task["title"], since)
    else:
        whose = f"{task['pool_units'] or ''}{task['role_title'] or ''}" or "有关人员"
        held = Markup("等 <b>{}</b> 认领 <b>{}</b>，{}。").format(whose, task["title"], since)
    return held + _sender(task, actor=actor, now=now)


def _waiting(task: Mapping[str, Any], since: str) -> Markup:
    names = "、".join(one["name"] for one in task["signers"] if one["status"] == "open")
    holder = "你" if task["mine"] and not task["principal"] else task["assignee"]
    what = Markup("提交了 <b>{}</b>，正等 <b>{}</b> 同意，{}。") if task["held"] else Markup("的 <b>{}</b> 正等 <b>{}</b> 的意见，{}。")
    return Markup("<b>{}</b> ").format(holder) + what.format(task["title"], names, since)


def _sender(task: Mapping[str, Any], *, actor: Actor, now: datetime) -> Markup:
    if not task["from_name"]:
        return Markup("")
    if task["from_id"] == actor.person_id:
        back = Markup("办好后<b>直接送回{}</b>。").format(task["straight_to"]) if task["straight_to"] else Markup("")
        return Markup("上一步也是你办的，{}。").format(words.when(task["opened_at"], today=legal_date(now))) + back
    name = task["from_name"]
    post = _beside(task["from_post"])
    answered = _answered(task)
    verb = "给出意见" if answered else "退回" if task["returned"] else "送来"
    sentence = Markup("{}{} {} {}").format(name, post, words.when(answered or task["opened_at"], today=legal_date(now)), verb)
    said = sentence + (Markup("：“{}”").format(escape(task["from_words"])) if task["from_words"] else Markup("。"))
    return said + (Markup("办好后<b>直接送回{}</b>。").format(task["straight_to"]) if task["straight_to"] else Markup(""))


def _answered(task: Mapping[str, Any]) -> datetime | None:
    """When the colleague whose opinion brought the step back to its holder gave it; None where the step came from somebody's act."""
    given = [one for one in task.get("signers") or () if one["status"] == "done" and one["person_id"] == str(task["from_id"]) and one["opinion"] == task["from_words"]]
    return datetime.fromisoformat(given[-1]["answered_at"]) if given else None


def _beside(post: str | None) -> str:
    """A post after its holder's name: in brackets unless it has some of its own."""
    if not post:
        return ""
    return f" {post} " if "（" in post else f"（{post}）"
