"""What a form may know on this case for this officer: dictionaries, names, parties, earlier answers, facts."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from engine.access import assignment, parties, phrases
from engine.access.actors import Actor
from engine.access.scope import may_see_case
from engine.form_filling.attachments import find_usable
from engine.form_filling.context import AttachmentMeta, FormContext, HeldFile, Option, Prefilled
from engine.form_filling.model import Form
from engine.form_filling.party_records import party_value
from engine.kernel.clock import legal_date
from engine.kernel.errors import NotFound
from engine.kernel.names import pack_of, qualify
from engine.reference import parameters
from engine.reference.dictionaries import Entry, load_dictionary
from engine.registers.catalogue import get_register
from engine.runtime.application import Application
from engine.runtime.queries.record_files import held_files
from engine.runtime.queries.record_titles import record_title, record_value
from engine.runtime.secrets import open_secrets
from engine.runtime.work import Row
from engine.storage.tables.cases import case_file
from engine.storage.tables.organisation import person, unit
from engine.storage.tables.runtime import submission
from engine.storage.tables.runtime import task as task_table


def form_context(
    app: Application, connection: Connection, *, actor: Actor | None, form: Form, at: datetime, case: Row | None = None, instance_id: UUID | None = None,
    task: Row | None = None, facts: Mapping[str, Any] | None = None, outcome: str | None = None, url: Callable[..., str] | None = None,
    data: Mapping[str, Any] | None = None, record_id: UUID | None = None, fresh: bool = False,
) -> FormContext:
    """A FormContext that reads through ``connection``; it is good for one request. People named in ``data`` are read at once.

    ``fresh``: of what this step was answered with before only what a return undid (``gc:fresh`` of the step).
    """
    pack = pack_of(form.name)
    reader = _Reader(app=app, connection=connection, actor=actor, pack=pack, at=at, case=case, instance_id=instance_id, task=task, facts=dict(facts or {}))
    reader.record_id, reader.fresh = record_id, fresh
    reader.expected = _people_in(form, data or {})
    names = {**reader.facts, "outcome": outcome, "detail": reader.detail, "parameter": reader.parameter, "recorded": reader.recorded, "case": _case_names(case)}
    values: dict[str, Any] = {
        "at": at, "names": names, "options": reader.options, "option": reader.option, "person": reader.person, "unit": reader.unit, "agency": reader.agency, "unit_fits": reader.unit_fits, "holds_role": reader.holds_role, "case": reader.titled_case, "record": reader.record, "record_files": reader.record_files,
        "party": reader.party, "attachment": reader.attachment, "phrases": reader.phrases, "prefill": reader.prefill, "known": _Known(reader),
    }
    if url is not None:
        values["url"] = _dated(url, reader.since)
    return FormContext(**values)


def _dated(url: Callable[..., str], since: date | None) -> Callable[..., str]:
    """``url`` that asks for the entries of dictionaries as they read on the day the case was opened."""

    def dated(name: str, **more: str) -> str:
        return url(name, **more, **({"since": since.isoformat()} if since and name == "options" else {}))

    return dated


def _people_in(form: Form, data: Mapping[str, Any]) -> set[UUID]:
    """Ids in the fields that name people; what is none is left for the form to refuse."""
    found = (_uuid(data.get(name)) for name, one in form.fields.items() if one.kind == "person" and data.get(name))
    return {id for id in found if id is not None}


def _case_names(case: Row | None) -> dict[str, Any]:
    return {name: case[name] for name in ("title", "subject", "address", "number", "state")} if case else {}


class _Reader:
    """Reads what the callables of a FormContext answer."""

    def __init__(
        self, *, app: Application, connection: Connection, actor: Actor | None, pack: str, at: datetime, case: Row | None, instance_id: UUID | None,
        task: Row | None, facts: dict[str, Any],
    ) -> None:
        self.app, self.connection, self.actor, self.pack, self.at = app, connection, actor, pack, at
        self.case, self.instance_id, self.task, self.facts = case, instance_id, task, facts
        self.on = FormContext(at=at).today
        self.since = legal_date(case["created_at"]) if case and case.get("created_at") else None
        self.record_id: UUID | None = None
        self.fresh = False
        self._answers: dict[str, dict[str, Any]] | None = None
        self._forms: dict[str, dict[str, Any]] = {}
        self.expected: set[UUID] = set()
        self._names: dict[tuple[str, UUID], str | None] = {}

    def options(self, dictionary: str, parent: str | None) -> Sequence[Option]:
        entries = load_dictionary(self.connection, dictionary=qualify(dictionary, self.pack)).options(on=self.on, parent=parent, since=self.since)
        return [_option(entry, self.on, self.since) for entry in entries]

    def option(self, dictionary: str, code: str) -> Option | None:
        try:
            entry = load_dictionary(self.connection, dictionary=qualify(dictionary, self.pack)).find(code, as_of=self.since or self.on)
        except NotFound:
            return None
        return _option(entry, self.on, self.since) if entry else None

    def detail(self, dictionary: Any, code: Any, key: Any) -> Any:
        """FEEL ``detail(dictionary, code, key)``."""
        if not all(isinstance(part, str) for part in (dictionary, code, key)):
            return None
        return load_dictionary(self.connection, dictionary=qualify(dictionary, self.pack)).detail(code, key, as_of=self.since or self.on)

    def parameter(self, name: Any) -> Any:
        """FEEL ``parameter(name)``: the number or text in force today."""
        unit_id = self.case["unit_id"] if self.case else self.actor.unit_id if self.actor else None
        found = parameters.find_value(self.connection, name=qualify(str(name), self.pack), on=self.on, unit_id=unit_id)
        return None if found is None else found.value if found.value is not None else found.text

    def recorded(self, register: Any, id: Any, field: Any) -> Any:
        """FEEL ``recorded(register, id, field)``: what a field of a record that the officer may see holds."""
        found = _uuid(id)
        if found is None or self.actor is None or not (isinstance(register, str) and isinstance(field, str)):
            return None
        return record_value(self.app, self.connection, actor=self.actor, register=qualify(register, self.pack), record_id=found, field=field)

    def person(self, id: str) -> str | None:
        return self._name(person, id)

    def unit(self, id: str) -> str | None:
        return self._name(unit, id)

    def agency(self, id: str) -> bool:
        """Whether the unit belongs to the district bureau (or, at city level, to the city's) that handles the case."""
        own = self.case["district_id"] if self.case and "district_id" in self.case else self.actor.district_id if self.actor else None
        found = self.connection.execute(select(unit.c.district_id).where(unit.c.id == _uuid(id))).one_or_none()
        return found is not None and found.district_id == own

    def unit_fits(self, id: str, within: str, place: str | None, kinds: Sequence[str]) -> bool:
        """Whether an active unit is of the case's line (``within`` is ``bureau``; ``city``: and at city level), at or below ``place``, of one of ``kinds``."""
        known = {row.id: row for row in self.connection.execute(
            select(unit.c.id, unit.c.bureau, unit.c.path, unit.c.kind, unit.c.district_id).where(unit.c.active, unit.c.id.in_([i for i in (_uuid(id), _uuid(place), self._home()) if i])))}
        found, root, home = known.get(_uuid(id)), known.get(_uuid(place)), known.get(self._home())
        if found is None or (kinds and found.kind not in kinds):
            return False
        in_line = within not in ("bureau", "city") or (home is not None and found.bureau == home.bureau and (within == "bureau" or found.district_id is None))
        return in_line and (place is None or (root is not None and found.path.startswith(root.path)))

    def holds_role(self, id: str, role: str, place: str | None) -> bool:
        """Whether the person is among those who would be given a step of ``role`` there."""
        base = self._home()
        if base is None:
            return False
        found = assignment.pool(self.connection, role=role, case_unit_id=base, on=self.on, unit_id=_uuid(place))
        return _uuid(id) in {person_id for person_id, _ in found.people}

    def _home(self) -> UUID | None:
        """The case's unit; the officer's own before there is a case."""
        return self.case["unit_id"] if self.case else self.actor.unit_id if self.actor else None

    def titled_case(self, id: str) -> str | None:
        """Number and title of a case that the officer may see."""
        found = _uuid(id)
        if found is None or self.actor is None or not may_see_case(self.connection, self.actor, found):
            return None
        row = self.connection.execute(select(case_file.c.number, case_file.c.title).where(case_file.c.id == found)).one()
        return f"{row.number or ''} {row.title}".strip()

    def record(self, register: str, id: str) -> str | None:
        """What a record that the officer may see is called."""
        found = _uuid(id)
        return record_title(self.app, self.connection, actor=self.actor, register=qualify(register, self.pack), record_id=found) if found else None

    def record_files(self, register: str, id: str) -> Sequence[HeldFile]:
        """Files of a record that the officer may see; those that were taken out last."""
        found = _uuid(id)
        if found is None or self.actor is None:
            return ()
        return held_files(self.app, self.connection, actor=self.actor, register=qualify(register, self.pack), record_id=found)

    def _name(self, table: Any, id: str) -> str | None:
        found = _uuid(id)
        if found is None:
            return None
        if (table.name, found) not in self._names:
            wanted = {found, *self.expected} if table is person else {found}
            names = {row.id: row.name for row in self.connection.execute(select(table.c.id, table.c.name).where(table.c.id.in_(wanted)))}
            self._names.update({(table.name, one): names.get(one) for one in wanted})
        return self._names[table.name, found]

    def party(self, id: str) -> Mapping[str, Any] | None:
        found = _uuid(id)
        if found is None or (self.actor is not None and self.actor.party_id not in (None, found)):
            return None
        try:
            view = parties.get_party(self.connection, self.app.keys, party_id=found, reveal=True)
        except NotFound:
            return None
        return party_value(view)

    def attachment(self, id: str) -> AttachmentMeta | None:
        """A file of this case, or one that this officer uploaded and that belongs to no case yet."""
        if self.actor is None:
            return None
        return find_usable(self.connection, actor=self.actor, attachment_id=id, case_id=self.case["id"] if self.case else None, record_id=self.record_id)

    def phrases(self) -> Sequence[str]:
        return phrases.phrases_of(self.connection, person_id=self.actor.person_id) if self.actor else ()

    def prefill(self, expression: str) -> Prefilled | None:
        """``case.title``, ``fact.<name>``, ``task.<node>.<field>``, ``form.<form>.<field>``, ``record.<register>.<field>``."""
        kind, _, rest = expression.partition(".")
        if kind == "case" and self.case and rest in ("title", "subject", "address", "number"):
            return Prefilled(value=self.case[rest], source="来自本案")
        if kind == "fact" and rest in self.facts:
            return Prefilled(value=self.facts[rest], source="来自流程")
        if kind == "task":
            node, _, field = rest.partition(".")
            return self._from_answers(node, field)
        if kind == "form":
            form, _, field = rest.rpartition(".")
            value = self._of_form(qualify(form, self.pack)).get(field)
            return None if value is None else Prefilled(value=value, source="前面步骤已填")
        if kind == "record":
            register, _, field = rest.rpartition(".")
            return self._from_record(qualify(register, self.pack), field)
        return None

    def _from_record(self, register: str, field: str) -> Prefilled | None:
        """A field of the case's own record of ``register``; nothing that is stored sealed."""
        declared, table = get_register(self.app.library, register)
        if self.case is None or field not in declared.fields or declared.fields[field].encrypt:
            return None
        value = self.connection.scalar(select(table.c[field]).where(table.c.id == self.case["id"]))
        if value is None:
            return None
        return Prefilled(value=value if isinstance(value, bool | list | dict) else value.isoformat() if hasattr(value, "isoformat") else str(value), source="来自台账")

    def _of_form(self, form: str) -> dict[str, Any]:
        """The latest answers to ``form`` on this case that still count, whoever gave them at whatever step."""
        if form not in self._forms:
            c = submission.c
            query = select(c.data).where(c.case_id == (self.case or {}).get("id"), c.form == form, c.superseded.is_(False)).order_by(c.at.desc(), c.id.desc()).limit(1)
            self._forms[form] = dict(open_secrets(self.app.keys, self.connection.scalar(query)) or {}) if self.case else {}
        return self._forms[form]

    def _from_answers(self, node: str, field: str) -> Prefilled | None:
        value = self.answers().get(node, {}).get(field)
        return None if value is None else Prefilled(value=value, source="前面步骤已填")

    def answers(self) -> dict[str, dict[str, Any]]:
        """{node: latest answers that still count} of this case; those of this very instance before any other's."""
        if self._answers is None:
            self._answers = answers_of(self.app, self.connection, self.case["id"], self.instance_id) if self.case else {}
        return self._answers

    def known(self) -> Mapping[str, Any]:
        """What this very step was answered with before (a redo), the only source of fields that may only be read.

        Another matter of the case, another call of the same process and another item of a repeated activity are steps of their own.
        """
        outside = self.actor is not None and self.actor.party_id is not None
        if self.task is None or self.case is None or outside or "loopCounter" in self.facts:
            return {}
        c = submission.c
        query = (
            select(c.data, c.superseded).join(task_table, task_table.c.id == c.task_id)
            .where(c.case_id == self.case["id"], c.instance_id == self.task["instance_id"], c.node == self.task["node"], task_table.c.scope == self.task["scope"])
            .order_by(*(() if self.fresh else (c.superseded,)), c.at.desc(), c.id.desc()).limit(1)
        )
        found = self.connection.execute(query).one_or_none()
        if found is None or self.fresh and not found.superseded:
            return {}
        return dict(open_secrets(self.app.keys, found.data) or {})


class _Known(Mapping[str, Any]):
    """``reader.known()``, read when the form first asks: a step whose fields are all written by the officer never does."""

    def __init__(self, reader: _Reader) -> None:
        self._reader = reader
        self._read: Mapping[str, Any] | None = None

    def _values(self) -> Mapping[str, Any]:
        if self._read is None:
            self._read = self._reader.known()
        return self._read

    def __getitem__(self, name: str) -> Any:
        return self._values()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())


def answers_of(app: Application, connection: Connection, case_id: UUID, instance_id: UUID | None = None) -> dict[str, dict[str, Any]]:
    """{node: its latest answers} on a case, newest submission per node, those of ``instance_id`` first; superseded ones only where nothing newer counts."""
    c = submission.c
    rows = connection.execute(
        select(c.node, c.data).where(c.case_id == case_id).distinct(c.node)
        .order_by(c.node, c.instance_id.is_distinct_from(instance_id), c.superseded, c.at.desc(), c.id.desc())
    )
    return {node: open_secrets(app.keys, data) for node, data in rows}


def _option(entry: Entry, on: date, since: date | None) -> Option:
    active = entry.in_force(on) or (since is not None and entry.in_force(since))
    return Option(code=entry.code, title=entry.title, parent=entry.parent, pinyin=entry.pinyin, active=active)


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None
