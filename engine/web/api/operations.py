"""值守 by a program: what failed, what doesn't get on, background jobs, and one instance with its facts, its snapshots, its end."""
from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from engine.access.scope import require_case
from engine.runtime import start_failures
from engine.runtime.begin import load_machine
from engine.runtime.incidents import OPERATOR, retry_incident, skip_incident
from engine.runtime.operating.repair_facts import declared_facts, repair_facts
from engine.runtime.operating.restore_snapshot import restore_snapshot
from engine.runtime.operating.snapshots import find_snapshot, get_instance, preview_restore, snapshots
from engine.runtime.operating.steer_job import steer_job
from engine.runtime.operating.terminate_instance import terminate_instance
from engine.runtime.queries import incidents as incident_query
from engine.runtime.queries import jobs as job_query
from engine.runtime.queries import stuck
from engine.runtime.suspend_instance import resume_instance, suspend_instance
from engine.web.api.task_acts import ANSWERS, ActPath
from engine.web.api.topic import TEXT_MOST, ErrorAnswer, KeyHeader, Sent, Told, done, make_topic, once, tell
from engine.web.context import actor, application, now, reading, today

topic = make_topic("operations", "值守", "异常、不动的案件、后台任务、流程实例。要有运行值守的权限，只看得到自己能看的案件；每个动作都要理由")
READ: dict[Any, Any] = {403: ErrorAnswer}
MISSING = "没有这个流程实例，或者您无权查看。"


class ReasonSent(Sent):
    """理由"""

    reason: str = Field(max_length=TEXT_MOST, description="为什么，记在办理经过和审计记录里")


class RetrySent(Sent):
    """重试"""

    reason: str = Field(default="", max_length=TEXT_MOST, description="为什么")


class RepairSent(ReasonSent):
    """更正值"""

    facts: dict[str, str] = Field(min_length=1, max_length=100, description="key → 新值，文字写法；key 见实例的 facts")


class RestoreSent(ReasonSent):
    """恢复快照"""

    act_id: UUID = Field(description="恢复到这次办理之前，见实例的 snapshots")


class IncidentPath(BaseModel):
    incident_id: UUID = Field(description="异常编号")


class InstancePath(BaseModel):
    instance_id: UUID = Field(description="流程实例编号")


class SnapshotPath(InstancePath, ActPath):
    pass


class JobPath(BaseModel):
    job_id: int = Field(ge=1, le=2**62, description="后台任务编号")


class FailurePath(BaseModel):
    failure_id: UUID = Field(description="没有发起成的编号")


class IncidentsQuery(Sent):
    state: Literal["open", "all"] = Field(default="open", description="待处理的，还是全部")


class StuckQuery(Sent):
    days: int = Field(default=10, ge=1, le=250, description="多少个工作日算久")
    after: UUID | None = Field(default=None, description="“什么也不在等”从这个流程实例之后接着看，即上次回答里的 following")


class JobsQuery(Sent):
    tab: Literal["queued", "scheduled", "running", "failed"] = Field(default="failed", description="排队、定好时间、运行中、失败")
    before: int | None = Field(default=None, ge=1, le=2**62, description="只要编号比这个小的（翻页）")


class IncidentTold(Told):
    """一条异常"""

    id: UUID = Field(description="异常编号")
    kind: str = Field(description="service 自动步骤出错，assignment 找不到办理人，expression 条件算不出来，error_uncaught 报错没有人接，timer 定时出错")
    message: str = Field(description="原因")
    status: str = Field(description="open 待处理，retried 已重试，skipped 已跳过，resolved 已恢复")
    opened_at: datetime = Field(description="什么时候")
    node: str = Field(description="流程图上的元素")
    case_id: UUID = Field(description="案件编号")
    title: str = Field(description="案件")
    instance_id: UUID = Field(description="流程实例编号")
    handler: str | None = Field(description="处理程序")
    attempts: int | None = Field(description="试过几次")
    reason: str = Field(description="处理时写的理由")


class IncidentsTold(Told):
    """最新的一百条异常"""

    items: list[IncidentTold]


class StartFailureTold(Told):
    """一件没有发起成的案件"""

    id: UUID = Field(description="编号")
    process: str = Field(description="流程")
    event: str = Field(description="开始事件")
    message: str = Field(description="原因")
    status: str = Field(description="open 待处理，retried 已重试，skipped 已跳过")
    opened_at: datetime = Field(description="什么时候")
    reason: str = Field(description="处理时写的理由")


class StartFailuresTold(Told):
    """最新的一百件"""

    items: list[StartFailureTold]


class StuckTold(Told):
    """一件不动的"""

    instance_id: UUID = Field(description="流程实例编号")
    case_id: UUID = Field(description="案件编号")
    number: str | None = Field(description="文号")
    title: str = Field(description="案件")
    since: datetime = Field(description="从什么时候起")
    detail: str = Field(description="停在哪里")


class ReasonTold(Told):
    """一种原因"""

    key: str = Field(description="原因代码")
    title: str = Field(description="原因")
    remedy: str = Field(description="怎么办")
    items: list[StuckTold] = Field(description="等得最久的一百件")
    following: UUID | None = Field(default=None, description="在办的很多、这一次没有看完时，下一次从哪里接着看")


class ReasonsTold(Told):
    """不动的案件"""

    items: list[ReasonTold]


class JobTold(Told):
    """一个后台任务"""

    id: int = Field(description="编号")
    name: str = Field(description="名称")
    args: dict[str, Any] = Field(description="参数")
    attempts: int = Field(description="试过几次")
    scheduled_at: datetime | None = Field(description="定在什么时候")
    since: datetime | None = Field(description="最近一次变化")


class JobsTold(Told):
    """后台任务"""

    items: list[JobTold]
    counts: dict[str, int] = Field(description="各类几个，数到一万")
    next: int | None = Field(description="下一页的 before")


class FactTold(Told):
    """一个事实"""

    key: str = Field(description="更正时用")
    title: str = Field(description="名称")
    kind: str = Field(description="类型")
    text: str = Field(description="现在的值")


class SnapshotTold(Told):
    """一次办理之前的样子"""

    id: UUID = Field(description="办理编号")
    title: str = Field(description="步骤")
    outcome_title: str | None = Field(description="办理结果")
    actor_name: str = Field(description="谁")
    at: datetime = Field(description="什么时候")
    irreversible: bool | None = Field(description="产生了不能撤销的结果")


class InstanceTold(Told):
    """一个流程实例"""

    id: UUID = Field(description="流程实例编号")
    case_id: UUID = Field(description="案件编号")
    process: str = Field(description="流程")
    status: str = Field(description="running 在办，suspended 已暂停，incident 有异常，completed 已办结，cancelled 已终止")
    rev: int = Field(description="第几次变化")
    places: list[str] = Field(description="停在流程图的哪些元素")
    facts: list[FactTold] = Field(description="声明的事实")
    snapshots: list[SnapshotTold] = Field(description="最新的两百个快照，新的在前")


class PreviewTold(Told):
    """恢复这个快照会怎样"""

    undone: list[str] = Field(description="撤销的办理")
    reopened: list[str] = Field(description="重新打开的任务")
    closed: list[str] = Field(description="取消的任务")
    documents: list[str] = Field(description="作废的文书")
    again: list[str] = Field(description="再运行的自动步骤")
    obstacles: list[str] = Field(description="为什么不能恢复；空的才能")


class JobDone(Told):
    """办成了"""

    id: int = Field(description="后台任务编号")
    done: bool = Field(description="办成")


@topic.get("/incidents", responses={200: IncidentsTold, **READ})
def incidents(query: IncidentsQuery) -> Response:
    """异常"""
    actor().require(OPERATOR)
    with reading() as connection:
        rows = incident_query.listed(connection, actor=actor(), open_only=query.state == "open")
    return tell(IncidentsTold(items=[IncidentTold.model_validate(row) for row in rows]))


@topic.post("/incidents/<incident_id>/retry", responses=ANSWERS)
def retry(path: IncidentPath, header: KeyHeader, body: RetrySent) -> Response:
    """重试"""
    return done(once(header, retry_incident, incident_id=path.incident_id, reason=body.reason))


@topic.post("/incidents/<incident_id>/skip", responses=ANSWERS)
def skip(path: IncidentPath, header: KeyHeader, body: ReasonSent) -> Response:
    """跳过，流程往下走"""
    return done(once(header, skip_incident, incident_id=path.incident_id, reason=body.reason))


@topic.get("/start-failures", responses={200: StartFailuresTold, **READ})
def failed_starts(query: IncidentsQuery) -> Response:
    """没有发起成的案件：信号、台账条件该发起一件，试了十次没有成功"""
    return _failed(open_only=query.state == "open")


def _failed(*, open_only: bool = True) -> Response:
    with reading() as connection:
        rows = start_failures.listed(connection, actor=actor(), open_only=open_only)
    return tell(StartFailuresTold(items=[StartFailureTold.model_validate(row) for row in rows]))


@topic.post("/start-failures/<failure_id>/retry", responses={200: StartFailuresTold, 400: ErrorAnswer, 403: ErrorAnswer, 409: ErrorAnswer})
def retry_start(path: FailurePath, header: KeyHeader, body: RetrySent) -> Response:
    """再发起一次"""
    start_failures.retry_start(application(), actor=actor(), failure_id=path.failure_id, reason=body.reason, at=now())
    return _failed()


@topic.post("/start-failures/<failure_id>/skip", responses={200: StartFailuresTold, 400: ErrorAnswer, 403: ErrorAnswer, 409: ErrorAnswer})
def skip_start(path: FailurePath, header: KeyHeader, body: ReasonSent) -> Response:
    """跳过，不再发起"""
    start_failures.skip_start(application(), actor=actor(), failure_id=path.failure_id, reason=body.reason, at=now())
    return _failed()


@topic.get("/stuck", responses={200: ReasonsTold, **READ})
def standing(query: StuckQuery) -> Response:
    """不动的案件，按原因"""
    actor().require(OPERATOR)
    with reading() as connection:
        limits = stuck.limits_for(connection, days=query.days, today=today(), now=now())
        walked = stuck.walk_running(connection, actor=actor(), limits=limits, after=query.after)
        told = [
            ReasonTold(key=one.key, title=one.title, remedy=one.remedy, following=walked.following if one is stuck.NOTHING else None, items=[
                StuckTold.model_validate(row)
                for row in (walked.rows if one is stuck.NOTHING else stuck.find_stuck(connection, actor=actor(), limits=limits, reason=one))
            ]) for one in (*stuck.REASONS, stuck.messages(application().library))
        ]
    return tell(ReasonsTold(items=told))


@topic.get("/jobs", responses={200: JobsTold, **READ})
def jobs(query: JobsQuery) -> Response:
    """后台任务"""
    actor().require(OPERATOR)
    with reading() as connection:
        counts = job_query.counts(connection, at=now())
        rows = job_query.listed(connection, tab=query.tab, at=now(), before=query.before)
    told = [JobTold.model_validate(row) for row in rows[: job_query.SIZE]]
    return tell(JobsTold(items=told, counts=counts, next=told[-1].id if len(rows) > job_query.SIZE else None))


@topic.post("/jobs/<job_id>/retry", responses={200: JobDone, 400: ErrorAnswer, 403: ErrorAnswer, 409: ErrorAnswer})
def run_job(path: JobPath, header: KeyHeader) -> Response:
    """现在运行"""
    steer_job(application(), actor=actor(), job_id=path.job_id, what="retry", at=now())
    return tell(JobDone(id=path.job_id, done=True))


@topic.post("/jobs/<job_id>/cancel", responses={200: JobDone, 400: ErrorAnswer, 403: ErrorAnswer, 409: ErrorAnswer})
def cancel_job(path: JobPath, header: KeyHeader) -> Response:
    """取消"""
    steer_job(application(), actor=actor(), job_id=path.job_id, what="cancel", at=now())
    return tell(JobDone(id=path.job_id, done=True))


@topic.get("/instances/<instance_id>", responses={200: InstanceTold, **READ})
def instance(path: InstancePath) -> Response:
    """一个流程实例：停在哪里、事实、快照"""
    row = _seen(path.instance_id)
    machine = load_machine(application(), row, now())
    with reading() as connection:
        past = snapshots(connection, instance_id=row["id"])
    places = sorted({place for place, _ in machine.places()})
    return tell(InstanceTold.model_validate({**row, "places": places, "facts": declared_facts(machine), "snapshots": past}))


@topic.get("/instances/<instance_id>/snapshots/<act_id>", responses={200: PreviewTold, **READ})
def snapshot(path: SnapshotPath) -> Response:
    """恢复这个快照会怎样，不改任何东西"""
    row = _seen(path.instance_id)
    with reading() as connection:
        found = preview_restore(
            application(), connection, row=row, chosen=find_snapshot(connection, instance_id=row["id"], act_id=path.act_id), at=now(),
        )
    words = {name: [str(one.get("outcome_title") or one.get("title") or one.get("handler")) for one in getattr(found, name)]
             for name in ("undone", "reopened", "closed", "documents", "again")}
    return tell(PreviewTold(**words, obstacles=found.obstacles))


@topic.post("/instances/<instance_id>/suspend", responses=ANSWERS)
def suspend(path: InstancePath, header: KeyHeader, body: ReasonSent) -> Response:
    """暂停：定时停住，任务不能办"""
    return done(once(header, suspend_instance, instance_id=_seen(path.instance_id)["id"], reason=body.reason))


@topic.post("/instances/<instance_id>/resume", responses=ANSWERS)
def resume(path: InstancePath, header: KeyHeader, body: ReasonSent) -> Response:
    """恢复办理"""
    return done(once(header, resume_instance, instance_id=_seen(path.instance_id)["id"], reason=body.reason))


@topic.post("/instances/<instance_id>/terminate", responses=ANSWERS)
def terminate(path: InstancePath, header: KeyHeader, body: ReasonSent) -> Response:
    """终止"""
    return done(once(header, terminate_instance, instance_id=_seen(path.instance_id)["id"], reason=body.reason))


@topic.post("/instances/<instance_id>/repair", responses=ANSWERS)
def repair(path: InstancePath, header: KeyHeader, body: RepairSent) -> Response:
    """更正事实的值"""
    return done(once(header, repair_facts, instance_id=_seen(path.instance_id)["id"], values=body.facts, reason=body.reason))


@topic.post("/instances/<instance_id>/restore", responses=ANSWERS)
def restore(path: InstancePath, header: KeyHeader, body: RestoreSent) -> Response:
    """恢复快照"""
    return done(once(header, restore_snapshot, instance_id=_seen(path.instance_id)["id"], act_id=body.act_id, reason=body.reason))


def _seen(instance_id: UUID) -> dict[str, Any]:
    """The instance row, when its case may be seen by an operator."""
    actor().require(OPERATOR)
    with reading() as connection:
        row = get_instance(connection, instance_id=instance_id)
        require_case(connection, actor(), row["case_id"], missing=MISSING)
    return row
