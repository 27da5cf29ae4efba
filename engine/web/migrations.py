"""迁移在办案件: which running cases stand on older versions, what the newest would mean for each, moving them, taking it back."""
from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.kernel.errors import Conflict, Invalid, NotFound
from engine.kernel.names import is_name
from engine.packs.library import Bundle
from engine.runtime.bundles import bundle_for
from engine.runtime.deploy_file import ANALYST
from engine.runtime.migrating.begin_migration import begin_migration, look_again
from engine.runtime.migrating.run_migration import cancel_migration, start_migration, undo_migration, undo_one
from engine.runtime.queries import migrations as query
from engine.web.answers import done
from engine.web.context import actor, application, identifier, new_key, now, reading, sent_key, writing

blueprint = Blueprint("migrations", __name__)
STATUS = {"checking": ("soon", "正在试算"), "checked": ("hold", "试算完，还没有迁移"), "running": ("soon", "正在迁移"), "done": ("ok", "迁移完"),
          "cancelled": ("hold", "已取消"), "undoing": ("soon", "正在撤销"), "undone": ("hold", "已撤销")}
STATES = {"new": ("hold", "还没有算"), "checked": ("hold", ""), "waiting": ("soon", "排队"), "done": ("ok", "已迁移"), "refused": ("late", "没有迁移"), "failed": ("late", "出错，没有变"),
          "gone": ("hold", "不用迁移"), "kept": ("hold", "留在原版"), "undo": ("soon", "等撤销"), "undone": ("hold", "已撤销")}
VERDICTS = {"fits": ("ok", "可以迁移"), "mapping": ("soon", "要指明对应步骤"), "refused": ("late", "不能迁移")}


@blueprint.get("/processes/<pack>/<name>/migrate")
def page(pack: str, name: str) -> ResponseReturnValue:
    """Where running cases stand on an older version of this process or of one that it is called by."""
    return _page(pack, name)


def _page(pack: str, name: str, error: str = "") -> str:
    actor().require(ANALYST)
    process = _known(pack, name)
    roots = [{**_root(root), "versions": _behind(root)} for root in _roots(process)]
    with reading() as connection:
        past = query.listed(connection, processes=[root["name"] for root in roots])
    return render_template("migrations/page.html", pack=pack, name=name, title=_root(process)["title"], roots=roots, past=past, status=STATUS, error=error)


@blueprint.post("/processes/<pack>/<name>/migrate")
def begin(pack: str, name: str) -> ResponseReturnValue:
    """Start a dry run."""
    actor().require(ANALYST)
    process = _known(pack, name)
    root, _, version = request.form.get("root", "").partition("@")
    if root not in _roots(process):
        raise Invalid("请选要迁移的流程。", fields={"root": "请从列出的里面选。"})
    try:
        id = begin_migration(
            application(), actor=actor(), process=root, definition_id=identifier(version, "版本") if version else None, reason=request.form.get("reason", ""), at=now(),
        )
    except Conflict as error:
        return _page(pack, name, error.message), 409
    return done(url_for("migrations.one", migration_id=id))


@blueprint.get("/migrations/<migration_id>")
def one(migration_id: str) -> ResponseReturnValue:
    actor().require(ANALYST)
    id = identifier(migration_id, "迁移")
    verdict, state = (request.args.get(name, "") for name in ("verdict", "state"))
    after = identifier(request.args["after"]) if request.args.get("after") else None
    with reading() as connection:
        row = query.one(connection, migration_id=id)
        groups = query.counts(connection, migration_id=id)
        needs = [{**orjson.loads(need["need"]), "count": need["count"]} for need in query.needs(connection, migration_id=id)]
        rows = query.items(connection, actor=actor(), migration_id=id, verdict=verdict, state=state, after=after)
    following = rows[query.SIZE - 1]["instance_id"] if len(rows) > query.SIZE else None
    pack, name = row["process"].split(".", 1)
    return render_template(
        "migrations/one.html", row=row, groups=groups, needs=needs, rows=rows[: query.SIZE], following=following, pack=pack, name=name, verdict=verdict, state=state,
        title=_root(row["process"])["title"], status=STATUS, states=STATES, verdicts=VERDICTS, tally=_tally(groups), key=new_key(),
        target=application().library.definition(application().library.bundle(row["bundle_id"]).member("process", row["process"])),
    )


@blueprint.post("/migrations/<migration_id>/<act>")
def handle(migration_id: str, act: str) -> ResponseReturnValue:
    """map (look again with the chosen steps), start, cancel, undo."""
    actor().require(ANALYST)
    id = identifier(migration_id, "迁移")
    if act == "map":
        look_again(application(), actor=actor(), migration_id=id, mapping={**_mapping_of(id), **_sent_mapping()}, at=now())
        return done(url_for("migrations.one", migration_id=id))
    verbs = {"start": (start_migration, "已开始迁移，一件一件地办。"), "cancel": (cancel_migration, "已取消，还没有迁移的留在原来的版本。"),
             "undo": (undo_migration, "正在撤销，已有后续办理的留在新版。")}
    if act not in verbs:
        raise NotFound("没有这个操作。")
    verb, words = verbs[act]
    verb(application(), actor=actor(), migration_id=id, at=now())
    return done(url_for("migrations.one", migration_id=id), words)


@blueprint.post("/migrations/<migration_id>/items/<instance_id>/undo")
def undo(migration_id: str, instance_id: str) -> ResponseReturnValue:
    actor().require(ANALYST)
    undo_one(application(), actor=actor(), migration_id=identifier(migration_id, "迁移"), instance_id=identifier(instance_id, "案件"), key=sent_key(), at=now())
    return done(url_for("migrations.one", migration_id=migration_id), "这一件已回到原来的版本。")


def _mapping_of(id: UUID) -> dict[str, str]:
    with reading() as connection:
        return dict(query.one(connection, migration_id=id)["mapping"])


def _sent_mapping() -> dict[str, str]:
    return {name.removeprefix("map."): value for name, value in request.form.items() if name.startswith("map.") and value}


def _known(pack: str, name: str) -> str:
    process = f"{pack}.{name}"
    if not (is_name(pack) and is_name(name)) or application().library.find_current("process", process) is None:
        raise NotFound("没有这个流程，或者它已经停用。")
    return process


def _roots(process: str) -> list[str]:
    """The process itself and those that call it, directly or through others."""
    library = application().library
    calling = [name for name in library.names("process") if process in library.current("process", name).meta.get("calls", ())]
    return [process, *calling]


def _root(process: str) -> dict[str, Any]:
    found = application().library.find_current("process", process)
    return {"name": process, "title": found.title if found else process, "version": found.version if found else None}


def _behind(process: str) -> list[dict[str, Any]]:
    with writing() as connection:
        target: Bundle = bundle_for(application(), connection, process=process, at=now())
    with reading() as connection:
        return query.behind(connection, process=process, target=target)


def _tally(groups: list[dict[str, Any]]) -> dict[str, int]:
    tally: dict[str, int] = {}
    for group in groups:
        for name in (group["state"], f"verdict:{group['verdict']}"):
            tally[name] = tally.get(name, 0) + group["count"]
    return tally
