"""What colleagues do together on a step or a case: 委派, 加签, 减签, 意见, 抄送, 催办, 留言, 暂停."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.access.assignment import Holder, holders
from engine.access.scope import require_case
from engine.kernel.errors import Invalid
from engine.runtime.add_signer import add_signer
from engine.runtime.allowed import allowed_acts
from engine.runtime.cc_case import cc_case
from engine.runtime.comment_case import comment_case
from engine.runtime.delegate_task import delegate_task
from engine.runtime.give_opinion import give_opinion
from engine.runtime.queries import case_page as query
from engine.runtime.remove_signer import remove_signer, take_back_submission
from engine.runtime.suspend_instance import resume_case, suspend_case
from engine.runtime.urge_task import urge_task
from engine.web.answers import done
from engine.web.context import actor, application, identifier, new_key, now, reading, sent_key, today
from engine.web.task_acts import onward

blueprint = Blueprint("more_acts", __name__)


def _act(**more: Any) -> dict[str, Any]:
    return {"actor": actor(), "key": sent_key(), "at": now(), **more}


def _words(name: str = "words") -> str:
    return request.form.get(name, "")


def _people() -> list[UUID]:
    return [identifier(text, "同事") for text in request.form.getlist("people")]


def _one_person() -> UUID:
    chosen = _people()
    if len(chosen) != 1:
        raise Invalid("请选一位同事。", fields={"people": "请选一位同事。"})
    return chosen[0]


def _back(task_id: UUID, message: str) -> ResponseReturnValue:
    return done(url_for("case_page.task", task_id=task_id), message)


def near(connection: Any) -> list[Holder]:
    """The reader's own colleagues, each once; others are found by typing."""
    found = holders(connection, pairs=query.posts_of_unit(connection, unit_id=actor().unit_id), on=today())
    return list({one.person_id: one for one in found if one.person_id != actor().person_id}.values())


@blueprint.get("/tasks/<task_id>/more")
def more(task_id: str) -> ResponseReturnValue:
    """The list behind 更多: what the diagram allows here besides completing."""
    id = identifier(task_id, "任务")
    with reading() as connection:
        place = query.task_place(connection, task_id=id)
        page = query.case_page(connection, actor=actor(), case_id=place["case_id"], by_task=True)
        row = page.task(id)
        allowed = allowed_acts(application(), row, row) if row and (row["mine"] or row["claimable"]) else frozenset()
        return render_template("case/more.html", task_id=id, case_id=place["case_id"], allowed=allowed, people=near(connection), keys=[new_key() for _ in range(4)])


@blueprint.post("/tasks/<task_id>/delegate")
def delegate(task_id: str) -> ResponseReturnValue:
    id = identifier(task_id, "任务")
    delegate_task(application(), task_id=id, to_person_id=_one_person(), words=_words(), **_act())
    return _back(id, "已委派。对方给出意见后，这一步回到你手里。")


@blueprint.post("/tasks/<task_id>/signers")
def add(task_id: str) -> ResponseReturnValue:
    id, when = identifier(task_id, "任务"), request.form.get("when", "")
    add_signer(application(), task_id=id, when=when, people=_people(), words=_words(), **_act())
    return _back(id, "已加签。意见到齐后再办。" if when == "before" else "已加签。你提交以后，等他们同意才生效。")


@blueprint.post("/tasks/<task_id>/signers/<person_id>/remove")
def remove(task_id: str, person_id: str) -> ResponseReturnValue:
    id = identifier(task_id, "任务")
    remove_signer(application(), task_id=id, person_id=identifier(person_id, "同事"), **_act())
    return _back(id, "已减签。")


@blueprint.post("/tasks/<task_id>/unhold")
def unhold(task_id: str) -> ResponseReturnValue:
    id = identifier(task_id, "任务")
    take_back_submission(application(), task_id=id, **_act())
    return _back(id, "已收回提交，填过的内容都在。")


@blueprint.post("/tasks/<task_id>/opinion")
def opinion(task_id: str) -> ResponseReturnValue:
    id = identifier(task_id, "任务")
    result = give_opinion(application(), task_id=id, stance=request.form.get("stance", ""), opinion=_words("opinion"), **_act())
    if result.next_tasks or result.completed:
        return onward(result, "", told="意见已送出，提交生效了。")
    return done(url_for("case_page.case", case_id=result.case_id), "意见已送出。")


@blueprint.post("/tasks/<task_id>/urge")
def urge(task_id: str) -> ResponseReturnValue:
    result = urge_task(application(), task_id=identifier(task_id, "任务"), words=_words(), **_act())
    return done(url_for("case_page.case", case_id=result.case_id), "已催办，对方收到了通知。")


@blueprint.get("/cases/<case_id>/copies")
def copies(case_id: str) -> ResponseReturnValue:
    """The list for 抄送."""
    id = identifier(case_id, "案件")
    with reading() as connection:
        require_case(connection, actor(), id)
        return render_template("case/copies.html", case_id=id, people=near(connection), key=new_key())


@blueprint.post("/cases/<case_id>/copies")
def copy(case_id: str) -> ResponseReturnValue:
    id, people = identifier(case_id, "案件"), _people()
    cc_case(application(), case_id=id, people=people, words=_words(), **_act())
    return done(url_for("case_page.case", case_id=id), f"已抄送 {len(people)} 人。")


@blueprint.post("/cases/<case_id>/comments")
def comment(case_id: str) -> ResponseReturnValue:
    id = identifier(case_id, "案件")
    comment_case(application(), case_id=id, text=_words("text"), **_act())
    return done(url_for("case_page.case", case_id=id), "留言已记下。")


@blueprint.post("/cases/<case_id>/suspend")
def suspend(case_id: str) -> ResponseReturnValue:
    id = identifier(case_id, "案件")
    suspend_case(application(), case_id=id, reason=_words("reason"), **_act())
    return done(url_for("case_page.case", case_id=id), "已暂停办理，办理人收到了通知。")


@blueprint.post("/cases/<case_id>/resume")
def resume(case_id: str) -> ResponseReturnValue:
    id = identifier(case_id, "案件")
    resume_case(application(), case_id=id, reason=_words("reason"), **_act())
    return done(url_for("case_page.case", case_id=id), "已恢复办理。")
