"""One act in the making: the locked rows, the machine, the writes that will be committed together."""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from engine.access.actors import Actor
from engine.access.audit import chain_of_path
from engine.kernel.clock import legal_date
from engine.kernel.ids import new_id
from engine.runtime.application import Application
from engine.runtime.batch import Batch
from engine.runtime.bpmn.machine import Machine
from engine.runtime.bpmn.waits import Waits

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TaskBrief:
    """An open task as the officer is told about it after an act: who will get it."""

    id: UUID
    title: str
    role_title: str
    people: tuple[str, ...]
    mine: bool = False


@dataclass(frozen=True, kw_only=True)
class ActResult:
    """What an act led to. ``replayed`` is true when the same key had been used before and nothing was done again; ``title`` is the step's."""

    act_id: UUID
    case_id: UUID
    instance_id: UUID | None
    next_tasks: tuple[TaskBrief, ...] = ()
    completed: bool = False
    replayed: bool = False
    title: str = ""


@dataclass
class Work:
    """Mutable state of one act. ``case`` and ``instance`` are locked rows; changes are collected, then written once.

    ``actor`` is in whose name it is done; ``signer`` the colleague whose agreement set off what ``actor`` had submitted before.
    ``passed``: titles of steps passed over after a return; ``straight``: engine id of a step → who gets it straight back (see ``redo``).
    """

    app: Application
    connection: Connection
    kind: str
    key: str
    at: datetime
    actor: Actor | None
    case: Row
    instance: Row
    machine: Machine
    waits_before: Waits
    request_hash: str = ""
    act_id: UUID = field(default_factory=new_id)
    task: Row | None = None
    outcome: str | None = None
    outcome_title: str | None = None
    opinion: str = ""
    returned: bool = False
    irreversible: bool = False
    snapshot: bytes | None = None
    flows: list[str] = field(default_factory=list)
    nodes: list[str] = field(default_factory=list)
    case_changes: Row = field(default_factory=dict)
    undo: list[Row] = field(default_factory=list)
    notices: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    done_by: dict[str, UUID] = field(default_factory=dict)
    done_roles: dict[str, UUID] = field(default_factory=dict)
    fresh_answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    fresh_secrets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    opened: list[TaskBrief] = field(default_factory=list)
    batch: Batch = field(default_factory=Batch)
    signer: Actor | None = None
    signer_words: str = ""
    pools: dict[Any, Any] | None = None
    digests: dict[str, str] = field(default_factory=dict)
    passed: list[str] = field(default_factory=list)
    straight: dict[str, tuple[UUID | None, str]] = field(default_factory=dict)

    @property
    def principal(self) -> tuple[UUID, str] | None:
        """(id, name) of the assignee, or of somebody of the pool, for whom a deputy acts now."""
        if self.task is None or not self.task.get("principal") or self.task["assignee_id"] == self.actor_id:
            return None
        return self.task["assignee_id"] or self.task["principal_id"], self.task["principal"]

    @property
    def today(self) -> date:
        return legal_date(self.at)

    @property
    def actor_id(self) -> UUID | None:
        return self.actor.person_id if self.actor else None

    @property
    def actor_name(self) -> str:
        return self.actor.name if self.actor else "系统"

    @property
    def chain(self) -> str:
        """The audit chain of the case's district bureau, or of its bureau at city level."""
        return chain_of_path(self.case["unit_path"], at_city=self.case["district_id"] is None)

    def change_case(self, **values: Any) -> None:
        """Change columns of the case; the value before goes into the undo list."""
        before = {name: self.case[name] for name in values if self.case[name] != values[name]}
        if before:
            self.undo.append({"op": "case", "before": {name: _plain(value) for name, value in before.items()}})
            self.case.update(values)
            self.case_changes.update(values)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value.isoformat() if isinstance(value, datetime) else value
