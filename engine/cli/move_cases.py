"""`move-cases`: what the newest version would mean for each running case, and, when asked, the move."""
from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

import click
import orjson
from sqlalchemy import select

from engine.access.actors import find_actor_by_login
from engine.cli.host import Host
from engine.kernel.clock import legal_date
from engine.kernel.errors import NotFound
from engine.packs.library import Bundle
from engine.runtime.application import Application
from engine.runtime.bundles import bundle_for
from engine.runtime.migrating.begin_migration import BATCH, begin_migration, check_migration
from engine.runtime.migrating.plan import plan_instance, rows_beside
from engine.runtime.migrating.run_migration import run_migration, start_migration
from engine.runtime.queries.migrations import same_members
from engine.storage.tables.content import definition
from engine.storage.tables.runtime import instance
from engine.storage.tables.versions import migration, migration_item

WORDS = {"fits": "可以迁移", "mapping": "要指明对应步骤", "refused": "不能迁移"}
DONE = {"done": "已迁移", "refused": "没有迁移", "failed": "出错，没有变", "gone": "不用迁移", "kept": "留在原版"}


@click.command(help="迁移在办案件：不加 --apply 只试算，不改动任何内容。PROCESS 是发起案件的流程，例如 case_filing.clue_intake。")
@click.argument("process")
@click.option("--version", type=int, help="只看流程图第几版上的案件。")
@click.option("--map", "pairs", multiple=True, metavar="包.流程:步骤=新步骤", help="旧步骤对应新版的哪一步，可以写多次。")
@click.option("--apply", "login", metavar="账号", help="以这个账号（要有流程设计的权限）迁移能迁移的。")
@click.option("--reason", default="", help="为什么迁移，写进每一件的办理经过。")
@click.option("--json", "as_json", is_flag=True, help="每件一行 JSON。")
@click.pass_obj
def command(host: Host, process: str, version: int | None, pairs: tuple[str, ...], login: str | None, reason: str, as_json: bool) -> None:
    mapping = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    with host.application() as app:
        definition_id = _version(app, process, version)
        if login is None:
            _look(app, process, definition_id, mapping, as_json)
        else:
            _move(app, process, definition_id, mapping, login, reason)


def _version(app: Application, process: str, version: int | None) -> UUID | None:
    if app.library.find_current("process", process) is None:
        raise NotFound(f"没有流程 {process}。")
    if version is None:
        return None
    with app.db.connect() as connection:
        found: UUID | None = connection.scalar(
            select(definition.c.id).where(definition.c.kind == "process", definition.c.name == process, definition.c.version == version)
        )
    if found is None:
        raise NotFound(f"流程 {process} 没有第 {version} 版。")
    return found


def _look(app: Application, process: str, definition_id: UUID | None, mapping: dict[str, str], as_json: bool) -> None:
    """The dry run: five hundred instances at a time, nothing written to any case."""
    with app.db.begin() as connection:
        target = bundle_for(app, connection, process=process, at=app.clock.now())
    tally: Counter[str] = Counter()
    after: UUID | None = None
    while rows := _some(app, process, definition_id, target, after):
        with app.db.connect() as connection:
            beside = rows_beside(connection, [row["id"] for row in rows])
            for row in rows:
                plan = plan_instance(app, connection, row=row, target=target, mapping=mapping, at=app.clock.now(), beside=beside.get(row["id"], []))
                tally[plan.word] += 1
                _say(row, plan.word, plan.why, plan.as_json(), as_json)
        after = rows[-1]["id"]
    click.echo("，".join(f"{WORDS[word]} {count} 件" for word, count in tally.items()) or "没有在旧版上办理的案件。", err=as_json)


def _some(app: Application, process: str, definition_id: UUID | None, target: Bundle, after: UUID | None) -> list[dict[str, Any]]:
    c = instance.c
    query = select(instance).where(c.process == process, c.ended_at.is_(None), c.bundle_id.not_in(same_members(target))).order_by(c.id).limit(BATCH)
    query = query.where(c.definition_id == definition_id) if definition_id is not None else query
    query = query.where(c.id > after) if after is not None else query
    with app.db.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def _say(row: dict[str, Any], word: str, why: str, detail: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps({"instance": str(row["id"]), "case": str(row["case_id"]), "verdict": word, "why": why, **detail}, default=str).decode())
        return
    click.echo(f"{row['id']}  {row['title']}  {WORDS[word]}{'：' + why if why else ''}")
    for need in detail["needs"]:
        click.echo(f"    --map {need['key']}={need['suggested'] or '…'}    可选：{'、'.join(id for id, _ in need['choices'])}")
    for one in detail["deadlines"]:
        click.echo(f"    {one['what']}：{one['old'] or '没有'} → {one['new'] or '取消'}")
    for one in detail["drafts"]:
        click.echo(f"    「{one['task']}」的草稿会少：{'、'.join(one['fields'])}")
    for one in detail["facts"]:
        click.echo(f"    {one['message']}")


def _move(app: Application, process: str, definition_id: UUID | None, mapping: dict[str, str], login: str, reason: str) -> None:
    at = app.clock.now()
    with app.db.connect() as connection:
        actor = find_actor_by_login(connection, login=login, on=legal_date(at))
    if actor is None:
        raise NotFound(f"没有账号 {login}，或者已经停用。")
    id = begin_migration(app, actor=actor, process=process, definition_id=definition_id, mapping=mapping, reason=reason, at=at)
    while _status(app, id) == "checking":
        check_migration(app, migration_id=str(id))
    start_migration(app, actor=actor, migration_id=id, at=app.clock.now())
    while _status(app, id) == "running":
        run_migration(app, migration_id=str(id), account_id=str(actor.account_id))
    with app.db.connect() as connection:
        states = Counter(connection.scalars(select(migration_item.c.state).where(migration_item.c.migration_id == id)))
        for reason_of, in connection.execute(select(migration_item.c.reason).where(migration_item.c.migration_id == id, migration_item.c.reason != "").distinct().limit(20)):
            click.echo(f"    {reason_of}")
    click.echo("，".join(f"{DONE.get(state, state)} {count} 件" for state, count in states.items()))


def _status(app: Application, id: UUID) -> str:
    with app.db.connect() as connection:
        return str(connection.scalar(select(migration.c.status).where(migration.c.id == id)))
