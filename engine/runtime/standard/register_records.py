"""Records of registers that outlive a case: make or change one, take one out, read one, find those that a condition names."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shapely.geometry import Point, shape
from sqlalchemy import ColumnElement, RowMapping, Table, false, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.kernel.errors import BusinessError
from engine.kernel.ids import new_id
from engine.kernel.names import pack_of, qualify
from engine.registers.catalogue import get_register
from engine.registers.declaration import Register
from engine.registers.filters import narrow, read_asked
from engine.registers.placed import check_place_values, place_clause
from engine.registers.scope import visible
from engine.registers.write_record import write_record
from engine.runtime.handlers import service_task
from engine.runtime.number_record import number_records
from engine.runtime.queries.record_titles import table_column, title_field
from engine.runtime.secrets import open_secrets
from engine.runtime.task_context import TaskContext
from engine.storage.tables.organisation import unit as unit_table
from engine.storage.tables.registers import record_history

MOST_FOUND = 2_000


@service_task(title="记入台账", mode="inline")
def save_record(
    context: TaskContext, *, register: str, values: dict | None = None, record: str = "", form: str = "", unit: str = "", reason: str = "", files: str = "",
) -> dict[str, str]:
    """Make a record of ``register``, or with ``record`` (an id) change that one. Result: ``record_id``.

    With ``form`` the latest answers to that form on this case go into the fields of the same names; what was left empty stays as it is and
    files are added to those that are there. ``values`` wins over them. ``unit`` (id) is whose a new record is, the case's unit by default.
    ``files`` names the field of ``form`` (widget ``held_files``) that says which of the record's files go and which come back; a file that
    goes stays kept with the record. Serial numbers that are still empty are given. Error ``no_record`` when the record isn't there any more.
    """
    declared, table = _register(context, register)
    wanted = {**_answers(context, declared, form), **(values or {})}
    if record:
        before = _live(context, declared, table, record)
        wanted.update({name: _together(before[name], wanted[name]) for name in wanted if name in declared.fields and declared.fields[name].type == "files"})
        wanted.update(_files_changed(context, declared, form, files, {**before, **wanted}))
        wanted = _numbered(context, declared, wanted, dict(before), before["unit_id"])
        _write(context, declared, table, before["id"], wanted, owner=(before["unit_id"], before["district_id"]), case_id=before["case_id"], reason=reason)
        return {"record_id": record}
    owner = _owner(context, unit)
    numbered = _numbered(context, declared, wanted, {}, owner[0])
    id = new_id()
    _write(context, declared, table, id, numbered, owner=owner, case_id=None if declared.case == "none" else context.case_id, reason=reason, new=True)
    return {"record_id": str(id)}


@service_task(title="逐条记入台账", mode="inline")
def save_records(context: TaskContext, *, register: str, rows: list, reason: str = "") -> dict[str, int]:
    """As ``gc.save_record`` for each of ``rows``: a context of values by field, with ``record`` (an id) to change that one. At most 2,000. Result: ``count``."""
    if len(rows) > MOST_FOUND:
        raise BusinessError("too_many_records", f"一次最多记入 {MOST_FOUND} 条，现在 {len(rows)} 条，请分几次。")
    for row in rows:
        save_record(context, register=register, values={name: value for name, value in row.items() if name != "record"}, record=str(row.get("record") or ""), reason=reason)
    return {"count": len(rows)}


@service_task(title="从台账删除", mode="inline")
def remove_record(context: TaskContext, *, register: str, record: str, reason: str = "") -> None:
    """Take ``record`` (an id) out of ``register``; it and its history stay stored. Error ``no_record`` when it isn't there any more."""
    declared, table = _register(context, register)
    id = _live(context, declared, table, record)["id"]
    context.connection.execute(update(table).where(table.c.id == id).values(deleted_at=context.at, deleted_reason=reason or context.case["title"], updated_at=context.at))
    _note(context, declared, id, {"deleted_at": [None, context.at.isoformat()]}, reason)
    context.work.undo.append({"op": "removed_record", "register": declared.name, "id": str(id)})


@service_task(title="读一条台账记录", mode="inline", pure=True)
def look_up(context: TaskContext, *, register: str, record: str) -> dict[str, Any]:
    """The fields of ``record`` (an id) as results, ids as text, and ``unit``, whose it is. Error ``no_record`` when it isn't there any more."""
    declared, table = _register(context, register)
    found = _live(context, declared, table, record)
    return {"unit": _plain(found["unit_id"]), **{name: _plain(found[name]) for name, field in declared.fields.items() if not field.secret}}


@service_task(title="按条件找台账记录", mode="inline", pure=True)
def find_records(
    context: TaskContext, *, register: str, filter: dict | None = None, ids: list | None = None, near: dict | None = None, within: float = 0, most: int = 500,
    fields: list | None = None, lies_in: str = "",
) -> dict[str, Any]:
    """Records of ``register`` that whoever takes this step sees, by ``filter`` {field: value or list of values} or among ``ids``, oldest first.

    With ``within`` (metres) only those that near the point ``near``; none when it is unknown. With ``lies_in`` (a register) only
    those whose place lies inside an outline of one of its records.
    Results: ``found``, a list of {id, label, unit} and what the open ``fields`` hold, at most ``most`` (2,000 and never more); ``count``, how many there are in all.
    """
    declared, table = _register(context, register)
    if context.work.actor is None:
        raise BusinessError("nobody", "这一步要由人办理的一步带出，不能由系统自己开始。")
    pairs = [(f"f.{name}", str(value)) for name, held in (filter or {}).items() for value in (held if isinstance(held, list) else [held]) if value is not None]
    label = table_column(table, title_field(declared)).label("x_label")
    told = [name for name in fields or () if name in declared.fields and not declared.fields[name].secret]
    query = visible(declared, table, context.work.actor, table.c.id, table.c.unit_id, label, *(table.c[name].label(f"x_{name}") for name in told))
    query = narrow(query, declared, table, read_asked(declared, pairs, on=context.today))
    if ids is not None:
        query = query.where(table.c.id.in_([UUID(str(one)) for one in ids]))
    if within:
        query = query.where(_nearby(declared, table, near, float(within)))
    if lies_in:
        query = query.where(table.c.id.in_(_lying_in(context, declared, table, lies_in)))
    rows = context.connection.execute(query.order_by(table.c.created_at, table.c.id).limit(MOST_FOUND)).mappings().all()
    found = [
        {**{name: _plain(row[f"x_{name}"]) for name in told}, "id": str(row["id"]), "label": row["x_label"] or "", "unit": _plain(row["unit_id"])}
        for row in rows[: min(int(most), MOST_FOUND)]
    ]
    return {"found": found, "count": len(rows)}


def _nearby(register: Register, table: Table, near: Mapping[str, Any] | None, metres: float) -> ColumnElement[bool]:
    """Within ``metres`` of ``near``, by the register's first field that is a point."""
    field = next((one for one in register.fields.values() if one.type == "point"), None)
    if field is None or not near:
        return false()
    return place_clause(field, table, "near", check_place_values(field, "near", [f"{near['lon']},{near['lat']},{metres:g}"]))


def _lying_in(context: TaskContext, register: Register, table: Table, areas: str) -> list[UUID]:
    """Ids of records whose first point lies inside an outline of ``areas``: the boxes by index, then exactly."""
    declared, theirs = _register(context, areas)
    point = next((one for one in register.placed if one.type == "point"), None)
    outline = next((one for one in declared.placed if one.type == "outline"), None)
    if point is None or outline is None:
        raise BusinessError("no_place", f"“{register.title}”要有位置、“{declared.title}”要有范围，才能按范围找。")
    found: list[UUID] = []
    for area in context.connection.execute(select(theirs.c[outline.name]).where(theirs.c.deleted_at.is_(None), theirs.c[outline.name].is_not(None)).limit(MOST_FOUND)).scalars():
        west, south, east, north = area["bbox"]
        near = place_clause(point, table, "box", check_place_values(point, "box", [f"{west},{south},{east},{north}"]))
        drawn = shape({"type": area["type"], "coordinates": area["coordinates"]})
        rows = context.connection.execute(select(table.c.id, table.c[point.name].label("place")).where(table.c.deleted_at.is_(None), near)).all()
        found += [row.id for row in rows if drawn.covers(Point(row.place["lon"], row.place["lat"]))]
    return found


def _register(context: TaskContext, name: str) -> tuple[Register, Table]:
    return get_register(context.app.library, qualify(name, pack_of(context.process)))


def _live(context: TaskContext, register: Register, table: Table, record: str) -> RowMapping:
    """The record, locked."""
    row = context.connection.execute(select(table).where(table.c.id == UUID(str(record)), table.c.deleted_at.is_(None)).with_for_update()).mappings().one_or_none()
    if row is None:
        raise BusinessError("no_record", f"这条记录已经不在“{register.title}”里，请退回重选。")
    return row


def _answers(context: TaskContext, register: Register, form: str) -> dict[str, Any]:
    """What the latest answers to ``form`` say about the fields of ``register``."""
    if not form:
        return {}
    told = _told(context, form)
    return {name: told[name] for name, field in register.fields.items() if field.filled and told.get(name) not in (None, "", [])}


def _files_changed(context: TaskContext, register: Register, form: str, files: str, held: Mapping[str, Any]) -> dict[str, Any]:
    """{field: files} of the fields from which files go or into which they come back, as the answers to ``form`` say under ``files``."""
    asked = _told(context, form).get(files) if files else None
    changed: dict[str, Any] = {}
    for entry in asked or ():
        name = entry["field"]
        if name not in register.fields or register.fields[name].type != "files":
            continue
        others = [one for one in changed.get(name, held.get(name)) or () if one["id"] != entry["id"]]
        changed[name] = [*others, {"id": entry["id"], "name": entry["name"], "caption": ""}] if entry["act"] == "restore" else others
    return changed


def _told(context: TaskContext, form: str) -> Mapping[str, Any]:
    full = qualify(form, pack_of(context.process))
    found: Mapping[str, Any] = context.work.fresh_answers.get(full) or open_secrets(context.app.keys, context.answers(form=full))
    return found


def _together(held: Any, added: Any) -> list[Any]:
    """Files that were there, and those that came."""
    known = {one["id"] for one in held or ()}
    return [*(held or ()), *(one for one in added or () if one["id"] not in known)]


def _numbered(context: TaskContext, register: Register, values: Mapping[str, Any], before: Mapping[str, Any], unit_id: UUID) -> dict[str, Any]:
    """``values`` with the serials that the record doesn't have yet."""
    known = {name: before[name] for name, field in register.fields.items() if field.type == "serial" and before.get(name)}
    (row,) = number_records(context.app, context.connection, register=register, rows=[{**values, **known}], unit_id=unit_id, at=context.at)
    return row


def _owner(context: TaskContext, unit: str) -> tuple[UUID, UUID | None]:
    """(unit, its district bureau) that a new record belongs to."""
    if not unit:
        return context.case["unit_id"], context.case["district_id"]
    found = context.connection.execute(select(unit_table.c.id, unit_table.c.district_id).where(unit_table.c.id == UUID(str(unit)))).one_or_none()
    if found is None:
        raise BusinessError("no_unit", "记录所属的单位不存在，请退回重选。")
    return found.id, found.district_id


def _write(
    context: TaskContext, register: Register, table: Table, id: UUID, values: Mapping[str, Any], *, owner: tuple[UUID, UUID | None], case_id: UUID | None, reason: str,
    new: bool = False,
) -> None:
    changes = write_record(
        context.connection, register=register, table=table, record_id=id, values=values, case_id=case_id, unit_id=owner[0], district_id=owner[1], keys=context.app.keys,
        at=context.at, by_id=context.actor_id, by_name=context.actor_name, act_id=context.work.act_id, reason=reason or context.case["title"],
    )
    before = {name: pair[0] for name, pair in changes.items() if not register.fields[name].encrypt}
    if new:
        context.work.undo.append({"op": "made_record", "register": register.name, "id": str(id)})
    elif before:
        context.work.undo.append({"op": "record", "register": register.name, "id": str(id), "before": before})


def _note(context: TaskContext, register: Register, id: UUID, changes: Mapping[str, Any], reason: str) -> None:
    context.connection.execute(insert(record_history).values(
        id=new_id(), register=register.name, record_id=id, act_id=context.work.act_id, at=context.at, by_id=context.actor_id, by_name=context.actor_name,
        reason=reason or context.case["title"], changes=changes,
    ))


def _plain(value: Any) -> Any:
    """As facts hold it: ids as text."""
    return str(value) if isinstance(value, UUID) else value
