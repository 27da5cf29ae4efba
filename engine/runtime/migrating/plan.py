"""What a newer bundle would mean for one running instance. Reads only; the move itself asks the same question under its locks."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from engine.deadlines.clocks import live_clock
from engine.deadlines.due import compute
from engine.deadlines.rules import ClockRule
from engine.kernel.clock import SHANGHAI, legal_date
from engine.kernel.errors import GuichengError
from engine.kernel.names import pack_of, qualify
from engine.packs.library import Bundle
from engine.reference import calendars
from engine.runtime.allowed import deputies_may
from engine.runtime.answers import form_of
from engine.runtime.application import Application
from engine.runtime.begin import load_machine
from engine.runtime.bpmn.machine import Machine
from engine.runtime.bpmn.model import Node
from engine.runtime.bpmn.moving.rebind import rebind
from engine.runtime.bpmn.moving.verdict import Mapped, Obstacle, Verdict
from engine.runtime.bpmn.waits import TimerWait, UserWait
from engine.runtime.bundles import process_for
from engine.runtime.decide import decider
from engine.runtime.save_draft import OPINION
from engine.runtime.work import Row
from engine.storage.tables.runtime import act, draft, task

TASK_PARTS = {"title": "title", "form": "form", "role": "role", "due": "due_on"}
TAKERS = ("role", "unit", "assignee")


@dataclass
class Plan:
    """``verdict`` of the machine, and what the rows beside it would become. ``tasks``: id → new values of an open task's row."""

    verdict: Verdict
    old: Machine
    tasks: dict[UUID, Row] = field(default_factory=dict)
    takers: set[str] = field(default_factory=set)
    deadlines: list[Row] = field(default_factory=list)
    drafts: list[Row] = field(default_factory=list)
    roles: list[Row] = field(default_factory=list)

    @property
    def word(self) -> str:
        return self.verdict.word

    @property
    def why(self) -> str:
        """The first reason against it, '' when there is none."""
        first = next((item.message for item in self.verdict.obstacles), "")
        return first or next((f"要指明「{need.title}」对应新版的哪一步。" for need in self.verdict.needs), "")

    def as_json(self) -> Row:
        return {**self.verdict.as_json(), "deadlines": self.deadlines, "drafts": self.drafts, "roles": self.roles}


def rows_beside(connection: Connection, instance_ids: Iterable[UUID]) -> dict[UUID, list[Row]]:
    """Open task rows with their drafts (``drafts``: list of data) by instance. One statement."""
    drafts = select(func.jsonb_agg(draft.c.data)).where(draft.c.task_id == task.c.id).scalar_subquery().label("drafts")
    found: dict[UUID, list[Row]] = {}
    query = select(task, drafts).where(task.c.instance_id.in_(list(instance_ids)), task.c.status == "open")
    for row in connection.execute(query).mappings():
        found.setdefault(row["instance_id"], []).append(dict(row))
    return found


def plan_instance(
    app: Application, connection: Connection, *, row: Row, target: Bundle, mapping: Mapped, at: datetime, beside: list[Row] | None = None
) -> Plan:
    """The plan for one instance row (state included). Never raises for what the versions hold."""
    since = moment_of(connection, row, at)
    old = load_machine(app, row, at)
    process = process_for(app, target, row["process"])
    plan = Plan(verdict=rebind(old, process, mapping=mapping, now=since, decide=decider(app, target, at)), old=old)
    if plan.verdict.machine is not None:
        rows = rows_beside(connection, [row["id"]]).get(row["id"], []) if beside is None else beside
        try:
            _Rows(app, connection, plan, row, target).compare(rows)
        except GuichengError as error:
            _against(plan, getattr(error, "element", ""), error.message)
    return plan


def moment_of(connection: Connection, row: Mapping[str, Any], at: datetime) -> datetime:
    """The instant that new times count from: now, or for a suspended instance when it was suspended (resuming moves its times on)."""
    if row["status"] != "suspended":
        return at
    since = connection.scalar(
        select(act.c.at).where(act.c.instance_id == row["id"], act.c.kind == "suspend").order_by(act.c.rev_before.desc()).limit(1)
    )
    return since or at


def _against(plan: Plan, element: str, message: str) -> None:
    plan.verdict.obstacles.append(Obstacle(element=element, message=message))
    plan.verdict.machine = None


class _Rows:
    """Compares rows with the moved machine."""

    def __init__(self, app: Application, connection: Connection, plan: Plan, row: Row, target: Bundle) -> None:
        self.app, self.connection, self.plan, self.row, self.target = app, connection, plan, row, target
        self.pinned = app.library.bundle(row["bundle_id"])
        assert plan.verdict.machine is not None
        self.new: Machine = plan.verdict.machine

    def compare(self, rows: list[Row]) -> None:
        before = {wait.engine_id: wait for wait in self.plan.old.waits().user_tasks}
        after = {wait.engine_id: wait for wait in self.new.waits().user_tasks}
        for one in rows:
            if one["engine_id"] in before and one["engine_id"] in after:
                self._task(one, before[one["engine_id"]], after[one["engine_id"]])
        self._timers()

    def _task(self, row: Row, old: UserWait, new: UserWait) -> None:
        was, now = self._node(self.plan.old, old), self._node(self.new, new)
        changed = {name for name in ("form", "role", "due", "unit", "assignee") if was.attributes.get(name) != now.attributes.get(name)}
        if was.attributes.get("title") != now.attributes.get("title") or was.title != now.title:
            changed.add("title")
        values: Row = {"node": new.node, "process": new.process, "scope": new.scope, "deputies": deputies_may(self.new.process.process_of(new.process), new.node)}
        asked = self.new.wait_attributes(new)
        if "title" in changed:
            values["title"] = asked.get("title") or new.title
        if "form" in changed:
            values["form"] = asked.get("form")
        if "role" in changed:
            values |= self._role(asked)
            self.plan.roles.append({"task": row["title"], "old": row["role_title"] or row["role"], "new": values["role_title"] or values["role"]})
        if "due" in changed:
            values["due_on"] = self._due(row, asked.get("due"))
            self._shift(f"{row['title']}的办理期限", row["due_on"], values["due_on"])
        if changed & set(TAKERS):
            self.plan.takers.add(new.engine_id)
        self._drafts(row, values.get("form", row["form"]))
        fresh = {name: value for name, value in values.items() if row[name] != value}
        if fresh:
            self.plan.tasks[row["id"]] = fresh

    def _node(self, machine: Machine, wait: UserWait) -> Node:
        return machine.process.process_of(wait.process).nodes[wait.node]

    def _role(self, asked: Mapping[str, Any]) -> Row:
        role = asked.get("role") or ""
        pack = self.app.catalogue.packs.get(role.split(".", 1)[0])
        found = pack.roles.get(role) if pack else None
        return {"role": role, "role_title": found.title if found else ""}

    def _due(self, row: Row, text: str | None) -> Any:
        """The last day by the new rule, counted from the day the task was opened."""
        if not text:
            return None
        if text.startswith("clock:"):
            clock = live_clock(self.connection, case_id=self.row["case_id"], clock=qualify(text.removeprefix("clock:"), pack_of(row["process"])))
            return clock.due_on if clock else None
        amount, unit = text.split()
        rule = ClockRule(amount=int(amount), unit=unit)
        return compute(rule, legal_date(row["opened_at"]), [], calendar=calendars.load(self.connection)).due

    def _drafts(self, row: Row, form: str | None) -> None:
        if not form or not row["drafts"]:
            return
        new = form_of(self.app, self.target, form)
        old = form_of(self.app, self.pinned, row["form"]) if row["form"] else None
        typed = {name for data in row["drafts"] for name, value in data.items() if name != OPINION and value not in (None, "", [], {})}
        lost = sorted(name for name in typed if name not in new.fields)
        if lost:
            titles = [old.fields[name].title if old and name in old.fields else name for name in lost]
            self.plan.drafts.append({"task": row["title"], "fields": titles})

    def _timers(self) -> None:
        before = {wait.engine_id: wait for wait in self.plan.old.waits().timers}
        after = {wait.engine_id: wait for wait in self.new.waits().timers}
        for id in before.keys() | after.keys():
            old, new = before.get(id), after.get(id)
            one = new or old
            assert one is not None
            if new is not None and new.clock and (old is None or old.clock != new.clock):
                self._require_clock(new)
            old_due, new_due = (wait.due_at if wait is not None else None for wait in (old, new))
            if old_due != new_due:
                self._shift(f"定时「{one.title}」", old_due, new_due)

    def _require_clock(self, wait: TimerWait) -> None:
        name = qualify(wait.clock, pack_of(wait.process))
        if live_clock(self.connection, case_id=self.row["case_id"], clock=name) is None:
            _against(self.plan, wait.node, f"新版的定时「{wait.title}」跟着期限“{wait.clock}”走，本案没有正在计算的这项期限。")

    def _shift(self, what: str, old: Any, new: Any) -> None:
        if old != new:
            self.plan.deadlines.append({"what": what, "old": _said(old), "new": _said(new)})


def _said(value: Any) -> str:
    if value is None:
        return ""
    return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if isinstance(value, datetime) else str(value.isoformat())
