"""Two records of one thing become one: chosen values, everything that pointed at the other, and both histories on record."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access import audit
from engine.access.actors import Actor
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, Forbidden, Invalid, StaleRevision
from engine.kernel.ids import new_id
from engine.registers.catalogue import get_register, registers_of
from engine.registers.declaration import Field, Register
from engine.registers.granted import for_reader
from engine.registers.write_record import write_record
from engine.runtime.application import Application
from engine.runtime.queries import registers as query
from engine.runtime.queries.record_titles import title_field
from engine.runtime.register_rights import require_editor
from engine.storage.tables.cases import attachment
from engine.storage.tables.registers import record_history

MOST_POINTING = 5_000


def merge_records(
    app: Application, *, actor: Actor, register: str, keep_id: UUID, gone_id: UUID, taken: frozenset[str], reason: str, revs: Mapping[UUID, str], at: datetime,
) -> None:
    """Put the fields ``taken`` of record ``gone_id`` into ``keep_id``, point at it whatever pointed at the other, remove the other.

    Lists of files and tags that are taken are joined. ``revs`` are the revisions that were looked at. Raises NotFound, Forbidden,
    Invalid without a reason, StaleRevision, Conflict when more than 5,000 records of a register point at the other.
    """
    declared, table = get_register(app.library, register)
    declared = for_reader(declared, actor)
    if not declared.creatable:
        raise Forbidden(f"“{declared.title}”的记录由办案或流程记入，不能在台账里合并。")
    if keep_id == gone_id:
        raise Invalid("请另选一条记录来合并，不能和它自己合并。", fields={"other": "请另选一条。"})
    if not reason.strip():
        raise Invalid("写明为什么认定是同一个，会记在改动记录里。", fields={"reason": "写明原因。"})
    with app.db.begin() as connection:
        connection.execute(select(table.c.id).where(table.c.id.in_([keep_id, gone_id])).order_by(table.c.id).with_for_update())
        kept, gone = (_seen(connection, actor, declared, table, id, revs, at) for id in (keep_id, gone_id))
        _take_over(app, connection, actor, declared, table, kept, gone, taken, f"并入“{_title(declared, gone)}”：{reason.strip()}", at)
        _repoint(app, connection, actor, register, keep_id, gone_id, at)
        _retire(connection, actor, declared, table, kept, gone_id, reason.strip(), at)


def _seen(connection: Connection, actor: Actor, register: Register, table: Table, id: UUID, revs: Mapping[UUID, str], at: datetime) -> query.Record:
    record, _ = query.one(connection, actor=actor, register=register, table=table, record_id=id)
    require_editor(connection, register=register, actor=actor, unit_id=record.unit_id, on=legal_date(at))
    if record.rev != revs.get(id):
        raise StaleRevision(f"“{_title(register, record)}”在您打开之后被别人改过，没有合并。请重新比较。")
    return record


def _title(register: Register, record: query.Record) -> str:
    shown = title_field(register)
    return (record.cells[shown.name] if shown else "") or register.title


def _take_over(
    app: Application, connection: Connection, actor: Actor, register: Register, table: Table, kept: query.Record, gone: query.Record, taken: frozenset[str],
    reason: str, at: datetime,
) -> None:
    fields = [register.fields[name] for name in register.fields if name in taken]
    values = {one.name: _joined(one, kept.values[one.name], gone.values[one.name]) for one in fields if not one.secret}
    sealed = [one.name for one in fields if one.secret]
    if sealed:
        other = table.alias("other")
        raw = {name: select(other.c[name]).where(other.c.id == gone.id).scalar_subquery() for name in sealed}
        connection.execute(update(table).where(table.c.id == kept.id).values(raw))
    write_record(
        connection, register=register, table=table, record_id=kept.id, values=values, case_id=kept.case_id, unit_id=kept.unit_id, district_id=None, keys=app.keys,
        at=at, by_id=actor.person_id, by_name=actor.name, reason=reason,
    )
    connection.execute(update(attachment).where(attachment.c.record_id == gone.id).values(record_id=kept.id))


def _joined(field: Field, mine: Any, theirs: Any) -> Any:
    if field.type == "tags":
        return list(dict.fromkeys([*(mine or ()), *(theirs or ())]))
    if field.type == "files":
        return list({entry["id"]: entry for entry in [*(mine or ()), *(theirs or ())]}.values())
    return theirs


def _repoint(app: Application, connection: Connection, actor: Actor, register: str, keep_id: UUID, gone_id: UUID, at: datetime) -> None:
    for other, table in registers_of(app.library).values():
        for field in other.fields.values():
            if field.type == "record" and field.register == register:
                _move_field(connection, actor, other, table, field, keep_id, gone_id, at)


def _move_field(connection: Connection, actor: Actor, register: Register, table: Table, field: Field, keep_id: UUID, gone_id: UUID, at: datetime) -> None:
    column = table.c[field.name]
    ids = list(connection.scalars(select(table.c.id).where(column == gone_id).order_by(table.c.id).limit(MOST_POINTING + 1).with_for_update()))
    if len(ids) > MOST_POINTING:
        raise Conflict(f"“{register.title}”里有超过 {MOST_POINTING} 条记录指着它，不能在页面上合并，请管理员分批处理。")
    if not ids:
        return
    connection.execute(update(table).where(table.c.id.in_(ids)).values({field.name: keep_id, "updated_at": at}))
    connection.execute(insert(record_history), [
        {"id": new_id(), "register": register.name, "record_id": id, "at": at, "by_id": actor.person_id, "by_name": actor.name, "reason": "所指的记录合并了",
         "changes": {field.name: [str(gone_id), str(keep_id)]}}
        for id in ids
    ])


def _retire(
    connection: Connection, actor: Actor, register: Register, table: Table, kept: query.Record, gone_id: UUID, reason: str, at: datetime,
) -> None:
    why = f"并入“{_title(register, kept)}”：{reason}"[:500]
    connection.execute(update(table).where(table.c.id == gone_id).values(deleted_at=at, deleted_reason=why, updated_at=at))
    connection.execute(insert(record_history).values(
        id=new_id(), register=register.name, record_id=gone_id, at=at, by_id=actor.person_id, by_name=actor.name, reason=why,
        changes={"deleted_at": [None, at.isoformat()]},
    ))
    audit.append(
        connection, chain=audit.chain_of(actor), at=at, actor_id=actor.person_id, actor_name=actor.name, action="register.merge",
        object=f"{register.name}:{kept.id}", case_id=None, detail={"gone": str(gone_id), "reason": reason},
    )
