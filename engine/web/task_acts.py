"""What a person does with a step: claim, release, save, complete, return, hand over; and take an act back."""
from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.access.assignment import holders
from engine.form_filling.live import live_html
from engine.kernel.errors import Invalid, StaleRevision
from engine.runtime.claim_task import claim_task, release_task
from engine.runtime.complete_task import complete_task
from engine.runtime.preview_next import preview_next
from engine.runtime.queries import case_page as query
from engine.runtime.redo import WORDS
from engine.runtime.return_task import ReturnTarget, return_targets, return_task
from engine.runtime.save_draft import others_on_form, save_draft
from engine.runtime.transfer_task import transfer_task
from engine.runtime.withdraw_act import withdraw_act
from engine.runtime.work import ActResult, TaskBrief
from engine.web import case_page, task_form
from engine.web.answers import done
from engine.web.context import actor, application, identifier, new_key, now, reading, sent_key, today

blueprint = Blueprint("task_acts", __name__)


def _act(**more: Any) -> dict[str, Any]:
    return {"actor": actor(), "key": sent_key(), "at": now(), **more}


@blueprint.post("/tasks/<task_id>/claim")
def claim(task_id: str) -> ResponseReturnValue:
    id = identifier(task_id, "任务")
    claim_task(application(), task_id=id, **_act())
    return done(url_for("case_page.task", task_id=id), "已认领，现在由你办。")


@blueprint.post("/tasks/<task_id>/release")
def release(task_id: str) -> ResponseReturnValue:
    release_task(application(), task_id=identifier(task_id, "任务"), **_act())
    return done(url_for("desk.page"), "已放回待认领。")


@blueprint.post("/tasks/<task_id>/draft")
def draft(task_id: str) -> ResponseReturnValue:
    id = identifier(task_id, "任务")
    with reading() as connection:
        place = query.task_place(connection, task_id=id)
    data = {**task_form.read_sent(place), task_form.OPINION: request.form.get("opinion", "")}
    rev = save_draft(
        application(), actor=actor(), task_id=id, data=data, form_hash=request.form.get("form_hash", ""), rev=request.form.get("rev", 0, type=int), at=now(),
    )
    others = others_on_form(application(), actor=actor(), task_id=id, since=now() - task_form.RECENTLY)
    return jsonify({"rev": rev, "saved": task_form.clock_time(now()), "others": others})


@blueprint.get("/tasks/<task_id>/next")
def foretell(task_id: str) -> ResponseReturnValue:
    """The buttons again, each with who gets the case next."""
    id = identifier(task_id, "任务")
    with reading() as connection:
        opened = task_form.reopen(connection, task_id=id)
    bar = task_form.bar(opened.outcomes)
    for button in bar["buttons"]:
        if button["kind"] == "submit":
            button["word"] += _receivers(preview_next(application(), actor=actor(), task_id=id, outcome=button["value"], at=now()))
    return render_template("case/buttons.html", work={**bar, "task": {"id": id}, "foretold": True})


def _receivers(tasks: list[TaskBrief]) -> str:
    """`` → 周启衡`` for one person, the role and a number for several; nothing when nobody can be told."""
    if len(tasks) != 1:
        return ""
    if tasks[0].mine and len(tasks[0].people) == 1:
        return " → 仍由你办"
    people = tasks[0].people
    if len(people) == 1:
        return f" → {people[0]}"
    return f" → {tasks[0].role_title or tasks[0].title}（{len(people)} 人）" if people else ""


@blueprint.post("/tasks/<task_id>/live")
def live(task_id: str) -> ResponseReturnValue:
    """The groups of the form after a field changed."""
    id = identifier(task_id, "任务")
    with reading() as connection:
        opened = task_form.reopen(connection, task_id=id)
        if opened.form is None or opened.context is None:
            return ""
        return live_html(opened.form, posted=request.form, rights=opened.rights, context=opened.context)


@blueprint.post("/tasks/<task_id>/complete")
def complete(task_id: str) -> ResponseReturnValue:
    id = identifier(task_id, "任务")
    try:
        result = complete_task(
            application(), task_id=id, data=task_form.read_with, outcome=request.form.get("outcome", "submit"), opinion=request.form.get("opinion", ""),
            form_hash=request.form.get("form_hash") or None, **_act(),
        )
    except Invalid as error:
        if not error.fields:
            raise
        with reading() as connection:
            place = query.task_place(connection, task_id=id)
        data = task_form.read_sent(place)
        _keep(id, data)
        return case_page.show(place["case_id"], task_id=id, sent=data, errors=error.fields, status=422)
    held = _held(result, id, result.title)
    return done(url_for("case_page.case", case_id=result.case_id), held) if held else onward(result, result.title)


def _held(result: ActResult, task_id: UUID, title: str) -> str:
    """What is said of a completion that takes effect only once colleagues agree; nothing for others."""
    if result.next_tasks or result.completed or result.replayed:
        return ""
    with reading() as connection:
        names = query.awaited(connection, task_id=task_id)
    return f"“{title}”已提交，等{'、'.join(names)}同意后生效。" if names else ""


def _keep(task_id: UUID, data: Mapping[str, Any]) -> None:
    """What a refused submit carried becomes the draft, unless another window has saved a later one."""
    with suppress(StaleRevision):
        save_draft(
            application(), actor=actor(), task_id=task_id, data={**data, task_form.OPINION: request.form.get("opinion", "")},
            form_hash=request.form.get("form_hash", ""), rev=request.form.get("rev", 0, type=int), at=now(),
        )


@blueprint.post("/tasks/<task_id>/return")
def give_back(task_id: str) -> ResponseReturnValue:
    id = identifier(task_id, "任务")
    result = return_task(application(), task_id=id, to_node=request.form.get("to_node", ""), opinion=request.form.get("opinion", ""),
                         then=request.form.get("then") or None, **_act())
    return onward(result, "", told="已退回。")


@blueprint.get("/tasks/<task_id>/returns")
def returns(task_id: str) -> ResponseReturnValue:
    """The list for 退回: legal targets with what each undoes."""
    id = identifier(task_id, "任务")
    targets = return_targets(application(), actor=actor(), task_id=id)
    return render_template("case/returns.html", task_id=id, targets=[{**vars(t), "effect": _effect(t)} for t in targets], words=WORDS, key=new_key())


def _effect(target: ReturnTarget) -> str:
    """What the target undoes, in one line: the steps, then what becomes of the documents."""
    undone = "、".join(f"“{title}”" for title in target.undoes)
    parts = [f"撤销{undone}" if undone else "他可以直接再报"]
    parts += [f"{word}{'、'.join(f'《{name}》' for name in names)}" for word, names in
              (("作废", target.voids), ("撤回已盖章的", target.withdraws), ("不能撤回已送达的", target.stands)) if names]
    return "；".join(parts) + "。"


@blueprint.get("/tasks/<task_id>/colleagues")
def colleagues(task_id: str) -> ResponseReturnValue:
    """The list for 转办: people of the reader's own unit."""
    id = identifier(task_id, "任务")
    with reading() as connection:
        people = holders(connection, pairs=_unit_posts(connection), on=today())
    return render_template("case/transfer.html", task_id=id, people=[p for p in people if p.person_id != actor().person_id], key=new_key())


def _unit_posts(connection: Any) -> list[Any]:
    return query.posts_of_unit(connection, unit_id=actor().unit_id)


@blueprint.post("/tasks/<task_id>/transfer")
def transfer(task_id: str) -> ResponseReturnValue:
    chosen = request.form.get("to_person_id", "")
    if not chosen:
        raise Invalid("请选择转给谁办。", fields={"to_person_id": "请选一位同事。"})
    transfer_task(
        application(), task_id=identifier(task_id, "任务"), to_person_id=identifier(chosen, "同事"), reason=request.form.get("reason", ""), **_act(),
    )
    return done(url_for("desk.page"), "已转办，对方收到了通知。")


@blueprint.post("/acts/<act_id>/withdraw")
def withdraw(act_id: str) -> ResponseReturnValue:
    result = withdraw_act(application(), act_id=identifier(act_id, "办理记录"), **_act())
    return done(url_for("case_page.case", case_id=result.case_id), "已撤回，案件回到你手里，填过的内容都在。")


def onward(result: ActResult, title: str, *, told: str = "") -> ResponseReturnValue:
    """Offer the next step when it is mine; else say who has it now and go back to the case."""
    told = "这次提交之前已经办成，没有重复办理。" if result.replayed else told or f"“{title}”已提交。"
    for task in result.next_tasks:
        if task.mine:
            return done(url_for("case_page.task", task_id=task.id), f"{told}下一步“{task.title}”也由你办。")
    if result.completed:
        return done(url_for("case_page.case", case_id=result.case_id), f"{told}这项流程已办完。")
    waiting = "；".join(f"{task.title}在{'、'.join(task.people[:3]) or task.role_title}手里" for task in result.next_tasks)
    return done(url_for("case_page.case", case_id=result.case_id), f"{told}{f'现在{waiting}。' if waiting else _others(result)}")


def _others(result: ActResult) -> str:
    """Who still has something to do where an act opened no step: colleagues of a 会签, other branches; else the system."""
    with reading() as connection:
        found = query.standing(connection, instance_id=result.instance_id) if result.instance_id else []
    waiting = "；".join(f"{'、'.join(row['names'][:3])}{'等' if len(row['names']) > 3 else ''}办理{row['title']}" for row in found[:3])
    return f"还在等{waiting}。" if waiting else "系统正在办理自动步骤。"
