"""迁移在办案件 by a program: a dry run, what it says case by case, carrying it out, stopping it, taking it back."""
from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from flask import Response
from pydantic import BaseModel, Field

from engine.kernel.errors import Conflict
from engine.runtime.deploy_file import ANALYST
from engine.runtime.migrating.begin_migration import begin_migration, look_again
from engine.runtime.migrating.run_migration import cancel_migration, start_migration, undo_migration, undo_one
from engine.runtime.queries import migrations as query
from engine.web.api.cursors import give, take
from engine.web.api.topic import TEXT_MOST, ErrorAnswer, KeyHeader, Sent, Told, make_topic, tell
from engine.web.context import actor, application, now, reading

topic = make_topic("migrations", "迁移在办案件", "试算、迁移、取消、撤销。要有流程设计的权限；迁移在后台一件一件地办，读进度看 counts")
ANSWERS: dict[Any, Any] = {400: ErrorAnswer, 403: ErrorAnswer, 409: ErrorAnswer}
Verdict = Literal["fits", "mapping", "refused"]


class MigrationSent(Sent):
    """试算"""

    process: str = Field(max_length=200, description="流程，<包>.<流程>")
    definition_id: UUID | None = Field(default=None, description="只看这一版上的案件；不填为所有旧版本")
    mapping: dict[str, str] = Field(default_factory=dict, description="步骤对应：<包>.<流程>:<旧步骤> → 新步骤，见 needs")
    reason: str = Field(default="", max_length=TEXT_MOST, description="为什么迁移")


class MappingSent(Sent):
    """重新试算"""

    mapping: dict[str, str] = Field(description="步骤对应，和以前给的合在一起")


class MigrationPath(BaseModel):
    migration_id: UUID = Field(description="迁移编号")


class ItemPath(MigrationPath):
    instance_id: UUID = Field(description="流程实例编号")


class ItemsQuery(Sent):
    verdict: Verdict | None = Field(default=None, description="只要这种结论的")
    state: str | None = Field(default=None, max_length=20, description="只要这种进度的")
    cursor: str | None = Field(default=None, max_length=500, description="上一页的 next")


class CountTold(Told):
    """几件"""

    state: str = Field(description="new 还没有算，checked 算完，waiting 排队，done 已迁移，refused 没有迁移，failed 出错没有变，gone 不用迁移，kept 留在原版，undo 等撤销，undone 已撤销")
    verdict: str | None = Field(description="fits 可以迁移，mapping 要指明对应步骤，refused 不能迁移")
    reason: str = Field(description="为什么")
    count: int = Field(description="几件")


class MigrationTold(Told):
    """一次迁移"""

    id: UUID = Field(description="迁移编号")
    process: str = Field(description="流程")
    status: str = Field(description="checking 正在试算，checked 试算完，running 正在迁移，done 迁移完，cancelled 已取消，undoing 正在撤销，undone 已撤销")
    total: int | None = Field(description="一共几件")
    mapping: dict[str, str] = Field(description="步骤对应")
    reason: str = Field(description="为什么迁移")
    by_name: str = Field(description="谁")
    created_at: datetime = Field(description="什么时候")
    counts: list[CountTold] = Field(description="各种结论和进度各几件")
    needs: list[dict[str, Any]] = Field(description="要指明对应的步骤：key、title、choices、suggested、count")


class MigrationItemTold(Told):
    """一件"""

    instance_id: UUID = Field(description="流程实例编号")
    title: str = Field(description="案件；无权查看的不写名称")
    state: str = Field(description="进度")
    verdict: str | None = Field(description="结论")
    reason: str = Field(description="为什么")
    detail: dict[str, Any] | None = Field(description="会有什么变化：步骤、期限、角色、草稿")


class MigrationItemsTold(Told):
    """逐件的结论"""

    items: list[MigrationItemTold]
    next: str | None = Field(description="下一页")


@topic.post("/migrations", responses={202: MigrationTold, **ANSWERS})
def begin(header: KeyHeader, body: MigrationSent) -> Response:
    """试算，不改任何案件

    没有要迁移的返回 409。
    """
    key = f"api:{actor().account_id}:{header.key}"
    id = begin_migration(
        application(), actor=actor(), process=body.process, definition_id=body.definition_id, mapping=body.mapping, reason=body.reason, key=key, at=now(),
    )
    return _tell(id, 202)


@topic.get("/migrations/<migration_id>", responses={200: MigrationTold, 403: ErrorAnswer})
def one(path: MigrationPath) -> Response:
    """一次迁移的进度"""
    return _tell(path.migration_id)


@topic.get("/migrations/<migration_id>/items", responses={200: MigrationItemsTold, 403: ErrorAnswer})
def items(path: MigrationPath, query: ItemsQuery) -> Response:
    """逐件的结论"""
    return _items(path.migration_id, query)


def _items(id: UUID, asked: ItemsQuery) -> Response:
    actor().require(ANALYST)
    after = take(asked.cursor)
    with reading() as connection:
        query.one(connection, migration_id=id)
        rows = query.items(
            connection, actor=actor(), migration_id=id, verdict=asked.verdict or "", state=asked.state or "", after=UUID(after) if after else None,
        )
    told = [MigrationItemTold.model_validate(row) for row in rows[: query.SIZE]]
    return tell(MigrationItemsTold(items=told, next=give(str(told[-1].instance_id)) if len(rows) > query.SIZE else None))


@topic.post("/migrations/<migration_id>/check", responses={202: MigrationTold, **ANSWERS})
def check(path: MigrationPath, header: KeyHeader, body: MappingSent) -> Response:
    """指明步骤对应以后重新试算"""
    row = _row(path.migration_id)
    mapping = {**row["mapping"], **body.mapping}
    if row["status"] != "checking" or row["mapping"] != mapping:
        look_again(application(), actor=actor(), migration_id=path.migration_id, mapping=mapping, at=now())
    return _tell(path.migration_id, 202)


@topic.post("/migrations/<migration_id>/start", responses={202: MigrationTold, **ANSWERS})
def start(path: MigrationPath, header: KeyHeader) -> Response:
    """开始迁移，先要试算完"""
    return _turn(path.migration_id, start_migration, ("running", "done"))


@topic.post("/migrations/<migration_id>/cancel", responses={202: MigrationTold, **ANSWERS})
def cancel(path: MigrationPath, header: KeyHeader) -> Response:
    """取消，还没有迁移的留在原来的版本"""
    return _turn(path.migration_id, cancel_migration, ("cancelled",))


@topic.post("/migrations/<migration_id>/undo", responses={202: MigrationTold, **ANSWERS})
def undo(path: MigrationPath, header: KeyHeader) -> Response:
    """撤销整次，迁移以后有人办过的留在新版"""
    return _turn(path.migration_id, undo_migration, ("undoing",))


@topic.post("/migrations/<migration_id>/items/<instance_id>/undo", responses={200: MigrationTold, **ANSWERS})
def undo_item(path: ItemPath, header: KeyHeader) -> Response:
    """撤销一件"""
    key = f"api:{actor().account_id}:{header.key}"
    undo_one(application(), actor=actor(), migration_id=path.migration_id, instance_id=path.instance_id, key=key, at=now())
    return _tell(path.migration_id)


def _turn(id: UUID, verb: Callable[..., None], there: tuple[str, ...]) -> Response:
    """``verb`` once: where it has happened already, a repeated request gets the same answer."""
    _row(id)
    try:
        verb(application(), actor=actor(), migration_id=id, at=now())
    except Conflict:
        if _row(id)["status"] not in there:
            raise
    return _tell(id, 202)


def _row(id: UUID) -> dict[str, Any]:
    actor().require(ANALYST)
    with reading() as connection:
        return query.one(connection, migration_id=id)


def _tell(id: UUID, status: int = 200) -> Response:
    row = _row(id)
    with reading() as connection:
        counts = query.counts(connection, migration_id=id)
        needs = [{**orjson.loads(need["need"]), "count": need["count"]} for need in query.needs(connection, migration_id=id)]
    return tell(MigrationTold.model_validate({**row, "counts": counts, "needs": needs}), status)
