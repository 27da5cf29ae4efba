"""值守: cases that don't get on and why, background jobs, and one instance with its facts, its snapshots, its end."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.access.scope import require_case
from engine.kernel.errors import Conflict, GuichengError, Invalid, NotFound
from engine.runtime.begin import load_machine
from engine.runtime.incidents import OPERATOR
from engine.runtime.operating.repair_facts import declared_facts, repair_facts
from engine.runtime.operating.restore_snapshot import restore_snapshot
from engine.runtime.operating.retry_many import retry_many
from engine.runtime.operating.snapshots import KINDS, find_snapshot, get_instance, preview_restore, snapshots
from engine.runtime.operating.steer_job import steer_job
from engine.runtime.operating.terminate_instance import terminate_instance
from engine.runtime.queries import incidents as incident_query
from engine.runtime.queries import jobs as job_query
from engine.runtime.queries import stuck as stuck_query
from engine.runtime.suspend_instance import resume_instance, suspend_instance
from engine.storage.tables.cases import case_file
from engine.web.answers import done
from engine.web.context import actor, application, identifier, new_key, now, reading, sent_key, today

blueprint = Blueprint("operations", __name__)
STATUS = {"running": ("ok", "在办"), "suspended": ("hold", "已暂停"), "incident": ("late", "有异常"), "completed": ("done", "已办结"), "cancelled": ("hold", "已终止")}
TABS = {"queued": "排队", "running": "运行中", "scheduled": "定好时间", "failed": "失败"}
JOBS = {
    "runtime.run_effect": "自动步骤", "runtime.match_inbox": "核对先到的消息", "runtime.throw_message": "发消息", "runtime.throw_signal": "发信号", "runtime.catch_signal": "收信号",
    "runtime.whole_file": "整卷打印", "runtime.check_migration": "迁移试算", "runtime.run_migration": "迁移在办案件", "runtime.undo_migration": "撤销迁移",
    "runtime.make_items": "分办建案", "runtime.deliver_items": "分办汇总", "runtime.end_items": "结束分办", "runtime.hold_items": "暂停分办", "registers.export": "台账导出",
    "runtime.exchange": "数据交换", "registers.check_import": "检查导入", "registers.write_import": "写入导入", "registers.undo_import": "撤销导入",
    "runtime.start_on_event": "自动发起", "runtime.begin_process": "发起流程", "runtime.fire_timers": "到时的定时", "runtime.case_bundle": "案件导出", "runtime.key_round": "换密钥",
    "documents.render_draft": "文书预览", "documents.render_and_seal": "文书用印", "calendar.preview": "日历变更试算", "calendar.apply": "日历变更",
    "calendar.recount_late": "重算期限", "clocks.replan": "重排期限提醒", "organisation.check_import": "检查组织导入", "organisation.write_import": "写入组织导入",
    "organisation.undo_import": "撤销组织导入", "reports.draft": "起草报告", "reports.render": "生成报告",
}
DAYS = 10


@blueprint.get("/operations")
def page() -> ResponseReturnValue:
    """Cases that don't get on, by reason. ``?days=`` working days count as long; ``?after=`` goes on with the running ones behind an instance."""
    actor().require(OPERATOR)
    days = min(max(request.args.get("days", DAYS, type=int), 1), 250)
    app = application()
    with reading() as connection:
        limits = stuck_query.limits_for(connection, days=days, today=today(), now=now())
        walked = stuck_query.walk_running(connection, actor=actor(), limits=limits, after=request.args.get("after", type=UUID))
        found = [(stuck_query.NOTHING, walked.rows), *(
            (reason, stuck_query.find_stuck(connection, actor=actor(), limits=limits, reason=reason))
            for reason in (*stuck_query.REASONS, stuck_query.messages(app.library)) if reason is not stuck_query.NOTHING)]
    return render_template("operations/page.html", found=found, days=days, most=stuck_query.MOST, following=walked.following)


@blueprint.get("/operations/jobs")
def jobs() -> ResponseReturnValue:
    actor().require(OPERATOR)
    tab = request.args.get("tab", "failed")
    if tab not in TABS:
        raise NotFound("没有这一类后台任务。")
    with reading() as connection:
        counts = job_query.counts(connection, at=now())
        rows = job_query.listed(connection, tab=tab, at=now(), before=request.args.get("before", type=int))
    following = rows[job_query.SIZE - 1]["id"] if len(rows) > job_query.SIZE else None
    return render_template("operations/jobs.html", rows=rows[: job_query.SIZE], tab=tab, tabs=TABS, counts=counts, following=following, words=JOBS)


@blueprint.post("/operations/jobs/<int:number>/<what>")
def job(number: int, what: str) -> ResponseReturnValue:
    actor().require(OPERATOR)
    if what not in ("retry", "cancel"):
        raise NotFound("没有这个操作。")
    steer_job(application(), actor=actor(), job_id=number, what=what, at=now())
    return done(url_for("operations.jobs", tab=request.form.get("tab") or "failed"), "已重新排队，马上运行。" if what == "retry" else "已取消，不再运行。")


@blueprint.post("/operations/incidents/retry")
def retry() -> ResponseReturnValue:
    """Retry the ticked incidents."""
    actor().require(OPERATOR)
    ids = [identifier(id, "异常") for id in request.form.getlist("incident")]
    results = retry_many(application(), actor=actor(), incident_ids=ids, reason=request.form.get("reason", ""), key=sent_key(), at=now())
    wrong = [message for message in results.values() if message]
    words = f"已重试 {len(results) - len(wrong)} 条。" + (f"{len(wrong)} 条没有重试：{wrong[0]}" if wrong else "结果稍后会显示在案件里。")
    return done(url_for("incidents.page"), words, kind="warn" if wrong else "ok")


@blueprint.get("/operations/instances/<instance_id>")
def one(instance_id: str) -> ResponseReturnValue:
    return _show(instance_id)


@blueprint.post("/operations/instances/<instance_id>/<act>")
def handle(instance_id: str, act: str) -> ResponseReturnValue:
    """suspend, resume, terminate, repair, restore."""
    actor().require(OPERATOR)
    id, reason = _seen(instance_id)["id"], request.form.get("reason", "")
    given: dict[str, Any] = {"actor": actor(), "instance_id": id, "reason": reason, "key": sent_key(), "at": now()}
    try:
        words = _do(act, given)
    except (Conflict, Invalid) as error:
        return _show(instance_id, error=error, sent=request.form, act=act), error.status
    return done(url_for("operations.one", instance_id=instance_id), words)


def _do(act: str, given: dict[str, Any]) -> str:
    app = application()
    if act == "repair":
        values = {name.removeprefix("fact."): value for name, value in request.form.items() if name.startswith("fact.")}
        repair_facts(app, values=values, **given)
        return "已更正，旧值、新值和理由记在办理经过里。"
    if act == "restore":
        restore_snapshot(app, act_id=identifier(request.form.get("act_id", ""), "快照"), **given)
        return "已恢复到所选的快照。"
    verbs = {"suspend": (suspend_instance, "已暂停办理。"), "resume": (resume_instance, "已恢复办理。"), "terminate": (terminate_instance, "已终止办理。")}
    if act not in verbs:
        raise NotFound("没有这个操作。")
    verb, words = verbs[act]
    verb(app, **given)
    return words


def _seen(instance_id: str) -> dict[str, Any]:
    """The instance row, when its case may be seen."""
    actor().require(OPERATOR)
    with reading() as connection:
        row = get_instance(connection, instance_id=identifier(instance_id, "流程实例"))
        require_case(connection, actor(), row["case_id"], missing="没有这个流程实例，或者您无权查看。")
    return row


def _show(instance_id: str, *, error: GuichengError | None = None, sent: Any = None, act: str = "") -> str:
    row = _seen(instance_id)
    chosen = request.args.get("snapshot") or (sent or {}).get("act_id")
    app = application()
    with reading() as connection:
        case = connection.execute(case_file.select().where(case_file.c.id == row["case_id"])).mappings().one()
        machine = load_machine(app, row, now())
        past = snapshots(connection, instance_id=row["id"])
        preview = None
        if chosen:
            picked = find_snapshot(connection, instance_id=row["id"], act_id=identifier(chosen, "快照"))
            preview = preview_restore(app, connection, row=row, chosen=picked, at=now())
        incidents = incident_query.listed(connection, actor=actor(), open_only=True, case_id=row["case_id"])
    return render_template(
        "operations/one.html", row=row, case=case, facts=declared_facts(machine), waits=machine.waits(), past=past, preview=preview, kinds=KINDS, status=STATUS, incidents=incidents,
        definition=app.library.definition(row["definition_id"]), error=error, fields=getattr(error, "fields", {}) or {}, sent=sent or {}, act=act, key=new_key(),
        places=sorted({place.split("/")[0] for place, _ in machine.places()}),
    )

