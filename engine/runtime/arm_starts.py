"""Start events that nobody presses: a row each as long as their version is in force, so that they are found by index.

A new version whose event reads as before keeps its schedule and its state; one that reads differently is armed anew from the moment of
the deploy, but what an operator stopped stays stopped. A time that is over when the version comes into force never fires; of a cycle that
began earlier the next round does.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NoReturn

from sqlalchemy import Connection, delete, insert, select, update

from engine.expressions import compile_expression
from engine.expressions.all_builtins import BUILTINS
from engine.expressions.builtin_temporal import AT
from engine.kernel.errors import DeployRefused
from engine.kernel.names import pack_of, qualify
from engine.packs.library import Definition
from engine.packs.manifest import parse_manifest
from engine.registers.declaration import parse_register
from engine.runtime.bpmn.errors import FlowError, finding
from engine.runtime.bpmn.model import Event, Node
from engine.runtime.bpmn.timers import after, schedule
from engine.storage.tables.content import definition, definition_current
from engine.storage.tables.waiting import start_event

KINDS = ("timer", "signal", "conditional")
MOST_ROUNDS = 1_000_000


def arm_starts(connection: Connection, version: Definition, *, at: datetime) -> None:
    """Bring the rows of a process in line with the version that comes into force; raises DeployRefused for a time that can't be read."""
    known = {row["event"]: row for row in connection.execute(select(start_event).where(start_event.c.process == version.name)).mappings()}
    wanted = {row["event"]: row for row in _rows(version)}
    gone = sorted(set(known) - set(wanted))
    if gone:
        connection.execute(delete(start_event).where(start_event.c.process == version.name, start_event.c.event.in_(gone)))
    if wanted:
        _require_start(connection, version)
    for event, row in wanted.items():
        if row["kind"] == "conditional":
            _require_fields(connection, row)
        before = known.get(event)
        if before is None or (before["kind"], before["rule"], before["name"]) != (row["kind"], row["rule"], row["name"]):
            row |= _armed(row.pop("node"), at)
            if before is not None and before["status"] == "stopped":
                row["status"] = "stopped"
        elif row.pop("node"):
            row |= {"look_at": before["due_at"], "problem": ""}
        if before is None:
            connection.execute(insert(start_event).values(row))
        else:
            connection.execute(update(start_event).where(start_event.c.process == version.name, start_event.c.event == event).values(row))


def disarm_starts(connection: Connection, process: str) -> None:
    """The process is withdrawn: nothing starts it any more."""
    connection.execute(delete(start_event).where(start_event.c.process == process))


def _rows(version: Definition) -> Iterator[dict[str, Any]]:
    pack = pack_of(version.name)
    for node in version.meta.get("nodes", {}).values():
        event = node.get("event") or {}
        if node["kind"] != "startEvent" or node["scope"] or event.get("kind") not in KINDS:
            continue
        name = qualify(node["attributes"].get("register", ""), pack) if event["kind"] == "conditional" and node["attributes"].get("register") else event["name"]
        yield {
            "process": version.name, "event": node["id"], "definition_id": version.id, "kind": event["kind"], "title": node["title"], "name": name,
            "rule": "" if event["kind"] == "signal" else event["text"], "unit": node["attributes"].get("unit", ""),
            "node": Node(id=node["id"], kind=node["kind"], title=node["title"], process=version.name, event=Event(**event)),
        }


def _require_start(connection: Connection, version: Definition) -> None:
    """Whoever starts by itself needs a kind of case, as ``starts:`` names it."""
    pack = pack_of(version.name)
    content = _in_force(connection, "manifest", f"{pack}.manifest")
    if content is None or version.name not in parse_manifest(content, pack=pack).starts:
        _refuse(version.name, f"流程 {version.name} 会自己发起（定时、信号或条件开始），请把它列入 pack.yaml 的 starts:，写明案件种类。")


def _require_fields(connection: Connection, row: Mapping[str, Any]) -> None:
    content = _in_force(connection, "register", row["name"])
    if content is None:
        _refuse(row["event"], f"条件开始「{row['title']}」要看的台账 {row['name'] or '（未写明）'} 不存在，请先发布它，或改正 gc:register。")
    fields = parse_register(content, name=row["name"]).fields
    unknown = sorted(set(compile_expression(row["rule"], names=dict.fromkeys(fields)).names) - set(fields) - BUILTINS.keys())
    if unknown:
        _refuse(row["event"], f"条件开始「{row['title']}」读取的“{'、'.join(unknown)}”不是台账 {row['name']} 的字段，请改正。")


def _in_force(connection: Connection, kind: str, name: str) -> bytes | None:
    query = select(definition.c.content).join(definition_current, definition_current.c.definition_id == definition.c.id)
    return connection.scalar(query.where(definition_current.c.kind == kind, definition_current.c.name == name))


def _refuse(element: str, message: str) -> NoReturn:
    raise DeployRefused(f"流程图不能部署：{message}", findings=[finding(element, "start", message)])


def _armed(node: Node, at: datetime) -> dict[str, Any]:
    fresh = {"status": "armed", "due_at": None, "look_at": None, "left_over": None, "every": None, "problem": ""}
    assert node.event is not None
    if node.event.kind != "timer":
        return fresh
    try:
        found: dict[str, Any] | None = schedule(node, {AT: at}, at)
    except FlowError as error:
        _refuse(node.id, error.message)
    found = _next_round(found or {}, at)
    if found is None:
        return {**fresh, "status": "over"}
    due = datetime.fromisoformat(found["due"])
    return {**fresh, "due_at": due, "look_at": due, "left_over": found.get("left"), "every": found.get("every")}


def _next_round(found: Mapping[str, Any], at: datetime) -> dict[str, Any] | None:
    """The first round that is not over yet, counted from the beginning of the cycle; None when all are."""
    due, left = datetime.fromisoformat(found["due"]), found.get("left")
    if left is None:
        return dict(found) if due > at else None
    for _ in range(MOST_ROUNDS):
        if due > at:
            return {"due": due.isoformat(), "left": left, "every": found["every"]}
        if left == 1:
            return None
        due, left = after(found["every"], due), left if left < 0 else left - 1
    return None
