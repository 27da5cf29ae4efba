"""更正流程的值: an operator corrects facts that a process declares; the old value, the new one and why stand on record."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import orjson

from engine.access.actors import Actor
from engine.kernel.errors import Invalid
from engine.runtime.advance import advance
from engine.runtime.application import Application
from engine.runtime.bpmn.machine import Machine
from engine.runtime.bpmn.values import CASE_FACTS, plain
from engine.runtime.once import once
from engine.runtime.operating.begin_operating import begin_operating
from engine.runtime.settle import settle
from engine.runtime.work import ActResult, Work

KINDS = {"number": "数字", "boolean": "是或否", "date": "日期（2026-11-20）", "list": "列表（JSON）", "context": "键和值（JSON）", "text": "文字"}


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A declared fact of a live process: where (``scope``: call activities above it, '/'-separated), name, title, type, value; ``text`` as a form shows it."""

    scope: str
    process: str
    name: str
    title: str
    type: str
    value: Any

    @property
    def key(self) -> str:
        """How a form names it."""
        return f"{self.scope}#{self.name}"

    @property
    def kind(self) -> str:
        return KINDS.get(self.type, "文字")

    @property
    def text(self) -> str:
        if self.value is None:
            return ""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        return self.value if isinstance(self.value, str) else orjson.dumps(self.value).decode()


def declared_facts(machine: Machine) -> list[Fact]:
    """Every declared fact of the instance's process and of the processes it is calling now."""
    found = []
    for scope, model, facts in machine.scopes():
        names = {**model.parameters, **model.results, **model.facts}
        found += [
            Fact(scope=scope, process=model.process, name=one.name, title=one.title or one.name, type=one.type, value=facts.get(one.name))
            for one in names.values() if one.name not in CASE_FACTS and one.name != "outcome"
        ]
    return found


@once
def repair_facts(
    app: Application, *, actor: Actor, instance_id: UUID, values: Mapping[str, str], reason: str, key: str, at: datetime
) -> ActResult:
    """Write ``values`` ({``Fact.key``: text}) that differ from what stands there; '' empties a fact.

    Raises Forbidden without the right ``operator``, Invalid for an unknown fact or a value that its type can't hold, Conflict for an instance
    that is over. Nothing changes then.
    """
    with app.db.begin() as connection:
        work = begin_operating(
            app, connection, kind="repair", actor=actor, instance_id=instance_id, reason=reason, key=key, at=at, what="更正值", values=dict(values),
        )
        if isinstance(work, ActResult):
            return work
        changes = _changes(work.machine, values)
        for fact, new in changes:
            work.machine.repair(fact.scope, {fact.name: new})
        told = "；".join(f"{fact.title}：{shown(fact.value)} → {shown(new)}" for fact, new in changes)
        work.opinion = f"{told}。{work.opinion}"
        work.irreversible = False
        _go_on(work)
        return settle(work)


def _go_on(work: Work) -> None:
    """Conditions that wait for these facts may hold now; a suspended instance goes on when it is resumed."""
    if work.instance["status"] != "suspended":
        advance(work)


def _changes(machine: Machine, values: Mapping[str, str]) -> list[tuple[Fact, Any]]:
    known = {fact.key: fact for fact in declared_facts(machine)}
    changes, wrong = [], {}
    for key, text in values.items():
        if key not in known:
            wrong[key] = "流程现在没有这个值，请刷新页面。"
            continue
        if text.strip() == known[key].text:
            continue
        try:
            new = read_value(text, known[key].type)
        except ValueError:
            wrong[key] = f"要填{known[key].kind}。"
            continue
        changes.append((known[key], new))
    if wrong:
        raise Invalid("值没有更正：有的值填得不对，请按提示改正。", fields=wrong)
    if not changes:
        raise Invalid("没有改动任何值。", fields={})
    return changes


def read_value(text: str, kind: str) -> Any:
    """``text`` as a value of the declared type, None for ''; raises ValueError."""
    text = text.strip()
    if not text:
        return None
    if kind == "number":
        try:
            return plain(Decimal(text), name="number")
        except InvalidOperation:
            raise ValueError(text) from None
    if kind == "boolean":
        return {"true": True, "false": False, "是": True, "否": False}[text.lower()] if text.lower() in ("true", "false", "是", "否") else _wrong(text)
    if kind == "date":
        return date.fromisoformat(text).isoformat()
    if kind in ("list", "context"):
        value = orjson.loads(text)
        return plain(value, name=kind) if isinstance(value, list if kind == "list" else dict) else _wrong(text)
    return plain(text, name=kind)


def _wrong(text: str) -> Any:
    raise ValueError(text)


def shown(value: Any) -> str:
    """A value as a sentence has it."""
    return "（空）" if value is None else "是" if value is True else "否" if value is False else str(value)
