"""Tasks: what waits for the token's holder, one task with its form, its draft, who would come next."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Literal
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from engine.kernel.errors import Forbidden
from engine.reference import calendars
from engine.runtime.answers import form_of
from engine.runtime.begin import load_machine
from engine.runtime.form_grants import readable
from engine.runtime.nodes import shown_nodes
from engine.runtime.preview_next import preview_next
from engine.runtime.queries import case_page, desk, submissions, tasks
from engine.runtime.queries.tally import tally_of
from engine.runtime.return_task import return_targets
from engine.runtime.save_draft import save_draft
from engine.runtime.secrets import mask_secret, open_secrets
from engine.web import task_form
from engine.web.api.cursors import give, take
from engine.web.api.forms import FormTold, OutcomeTold, form_told, outcomes_told, values_of
from engine.web.api.topic import ErrorAnswer, Instant, NextTask, Paging, Sent, Told, Truth, make_topic, tell
from engine.web.context import actor, application, now, reading, today

topic = make_topic("tasks", "任务", "等着办的步骤：列表、表单、草稿、办理")
RECENTLY = timedelta(minutes=30)


class TaskPath(BaseModel):
    task_id: UUID = Field(description="任务编号")


class TaskQuery(Paging):
    due: Literal["all", "late", "today", "3d", "later"] = Field(default="all", description="期限：late 已逾期，today 今天，3d 三个工作日内，later 以后")
    process: str = Field(default="", max_length=200, description="只要这个流程的", json_schema_extra={"example": "case_filing.clue_intake"})
    step: str = Field(default="", max_length=200, description="只要这个步骤名称的")
    sender: str = Field(default="", max_length=200, description="只要这个人送来的")


class TaskListed(Told):
    """待办里的一条"""

    task_id: UUID = Field(description="任务编号")
    case_id: UUID = Field(description="案件编号")
    number: str | None = Field(description="案件文号")
    title: str = Field(description="案件名称")
    subject: str = Field(description="当事人")
    process_title: str = Field(description="流程")
    step: str = Field(description="步骤")
    from_name: str = Field(description="谁送来的")
    from_words: str = Field(description="送来时的话")
    opened_at: Instant = Field(description="什么时候送来的")
    returned: bool = Field(description="是不是退回来的")
    pool: bool = Field(description="true 表示待认领")
    due_on: date | None = Field(description="最后一天")
    light: str = Field(description="late 逾期，soon 快到期，ok 正常，hold 暂停，none 没有期限")
    remaining: str = Field(description="还剩多久")


class TaskPage(Told):
    """待办的一页，快到期的在前"""

    items: list[TaskListed]
    total: int = Field(description="一共几条；超过 10000 只数到 10001")
    next: str | None = Field(description="下一页的 cursor；没有下一页为 null")


class DraftTold(Told):
    """自己存的草稿"""

    rev: int = Field(description="修订号，下次保存时带上；还没有草稿为 0")
    saved_at: Instant | None = Field(description="保存时间")
    opinion: str = Field(description="草稿里的意见")


class TargetTold(Told):
    """可以退回到的一步"""

    node: str = Field(description="退回时写在 to_node 里")
    title: str = Field(description="步骤名称")
    person: str = Field(description="退给谁")
    role_title: str = Field(description="他办这一步的角色")
    undoes: list[str] = Field(description="退回撤销的步骤")
    ways: list[str] = Field(description="补正以后可以怎么走，第一个是默认：again 每一步重走，straight 直接送回退回的人")
    voids: list[str] = Field(description="要作废的文书：没有盖章的")
    withdraws: list[str] = Field(description="要撤回的文书：已经盖章的")
    stands: list[str] = Field(description="撤不回的文书：已经送达的，退回后仍然有效")


class TargetsTold(Told):
    """可以退回到哪些步骤，近的在前"""

    items: list[TargetTold]


class VoteTold(Told):
    """一个人的表态"""

    person: str = Field(description="谁")
    word: str = Field(description="按的按钮；空为还没有表态")
    weight: float | None = Field(description="权重；不按权重的为 null")
    asked: bool = Field(description="正在等他表态")


class TallyTold(Told):
    """会签到哪一步了"""

    votes: list[VoteTold] = Field(description="各人的表态")
    out: list[str] = Field(description="还没有表态的人")


class EarlierTold(Told):
    """这一步要看的前面填的表"""

    node: str = Field(description="哪一步填的")
    form: str = Field(description="表单名")
    data: dict[str, Any] = Field(description="填的内容，证件号码、电话遮掩")
    by_name: str = Field(description="谁填的")
    at: Instant = Field(description="什么时候填的")


class TaskRead(Told):
    """一项任务。已经不在办的，只有前面几项"""

    id: UUID
    case_id: UUID
    status: str = Field(description="open 在办，done 已办，cancelled 已取消")
    title: str = Field(description="步骤名称")
    ended_by: str | None = Field(default=None, description="谁办的")
    ended_at: Instant | None = Field(default=None, description="什么时候办的")
    instance_id: UUID | None = Field(default=None, description="流程实例编号")
    node: str | None = Field(default=None, description="图上的步骤")
    process: str | None = Field(default=None, description="步骤所在的流程")
    role_title: str | None = Field(default=None, description="由哪个角色办")
    assignee: str | None = Field(default=None, description="在谁手里；待认领为 null")
    mine: Truth = Field(default=False, description="在不在自己手里")
    claimable: Truth = Field(default=False, description="自己能不能认领或者直接办")
    has_pool: bool = Field(default=False, description="能不能放回待认领")
    due_on: date | None = Field(default=None, description="最后一天")
    opened_at: Instant | None = Field(default=None, description="什么时候送来的")
    from_name: str | None = Field(default=None, description="谁送来的")
    from_words: str | None = Field(default=None, description="送来时的话")
    returned: bool = Field(default=False, description="是不是退回来的")
    straight_to: str = Field(default="", description="退回来重办的：办好后直接送回谁；空为每一步重走")
    form: FormTold | None = Field(default=None, description="要填的表；不是自己的任务，或者这一步不用填表，为 null")
    data: dict[str, Any] | None = Field(default=None, description="各栏现在的内容：有草稿是草稿，没有是系统带出来的")
    draft: DraftTold | None = Field(default=None, description="自己的草稿")
    others: list[str] = Field(default_factory=list, description="半小时内也在填这张表的人")
    outcomes: list[OutcomeTold] = Field(default_factory=list, description="可以按的按钮")
    return_targets: list[TargetTold] = Field(default_factory=list, description="可以直接退回到哪些步骤")
    tally: TallyTold | None = Field(default=None, description="会签的情况；不是会签为 null")
    earlier: list[EarlierTold] = Field(default_factory=list, description="前面填的、这一步要看的表")


class DraftSent(Sent):
    """要保存的草稿；内容不检查，填到哪里存到哪里"""

    data: dict[str, Any] = Field(default_factory=dict, description="各栏的内容", json_schema_extra={"example": {"findings": "已到现场核查。"}})
    opinion: str = Field(default="", max_length=4000, description="意见")
    form_hash: str = Field(default="", max_length=64, description="表单版本")
    rev: int = Field(default=0, ge=0, description="上次读到或者保存得到的修订号；第一次为 0")


class DraftSaved(Told):
    """草稿存好了"""

    rev: int = Field(description="新的修订号")
    saved_at: Instant


class NextQuery(Sent):
    outcome: str = Field(max_length=100, description="打算按哪个按钮", json_schema_extra={"example": "approve"})


class NextTold(Told):
    """按下按钮以后会等谁办；说不准的（要等自动步骤的结果）不说"""

    items: list[NextTask]


@topic.get("/tasks", responses={200: TaskPage})
def waiting(query: TaskQuery) -> Response:
    """待办列表

    令牌主人手里的和可以认领的任务，快到期的在前。
    """
    filters = desk.Filters(process=query.process, node=query.step, sender=query.sender)
    with reading() as connection:
        calendar = calendars.load(connection)
        soon = calendar.add_working_days(today(), 3)
        figures = desk.inbox(connection, actor=actor(), today=today(), soon_until=soon, filters=filters).figures
        total = {"all": figures.all, "late": figures.late, "today": figures.today, "3d": figures.soon, "later": figures.later}[query.due]
        page = desk.waiting(
            connection, actor=actor(), today=today(), soon_until=soon, filters=filters, due=query.due, calendar=calendar, total=total, size=query.limit,
            after=take(query.cursor),
        )
    return tell(TaskPage(items=[TaskListed.model_validate(row) for row in page.rows], total=page.total, next=give(page.next)))


@topic.get("/tasks/<task_id>", responses={200: TaskRead})
def read(path: TaskPath) -> Response:
    """读一项任务

    看得到案件就读得到任务；表单、草稿、按钮和退回去向只给能办的人。
    """
    with reading() as connection:
        place = tasks.place(connection, actor=actor(), task_id=path.task_id)
        row = tasks.open_task(connection, actor=actor(), case_id=place["case_id"], task_id=path.task_id)
        values = {**place, **(row or {})}
        if row is not None:
            values["tally"] = tally_of(application(), connection, instance=task_form.instance_of(row), task=row, at=now())
        if row is not None and (row["mine"] or row["claimable"]):
            values |= _work(connection, place["case_id"], row)
    if values.get("form") is not None and not isinstance(values["form"], FormTold):
        values["form"] = None
    return tell(TaskRead.model_validate(values))


def _work(connection: Connection, case_id: UUID, row: dict[str, Any]) -> dict[str, Any]:
    """What only who can do the step gets."""
    instance = task_form.instance_of(row)
    facts = load_machine(application(), instance, now()).facts(row["engine_id"])
    case = case_page.head(connection, case_id=case_id)
    opened = task_form.open_form(connection, case=case, instance=instance, task=row, facts=facts, url=_no_address)
    draft = case_page.drafts(connection, actor=actor(), task_id=row["id"], since=now() - RECENTLY)
    opinion = str((draft.data or {}).get(task_form.OPINION) or "")
    return {
        "form": form_told(opened.form, opened.rights) if opened.form else None,
        "data": values_of(opened, draft.data),
        "draft": {"rev": draft.rev, "saved_at": draft.saved_at, "opinion": opinion},
        "others": draft.others,
        "outcomes": outcomes_told(opened),
        "return_targets": [TargetTold.model_validate(target) for target in return_targets(application(), actor=actor(), task_id=row["id"])],
        "earlier": _earlier(connection, case_id, opened, row["bundle_id"]),
    }


def _no_address(name: str, **_: str) -> str:
    return ""


def _earlier(connection: Connection, case_id: UUID, opened: task_form.Open, bundle_id: UUID) -> list[EarlierTold]:
    if not opened.node.shows:
        return []
    latest = submissions.latest_sealed(connection, case_id=case_id)
    wanted = [node for node in shown_nodes(opened.node, opened.facts) if node in latest]
    return [
        EarlierTold(node=node, form=latest[node]["form"], data=_readable(bundle_id, latest[node]),
                    by_name=latest[node]["by_name"], at=latest[node]["at"])
        for node in wanted
    ]


def _readable(bundle_id: UUID, told: Mapping[str, Any]) -> dict[str, Any]:
    """Earlier answers as the reader may know them."""
    form = form_of(application(), application().library.bundle(bundle_id), told["form"])
    return readable(form, actor(), open_secrets(application().keys, told["data"], mask=mask_secret))


@topic.put("/tasks/<task_id>/draft", responses={200: DraftSaved, 403: ErrorAnswer, 409: ErrorAnswer})
def draft(path: TaskPath, body: DraftSent) -> Response:
    """保存草稿

    rev 和库里的不一样，说明别处保存得更晚，返回 409 stale_revision：重新读任务，合并后再存。
    """
    with reading() as connection:
        tasks.place(connection, actor=actor(), task_id=path.task_id)
    rev = save_draft(
        application(), actor=actor(), task_id=path.task_id, data={**body.data, task_form.OPINION: body.opinion}, form_hash=body.form_hash, rev=body.rev,
        at=now(),
    )
    return tell(DraftSaved(rev=rev, saved_at=now()))


@topic.get("/tasks/<task_id>/returns", responses={200: TargetsTold, 403: ErrorAnswer})
def targets(path: TaskPath) -> Response:
    """可以退回到哪些步骤

    每一处写明撤销哪些步骤、作废和撤回哪些文书、哪些已经送达撤不回，补正以后可以怎么走。
    """
    with reading() as connection:
        tasks.place(connection, actor=actor(), task_id=path.task_id)
    found = return_targets(application(), actor=actor(), task_id=path.task_id)
    return tell(TargetsTold(items=[TargetTold.model_validate(target) for target in found]))


@topic.get("/tasks/<task_id>/next", responses={200: NextTold, 403: ErrorAnswer})
def foretell(path: TaskPath, query: NextQuery) -> Response:
    """下一步会等谁办

    按现在的内容试走一遍，什么也不写。
    """
    with reading() as connection:
        place = tasks.place(connection, actor=actor(), task_id=path.task_id)
        row = tasks.open_task(connection, actor=actor(), case_id=place["case_id"], task_id=path.task_id)
    if row is None or not (row["mine"] or row["claimable"]):
        raise Forbidden("这项任务不在您手里。")
    found = preview_next(application(), actor=actor(), task_id=path.task_id, outcome=query.outcome, at=now())
    return tell(NextTold(items=[NextTask.model_validate(brief) for brief in found]))
