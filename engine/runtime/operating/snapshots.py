"""The snapshots of an instance: the state before each act, and what going back to one would undo."""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from engine.kernel.errors import NotFound
from engine.runtime.application import Application
from engine.runtime.begin import load_machine
from engine.storage.tables.documents import document
from engine.storage.tables.runtime import act, effect, instance, task

Row = dict[str, Any]
MOST = 200
KINDS = {
    "start": "发起", "complete": "办理", "return": "退回", "withdraw": "撤回", "timer": "定时", "message": "收到消息", "signal": "收到信号", "service": "自动步骤", "retry": "重试异常",
    "skip": "跳过异常", "migrate": "迁移版本", "unmigrate": "撤销迁移", "repair": "更正值", "restore": "恢复快照", "terminate": "终止", "resume": "恢复办理", "sign": "签署意见",
}


@dataclass
class Preview:
    """What going back to before ``act`` means: ``obstacles`` (Chinese) refuse it, the rest is undone. Rows as the tables have them."""

    act: Row
    undone: list[Row] = field(default_factory=list)
    reopened: list[Row] = field(default_factory=list)
    closed: list[Row] = field(default_factory=list)
    documents: list[Row] = field(default_factory=list)
    again: list[Row] = field(default_factory=list)
    timers: list[tuple[str, datetime]] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)


def snapshots(connection: Connection, *, instance_id: UUID) -> list[Row]:
    """The newest two hundred acts that left a snapshot and still count, newest first: id, kind, title, outcome_title, actor_name, at, rev_before."""
    c = act.c
    query = (
        select(c.id, c.kind, c.title, c.outcome_title, c.actor_name, c.at, c.rev_before, c.result["irreversible"].as_boolean().label("irreversible"))
        .where(c.instance_id == instance_id, c.snapshot.is_not(None), c.undone_by.is_(None)).order_by(c.rev_before.desc()).limit(MOST)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def find_snapshot(connection: Connection, *, instance_id: UUID, act_id: UUID) -> Row:
    """The act with its snapshot; raises NotFound."""
    row = connection.execute(select(act).where(act.c.id == act_id, act.c.instance_id == instance_id)).mappings().one_or_none()
    if row is None or row["snapshot"] is None:
        raise NotFound("没有这个快照。")
    return dict(row)


def preview_restore(app: Application, connection: Connection, *, row: Row, chosen: Row, at: datetime) -> Preview:
    """What going back to before the act ``chosen`` of the instance ``row`` would undo. Changes nothing."""
    found = Preview(act=chosen)
    if chosen["undone_by"] is not None:
        found.obstacles.append("这次办理已经撤销过，不能再恢复到它之前。")
    c = act.c
    later = connection.execute(
        select(c.id, c.kind, c.title, c.outcome_title, c.actor_name, c.at, c.result, c.automatic, c.rev_before, c.task_id)
        .where(c.instance_id == row["id"], c.rev_before >= chosen["rev_before"], c.undone_by.is_(None)).order_by(c.rev_before)
    ).mappings()
    found.undone = [dict(one) for one in later]
    for one in found.undone:
        if one["result"].get("irreversible"):
            found.obstacles.append(f"{one['actor_name']}的“{one['outcome_title'] or one['title']}”已经产生不能撤销的结果（例如已编号用印、已送达、已生成案件、已处理异常），不能恢复到它之前。")
    _effects(connection, row, chosen, found)
    _documents(connection, row, chosen, found)
    _waits(app, connection, row, chosen, found, at)
    return found


def bundle_before(found: Preview, bundle_id: UUID) -> UUID:
    """The bundle that the instance stood on before the acts that would be undone."""
    for one in found.undone:
        for entry in one["result"].get("undo", []):
            if entry["op"] == "bundle":
                return UUID(entry["before"]["bundle_id"])
    return bundle_id


def _effects(connection: Connection, row: Row, chosen: Row, found: Preview) -> None:
    since = (effect.c.instance_id == row["id"]) & (effect.c.updated_at >= chosen["at"])
    for one in connection.execute(select(effect).where(since, effect.c.status.in_(["done", "running"]))).mappings():
        if one["status"] == "running":
            found.obstacles.append(f"自动步骤 {one['handler']} 正在运行，等它有了结果再恢复。")
        elif not one["reversible"]:
            words = f"自动步骤 {one['handler']} 已经对外做了不能撤销的事，不能恢复到它之前。"
            found.obstacles += [] if words in found.obstacles else [words]


def _documents(connection: Connection, row: Row, chosen: Row, found: Preview) -> None:
    d = document.c
    made = connection.execute(
        select(d.id, d.title, d.state, d.number).where(d.instance_id == row["id"], d.created_at >= chosen["at"], d.state.not_in(["void", "withdrawn"])).order_by(d.created_at)
    ).mappings()
    for one in made:
        if one["state"] == "served":
            found.obstacles.append(f"文书《{one['title']}》已经送达，不能恢复到它之前。")
        found.documents.append(dict(one))


def _waits(app: Application, connection: Connection, row: Row, chosen: Row, found: Preview, at: datetime) -> None:
    old = load_machine(app, {**row, "state": chosen["snapshot"], "bundle_id": bundle_before(found, row["bundle_id"])}, at).waits()
    wanted = {wait.engine_id for wait in old.user_tasks}
    rows = [dict(one) for one in connection.execute(select(task).where(task.c.instance_id == row["id"])).mappings()]
    found.reopened = [one for one in rows if one["engine_id"] in wanted and one["status"] != "open"]
    found.closed = [one for one in rows if one["engine_id"] not in wanted and one["status"] == "open"]
    if wanted - {one["engine_id"] for one in rows}:
        found.obstacles.append("快照里的任务已经找不到，不能恢复到这里。")
    effects = connection.execute(select(effect).where(effect.c.instance_id == row["id"])).mappings()
    services = {wait.engine_id for wait in old.services}
    found.again = [dict(one) for one in effects if one["engine_id"] in services and one["status"] not in ("queued", "running")]
    found.timers = [(wait.title, wait.due_at) for wait in old.timers]


def get_instance(connection: Connection, *, instance_id: UUID) -> Row:
    """The whole instance row; raises NotFound."""
    row = connection.execute(select(instance).where(instance.c.id == instance_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("没有这个流程实例，或者您无权查看。")
    return dict(row)
