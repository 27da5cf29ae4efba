"""What a handler may ask for and do. Handlers get it as their first argument and know nothing else of the machinery."""
from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from engine.kernel.clock import legal_date
from engine.kernel.errors import NotFound
from engine.kernel.names import pack_of, qualify
from engine.runtime.application import Application
from engine.storage.tables.runtime import submission


@dataclass(kw_only=True)
class TaskContext:
    """The case, its facts and the services around one service task.

    effect_key   names this call for ever (instance, task, handler), the same at each retry: pass it on to outside
                 systems as their idempotency key.
    connection   the transaction of the act (inline) or of the reading side (queued).
    scope        the call activities above ``node``, '/'-separated.
    """

    app: Application
    connection: Connection
    at: datetime
    effect_key: str
    case: Mapping[str, Any]
    instance_id: UUID
    node: str
    process: str
    facts: Mapping[str, Any]
    scope: str = ""
    actor_id: UUID | None = None
    actor_name: str = "系统"
    work: Any = None
    notes: list[str] = field(default_factory=list)

    @property
    def today(self) -> date:
        """The legal day of this act in Asia/Shanghai."""
        return legal_date(self.at)

    @property
    def case_id(self) -> UUID:
        case_id: UUID = self.case["id"]
        return case_id

    def connector(self, name: str) -> Any:
        """The client of integrations/<name>."""
        return self.app.connector(name)

    def parameter(self, name: str) -> Any:
        """The dated parameter ``<pack>.<name>`` as in force today for the case's unit."""
        from engine.reference import parameters

        return parameters.value(self.connection, name, on=self.today, unit_id=self.case["unit_id"])

    def clock(self, name: str) -> dict[str, Any]:
        """The live clock ``<pack>.<name>`` of this case: ``state``, ``due_on``, how many ``extensions`` it had; empty when none runs."""
        from engine.deadlines import clocks

        found = clocks.live_clock(self.connection, case_id=self.case_id, clock=qualify(name, pack_of(self.process)))
        return {} if found is None else {"state": found.state, "due_on": found.due_on, "extensions": found.extensions}

    def records(self, register: str, **where: Any) -> list[dict[str, Any]]:
        """Records of ``register`` on this case whose fields are as ``where`` says, oldest first, each with its ``id``."""
        from engine.registers.catalogue import get_register

        _, table = get_register(self.app.library, qualify(register, pack_of(self.process)))
        query = select(table).where(table.c.case_id == self.case_id, table.c.deleted_at.is_(None), *(table.c[name] == value for name, value in where.items()))
        return [dict(row) for row in self.connection.execute(query.order_by(table.c.created_at, table.c.id)).mappings()]

    def decide(self, name: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """The result of the decision ``<pack>.<name>`` as this case is pinned; a single value comes as ``result``."""
        from engine.runtime.decide import decider

        pinned = self.app.library.bundle(self.work.instance["bundle_id"])
        return decider(self.app, pinned, self.at)(qualify(name, pack_of(self.process)), inputs)

    def last_day(self, clock: str, *, start: date) -> date:
        """The last day of the term that the dated parameter ``clock`` describes, had it begun on ``start``; no clock is started."""
        from engine.deadlines.due import compute
        from engine.deadlines.rules import rule_of
        from engine.reference import calendars, parameters

        found = parameters.get_value(self.connection, name=qualify(clock, pack_of(self.process)), on=start, unit_id=self.case["unit_id"])
        due = compute(rule_of(found), start, calendar=calendars.load(self.connection, district_id=self.case["district_id"])).due
        assert due is not None
        return due

    def latest_record(self, register: str, **where: Any) -> dict[str, Any] | None:
        """The newest record of ``register`` on any case whose fields are as ``where`` says: what was established once and goes on to hold."""
        from engine.registers.catalogue import get_register

        _, table = get_register(self.app.library, qualify(register, pack_of(self.process)))
        query = select(table).where(table.c.deleted_at.is_(None), *(table.c[name] == value for name, value in where.items()))
        found = self.connection.execute(query.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(1)).mappings().one_or_none()
        return None if found is None else dict(found)

    def document(self, document_id: str) -> dict[str, Any]:
        """A document of this case: ``title``, ``number``, ``state``, the issuing ``unit``'s name, and its ``text`` without layout."""
        from engine.documents.plain_text import plain_text
        from engine.documents.queries import get_document

        row = get_document(self.connection, UUID(document_id))
        if row.case_id != self.case_id:
            raise NotFound("没有这份文书。")
        return {"title": row.title, "number": row.number, "state": row.state, "unit": row.data["unit"]["name"], "text": plain_text(self.app, row)}

    def write_record(self, register: str, values: Mapping[str, Any], *, record_id: UUID | None = None) -> UUID:
        """Set ``values`` on a record of this case, with its history; without ``record_id`` a new one of a register that has many. Its id."""
        from engine.kernel.ids import new_id
        from engine.runtime.answers import write_case_record

        return write_case_record(self.work, qualify(register, pack_of(self.process)), values, record_id=record_id or new_id())

    def holds(self, person_id: str, role: str) -> bool:
        """True when the person holds ``role`` for this case today."""
        from engine.access.assignment import pool

        found = pool(self.connection, role=qualify(role, pack_of(self.process)), case_unit_id=self.case["unit_id"], on=self.today)
        return UUID(person_id) in {id for id, _ in found.people}

    def unit(self, unit_id: str) -> dict[str, Any]:
        """A unit: ``id``, ``name``, ``kind``, ``bureau``, the ``district_id`` it is in (None at city level). Raises NotFound."""
        from engine.storage.tables.organisation import unit

        columns = (unit.c.id, unit.c.name, unit.c.kind, unit.c.bureau, unit.c.district_id)
        found = self.connection.execute(select(*columns).where(unit.c.id == UUID(unit_id), unit.c.active)).mappings().one_or_none()
        if found is None:
            raise NotFound("没有这个单位，或者已经停用。")
        return dict(found)

    def units_below(self, kinds: Collection[str], *, districts: Collection[str] = ()) -> list[str]:
        """Ids of the active units of ``kinds`` in the case's own bureau (a district's; at city level the whole branch), with ``districts`` only in those, by tree."""
        from engine.storage.tables.organisation import unit

        here = self.unit(str(self.case["unit_id"]))
        query = select(unit.c.id).where(unit.c.active, unit.c.bureau == here["bureau"], unit.c.kind.in_(kinds)).order_by(unit.c.path)
        if here["district_id"] is not None:
            query = query.where(unit.c.district_id == here["district_id"])
        if districts:
            query = query.where(unit.c.district_id.in_([UUID(id) for id in districts]))
        return [str(id) for id in self.connection.scalars(query)]

    def person_name(self, person_id: str) -> str:
        """The name of a person; empty when there is none."""
        from engine.storage.tables.organisation import person

        return self.connection.scalar(select(person.c.name).where(person.c.id == UUID(person_id))) or ""

    def answers(self, *, form: str | None = None, node: str | None = None) -> dict[str, Any]:
        """The latest valid submission on this case for ``form`` or ``node``; empty when there is none."""
        query = select(submission.c.data).where(submission.c.case_id == self.case_id, submission.c.superseded.is_(False))
        if form is not None:
            query = query.where(submission.c.form == form)
        if node is not None:
            query = query.where(submission.c.node == node)
        found = self.connection.scalar(query.order_by(submission.c.at.desc(), submission.c.id.desc()).limit(1))
        return dict(found or {})
