"""Make, change and remove a record on the register's own page: by its editors, with a reason, on record."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access import audit
from engine.access.actors import Actor
from engine.form_filling.validate import validate
from engine.kernel.clock import legal_date
from engine.kernel.errors import Forbidden, Invalid, StaleRevision
from engine.kernel.ids import new_id
from engine.registers.catalogue import get_register
from engine.registers.declaration import Register
from engine.registers.granted import for_reader
from engine.registers.write_record import write_record
from engine.runtime.application import Application
from engine.runtime.form_context import form_context
from engine.runtime.number_record import number_records
from engine.runtime.queries import registers as query
from engine.runtime.record_form import answers_of_record, columns_of_answers, form_of_register
from engine.runtime.register_rights import require_editor
from engine.storage.tables.registers import record_history

LONGEST_REASON = 500


def known_register(app: Application, actor: Actor, name: str) -> tuple[Register, Table]:
    """The register as the actor knows it: a field hidden from them can't be written either."""
    register, table = get_register(app.library, name)
    return for_reader(register, actor), table


def create_record(app: Application, *, actor: Actor, register: str, data: Mapping[str, Any], key: UUID, at: datetime) -> UUID:
    """A new record of the actor's unit; its id is ``key``, so that a form sent twice makes one record.

    Raises Forbidden for who doesn't edit the register, Invalid with one message per field.
    """
    declared, table = known_register(app, actor, register)
    if not declared.creatable:
        raise Forbidden(f"“{declared.title}”不能在台账里登记，由办案自动记入。")
    with app.db.begin() as connection:
        require_editor(connection, register=declared, actor=actor, unit_id=actor.unit_id, on=legal_date(at))
        if connection.scalar(select(table.c.id).where(table.c.id == key)):
            return key
        checked = _checked(app, connection, actor, declared, data, at, new=True)
        (values,) = number_records(app, connection, register=declared, rows=[checked], unit_id=actor.unit_id, at=at)
        write_record(
            connection, register=declared, table=table, record_id=key, values=values, case_id=None, unit_id=actor.unit_id, district_id=actor.district_id,
            keys=app.keys, at=at, by_id=actor.person_id, by_name=actor.name, reason="登记",
        )
        _note(connection, actor, at, "register.create", declared, key)
    return key


def change_record(
    app: Application, *, actor: Actor, register: str, record_id: UUID, data: Mapping[str, Any], reason: str, rev: str, at: datetime,
) -> dict[str, list[Any]]:
    """Write the form's answers; {field: [before, after]} of what changed, empty when nothing did.

    Raises NotFound for a record the actor may not see, Forbidden, Invalid, StaleRevision when it changed since ``rev``.
    """
    declared, table = known_register(app, actor, register)
    with app.db.begin() as connection:
        record = _locked(connection, actor, declared, table, record_id, rev, at)
        values = _checked(
            app, connection, actor, declared, data, at, new=False, reason=reason, known=answers_of_record(declared, record.values), record_id=record_id,
        )
        changes = write_record(
            connection, register=declared, table=table, record_id=record_id, values=values, case_id=record.case_id, unit_id=record.unit_id, district_id=None,
            keys=app.keys, at=at, by_id=actor.person_id, by_name=actor.name, reason=reason.strip(),
        )
        if changes:
            _note(connection, actor, at, "register.change", declared, record_id, record.case_id, reason=reason.strip(), fields=sorted(changes))
    return changes


def remove_record(app: Application, *, actor: Actor, register: str, record_id: UUID, reason: str, rev: str, at: datetime) -> None:
    """Take the record out of the list; it and its history stay stored. Raises as ``change_record`` does."""
    declared, table = known_register(app, actor, register)
    if not declared.creatable:
        raise Forbidden(f"“{declared.title}”的记录属于案件，不能在台账里删除。")
    why = _reason(reason)
    with app.db.begin() as connection:
        record = _locked(connection, actor, declared, table, record_id, rev, at)
        connection.execute(update(table).where(table.c.id == record_id).values(deleted_at=at, deleted_reason=why, updated_at=at))
        connection.execute(insert(record_history).values(
            id=new_id(), register=declared.name, record_id=record_id, at=at, by_id=actor.person_id, by_name=actor.name, reason=why,
            changes={"deleted_at": [None, at.isoformat()]},
        ))
        _note(connection, actor, at, "register.remove", declared, record_id, record.case_id, reason=why)


def _locked(connection: Connection, actor: Actor, register: Register, table: Table, record_id: UUID, rev: str, at: datetime) -> query.Record:
    """The record as the actor sees it, locked, and still as it was read."""
    connection.execute(select(table.c.id).where(table.c.id == record_id).with_for_update())
    record, _ = query.one(connection, actor=actor, register=register, table=table, record_id=record_id)
    require_editor(connection, register=register, actor=actor, unit_id=record.unit_id, on=legal_date(at))
    if record.rev != rev:
        raise StaleRevision("这条记录在您打开之后被别人改过，没有保存。请刷新页面，看过新的内容再改。")
    return record


def _checked(
    app: Application, connection: Connection, actor: Actor, register: Register, data: Mapping[str, Any], at: datetime, *, new: bool, reason: str = "",
    known: Mapping[str, Any] | None = None, record_id: UUID | None = None,
) -> dict[str, Any]:
    """The answers, checked; a code that was ended since may stay where it stands. Raises Invalid, the missing reason among the fields."""
    form = form_of_register(app, register, new=new)
    context = form_context(app, connection, actor=actor, form=form, at=at, record_id=record_id)
    kept = {name: value for name, value in (known or {}).items() if data.get(name) == value}
    problems: dict[str, str] = {}
    answers: dict[str, Any] = {}
    try:
        answers = validate(form, data=data, rights={"*": "write"}, context=context).data
    except Invalid as error:
        problems = {path: text for path, text in error.fields.items() if path.split(".")[0] not in kept}
        if not problems:
            clean = {name: value for name, value in data.items() if name not in error.fields}
            rights = {name: "read" if name in error.fields else "write" for name in form.fields}
            answers = {**validate(form, data=clean, rights=rights, context=context).data, **kept}  # type: ignore[arg-type]
    if not new and not reason.strip():
        problems["reason"] = "写明为什么改，会记在改动记录里。"
    if problems:
        raise Invalid(f"还有 {len(problems)} 处要改，改好就能保存", fields=problems)
    return columns_of_answers(register, answers, new=new)


def _reason(text: str) -> str:
    if not text.strip():
        raise Invalid("请写明删除的原因，会记在改动记录里。", fields={"reason": "写明原因。"})
    return text.strip()[:LONGEST_REASON]


def _note(
    connection: Connection, actor: Actor, at: datetime, action: str, register: Register, record_id: UUID, case_id: UUID | None = None, **detail: Any,
) -> None:
    audit.append(
        connection, chain=audit.chain_of(actor), at=at, actor_id=actor.person_id, actor_name=actor.name, action=action, object=f"{register.name}:{record_id}",
        case_id=case_id, detail=detail,
    )
