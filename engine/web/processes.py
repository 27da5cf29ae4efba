"""流程: every procedure with its versions, diagram and steps; putting a changed file into force."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.kernel.errors import DeployRefused, GuichengError, Invalid, NotFound, TooLarge
from engine.kernel.names import is_name
from engine.packs.library import Definition
from engine.runtime.deploy_file import deploy_file
from engine.runtime.differences import KINDS
from engine.runtime.queries import procedures as query
from engine.runtime.queries import start_events
from engine.web.answers import done
from engine.web.context import actor, application, now, reading

blueprint = Blueprint("processes", __name__)
SINGLE = ("pack.yaml", "parameters.yaml")
NODE_WORDS = {
    "userTask": "人工", "manualTask": "人工", "task": "人工", "serviceTask": "自动", "scriptTask": "自动", "businessRuleTask": "决策", "callActivity": "调用",
    "subProcess": "子流程", "receiveTask": "等消息", "sendTask": "发消息",
}


@blueprint.get("/processes")
def page() -> ResponseReturnValue:
    return _list()


@blueprint.get("/processes/<pack>/<name>")
def one(pack: str, name: str) -> ResponseReturnValue:
    return _show(pack, name)


@blueprint.get("/processes/<pack>/<name>/versions/<int:version>.bpmn")
def diagram(pack: str, name: str, version: int) -> ResponseReturnValue:
    """The file of one version as it was drawn; it never changes under its number."""
    with reading() as connection:
        id = query.version_id(connection, name=_qualified(pack, name), version=version)
    answer = Response(application().library.definition(id).content, content_type="application/xml; charset=utf-8")
    answer.headers["Cache-Control"] = "private, max-age=86400"
    return answer


@blueprint.post("/processes/deploy")
def deploy() -> ResponseReturnValue:
    """Check an uploaded file and put it into force; findings come back in Chinese, nothing is kept then."""
    actor().require("analyst")
    sent = request.files.get("file")
    pack = request.form.get("pack", "")
    filename = (sent.filename or "" if sent else "").replace("\\", "/").rsplit("/", 1)[-1]
    ending = filename.rpartition(".")[2]
    kind = request.form.get(f"{ending}_kind") if ending in ("yaml", "html") and filename not in SINGLE else None
    try:
        if sent is None or not filename:
            raise Invalid("没有收到文件，请重新选。", fields={"file": "请选一个文件。"})
        made = deploy_file(
            application(), actor=actor(), kind=kind, pack=pack, filename=filename, content=sent.read(), note=request.form.get("note", "")[:500], at=now(),
        )
    except (DeployRefused, Invalid, NotFound, TooLarge) as error:
        return _refused(error), 422
    if made.kind != "process":
        return done(url_for("processes.page"), f"《{made.title or made.name}》第 {made.version} 版已投入使用，新发起的案件按它办。")
    short = made.name.split(".", 1)[1]
    if request.form.get("running") == "move":
        return done(url_for("migrations.page", pack=pack, name=short), f"第 {made.version} 版已投入使用。在办案件还没有变，先试算再迁移。")
    return done(url_for("processes.one", pack=pack, name=short), f"第 {made.version} 版已投入使用。在办案件仍按原来的版本办，新发起的按这一版。")


def _refused(error: GuichengError) -> str:
    return _list({"message": error.message, "findings": error.findings if isinstance(error, DeployRefused) else []})


def _list(result: Mapping[str, Any] | None = None) -> str:
    """The list of procedures by pack; with ``result`` what was wrong with a file."""
    with reading() as connection:
        rows = query.listed(connection)
        times = start_events.next_times(connection)
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        pack, name = row["name"].split(".", 1)
        groups.setdefault(_pack_title(pack), []).append({**row, "pack": pack, "short": name})
    packs = {name: manifest.title for name, manifest in application().catalogue.packs.items()}
    return render_template("processes/page.html", groups=groups, packs=packs, times=times, result=result, kinds=KINDS)


def _pack_title(pack: str) -> str:
    packs = application().catalogue.packs
    return packs[pack].title if pack in packs else pack


def _qualified(pack: str, name: str) -> str:
    if not (is_name(pack) and is_name(name)):
        raise NotFound("没有这个流程。")
    return f"{pack}.{name}"


def _show(pack: str, name: str) -> ResponseReturnValue:
    library = application().library
    with reading() as connection:
        versions = query.versions(connection, name=_qualified(pack, name))
        auto = start_events.of_process(connection, process=_qualified(pack, name))
    asked = request.args.get("version", type=int)
    chosen = next((row for row in versions if row["version"] == asked), None) or next((row for row in versions if row["in_force"]), versions[0])
    definition = library.definition(chosen["id"])
    return render_template(
        "processes/one.html", pack=pack, name=name, pack_title=_pack_title(pack), versions=versions, chosen=chosen, definition=definition,
        auto=auto, steps=_steps(definition), findings=definition.meta.get("findings", []), calls=definition.meta.get("calls", []),
    )


def _steps(definition: Definition) -> list[dict[str, str]]:
    """Tasks in the order one comes to them: title, what kind, form, role, due, what the buttons say."""
    found = []
    for node in in_order(definition.meta):
        word = NODE_WORDS.get(node["kind"])
        if word is not None:
            found.append(_step(node, word, definition.name.split(".", 1)[0]))
    return found


def _step(node: Mapping[str, Any], word: str, pack: str) -> dict[str, str]:
    given = node.get("attributes", {})
    handler = _done_by_title(given.get("handler") or given.get("decision") or node.get("called") or "", pack)
    return {
        "id": node["id"], "title": (node.get("title") or node["id"]).replace("\n", ""), "kind": word, "lane": node.get("lane", ""),
        "form": _form_title(given.get("form", ""), pack) if word == "人工" else handler, "role": _role_title(given.get("role", ""), pack),
        "due": given.get("due", "").replace("working_day", "个工作日").replace("day", "天"),
        "outcomes": "、".join(outcome.get("title") or outcome.get("value", "") for outcome in node.get("outcomes", [])),
    }


def _done_by_title(name: str, pack: str) -> str:
    """What an automatic or called step runs, by its title."""
    full = name if "." in name else f"{pack}.{name}"
    handler = application().service_tasks.find(full)
    called = application().library.find_current("process", full) if handler is None else None
    return handler.title if handler else called.title if called else name


def _form_title(name: str, pack: str) -> str:
    if not name or name.startswith("="):
        return "由调用方给出" if name else ""
    found = application().library.find_current("form", name if "." in name else f"{pack}.{name}")
    return found.title if found and found.title else name


def _role_title(name: str, pack: str) -> str:
    if not name or name.startswith("="):
        return "由调用方给出" if name else ""
    full = name if "." in name else f"{pack}.{name}"
    holder = application().catalogue.packs.get(full.split(".", 1)[0])
    found = holder.roles.get(full) if holder else None
    return found.title if found else name


def in_order(meta: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The nodes of a process as one comes to them from its start events; what no flow reaches comes last."""
    nodes: dict[str, Any] = dict(meta.get("nodes", {}))
    follow: dict[str, list[str]] = {}
    for flow in meta.get("flows", {}).values():
        follow.setdefault(flow["source"], []).append(flow["target"])
    for node in nodes.values():
        if node.get("attached_to"):
            follow.setdefault(node["attached_to"], []).append(node["id"])
    starts = [node for node in nodes.values() if node["kind"] == "startEvent"]
    waiting = [node["id"] for node in sorted(starts, key=lambda node: node.get("event") is not None)]
    seen: dict[str, None] = {}
    while waiting:
        id = waiting.pop(0)
        if id in nodes and id not in seen:
            seen[id] = None
            waiting += follow.get(id, [])
    return [nodes[id] for id in [*seen, *(id for id in nodes if id not in seen)]]
